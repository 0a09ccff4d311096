"""Processes of bpnet that begin with nothing pinned, and whether portable numerics can be had."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bpcli.errors import NumericsError, NumericsNotPinned
from bpcli.nn.numerics import require

ROOT = Path(__file__).parent.parent
_STEERING = ("OPENBLAS_", "NPY_", "BPNET_RESTARTED")


def needs_portable_numerics() -> None:
    """Skip where they are refused, such as on another processor."""
    try:
        require("portable")
    except NumericsNotPinned:
        pass
    except NumericsError as error:
        pytest.skip(str(error))


def native_environment(**variables: str) -> dict[str, str]:
    """This environment without what steers numpy and OpenBLAS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_STEERING)}
    paths = [variables.pop("PYTHONPATH", ""), str(ROOT), kept.get("PYTHONPATH", "")]
    return kept | variables | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def process(
    *arguments: str | Path,
    cwd: Path,
    before: Sequence[str] = (),
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a bpnet command line in a process of its own, by way of what stands `before`."""
    return subprocess.run(
        [*before, sys.executable, "-m", "bpcli", *map(str, arguments)],
        cwd=cwd, env=environment or native_environment(), input=stdin, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
