"""Runs an exported Python file with an interpreter in isolated mode; rows and results are JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.export.child import tables_of, workspace

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
    task = json.dumps({"numpy": numpy, "probes": probes}).encode("ascii")
    with workspace("Python", {_FILE: content}) as child:
        printed = child.run([sys.executable, "-I", "-c", _DRIVER], task)
    return tables_of(printed, len(probes), "Python")
