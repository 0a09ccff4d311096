"""Reading tables: bpnet against pandas' `read_csv`, on a tall table and on a wide one.

`python -m benchmarks.tables TASK FILE` is the process of one repeat, and prints its seconds,
without those of imports. Files are in memory from the first, unmeasured repeat on.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.machine import child_environment
from benchmarks.results import WholeProcess
from benchmarks.timing import Patience, Subject, interleaved
from benchmarks.whole_process import seconds_of_ended_children
from bpcli.data.column_rules import ColumnRules
from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.look import look_at
from bpcli.data.files.table import FileSource

SHAPES = {"tall": (1_000_000, 20), "wide": (300, 20_000)}


def _prepare(path: Path) -> None:
    table = FileSource(path, Dialect(), ColumnRules()).table(np.random.default_rng(0))
    table.fit(np.arange(len(table)))


TASKS: dict[str, Callable[[Path], object]] = {
    "pandas": pd.read_csv,
    "read": lambda path: read(layout_of(path, Dialect(header=None))),
    "describe": lambda path: look_at(path, Dialect(header=None)),
    "prepare": _prepare,
}
"""`read` finds out the dialect; `describe` is for `bpnet data`, `prepare` for a training."""


def table_times(repeats: int, patience: Patience) -> list[WholeProcess]:
    """The times of all tasks on both tables."""
    patience = replace(patience, repeats=repeats)
    return [item for name in SHAPES for item in _compare(name, patience)]


def _compare(name: str, patience: Patience) -> list[WholeProcess]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.csv"
        write(path, *SHAPES[name])
        subjects = {task: Subject(_runner(task, path), seconds_of_ended_children) for task in TASKS}
        for subject in subjects.values():
            subject.work()
        series = interleaved(subjects, patience)
    return [
        WholeProcess(name, task, item.seconds, item.median, item.thrown_away, item.disturbed)
        for task, item in series.items()
    ]


def write(path: Path, rows: int, columns: int) -> None:
    """A table of numbers with six digits, the last column a target."""
    values = np.random.default_rng(0).normal(size=(rows, columns))
    names = [f"x{number}" for number in range(1, columns + 1)]
    pd.DataFrame(values, columns=names).to_csv(path, index=False, float_format="%.6g")


def _runner(task: str, path: Path) -> Callable[[], float]:
    command = [sys.executable, "-m", "benchmarks.tables", task, str(path)]

    def run() -> float:
        done = subprocess.run(command, env=child_environment(), capture_output=True, check=True)
        return float(done.stdout)

    return run


def seconds_of(task: str, path: Path) -> float:
    start = time.perf_counter()
    TASKS[task](path)
    return time.perf_counter() - start


if __name__ == "__main__":
    print(seconds_of(sys.argv[1], Path(sys.argv[2])))
