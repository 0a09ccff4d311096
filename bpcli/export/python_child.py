"""What an exported Python file computes, found out in a process of its own.

The file is made from a run, and a run may be a stranger's. It is therefore never run in this
process, but by an interpreter in isolated mode: in an empty folder, without the environment, with
rows on its standard input and predictions on its standard output, both as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bpcli.errors import GateFailed

TIMEOUT = 300.0
"""Seconds that the file may take; one of four million parameters takes about 30."""

_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""The variables by which a system finds the libraries of Python and numpy."""

_FILE = "exported.py"

_DRIVER = f"""
import json, runpy, sys
task = json.load(sys.stdin)
sys.path.append(task["numpy"])
predict = runpy.run_path("{_FILE}")["predict"]
found = [predict(columns) for columns in task["probes"]]
json.dump([{{name: column.tolist() for name, column in one.items()}} for one in found], sys.stdout)
"""


def predictions(content: bytes, probes: Sequence[dict[str, list[Any]]]) -> list[dict[str, Any]]:
    """What the file's `predict` gives for each of some tables, column by column.

    Raises `GateFailed` where it does not come to an end, or gives something else.
    """
    numpy = str(Path(np.__file__).parent.parent)  # isolated mode may not look there
    answer = _answer(content, json.dumps({"numpy": numpy, "probes": probes}))
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != len(probes) or not all(map(_is_table, found)):
        raise GateFailed(
            "The Python file printed something else than its predictions: it was not written."
        )
    return found


def _is_table(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(column, list) for column in found.values())


def _answer(content: bytes, task: str) -> bytes:
    """What the process prints. Raises `GateFailed` where it fails, or takes too long."""
    import subprocess

    with TemporaryDirectory(prefix="bpnet-export-") as folder:
        Path(folder, _FILE).write_bytes(content)
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-c", _DRIVER],
                input=task.encode("ascii"),
                cwd=folder,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise GateFailed(
                f"The Python file computed nothing within {TIMEOUT:g} s: it was not written."
            ) from None
        except OSError as error:
            raise GateFailed(
                f"The Python file could not be tried: {sys.executable or 'no Python'} does not "
                f"start ({error.strerror}). It was not written."
            ) from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        raise GateFailed(f"The Python file failed when it was tried, and was not written: {reason}")
    return done.stdout
