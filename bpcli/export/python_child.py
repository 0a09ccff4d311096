"""Runs an exported Python file in a separate process.

The file is made from a run that may come from a stranger. Therefore it never runs in this process,
but in an interpreter in isolated mode: in an empty folder, without environment variables, with rows
on standard input and predictions on standard output, both as JSON.
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
"""Seconds that the file may take; four million parameters take about 30."""

_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Environment variables needed to find the libraries of Python and numpy."""

_FILE = "exported.py"

_DRIVER = f"""
import json, runpy, sys
task = json.load(sys.stdin)
sys.path.append(task["numpy"])
predict = runpy.run_path("{_FILE}")["predict"]
tables = map(predict, task["probes"])
tables = [{{name: column.tolist() for name, column in table.items()}} for table in tables]
json.dump(tables, sys.stdout)
"""


def predictions(content: bytes, probes: Sequence[dict[str, list[Any]]]) -> list[dict[str, Any]]:
    """The predictions of the file for each of several tables, column by column.

    Raises `GateFailed` if the process fails, takes too long, or prints anything else.
    """
    numpy = str(Path(np.__file__).parent.parent)  # isolated mode may not find it
    printed = _printed(content, json.dumps({"numpy": numpy, "probes": probes}))
    try:
        tables = json.loads(printed)
    except (ValueError, RecursionError):
        tables = None
    is_list = isinstance(tables, list) and len(tables) == len(probes)
    if not (is_list and all(map(_is_table, tables))):
        raise GateFailed(
            "The Python file printed something other than its predictions: it was not written."
        )
    return list(tables)


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(column, list) for column in value.values())


def _printed(content: bytes, task: str) -> bytes:
    """The output of the process. Raises `GateFailed` if it fails or takes too long."""
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
                f"The Python file did not finish within {TIMEOUT:g} s: it was not written."
            ) from None
        except OSError as error:
            raise GateFailed(
                f"The Python file could not be run: {sys.executable or 'no Python'} does not "
                f"start ({error.strerror}). It was not written."
            ) from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        raise GateFailed(f"The Python file failed in a test run and was not written: {reason}")
    return done.stdout
