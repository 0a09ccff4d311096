"""What the system says of itself and of processes: processor time, memory, and who they belong to.

Reads /proc. Where there is none, nothing counts as foreign and memory is what a child reports.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_TICK = 1 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.01
_UNCERTAIN = 2 * _TICK  # what counting in ticks leaves unknown
_BUSY_COLUMNS = (1, 2, 3, 6, 7, 8)  # user, nice, system, irq, softirq, steal: not idle, not iowait


def child_environment() -> dict[str, str]:
    """This environment without what steers numeric libraries, or Python's own cache of bytecode.

    Whoever runs a program twice has the bytecode of its modules, all of them.
    """
    tests = str(Path(__file__).resolve().parent.parent)
    kept = {name: value for name, value in os.environ.items() if not _is_steering(name)}
    return kept | {"PYTHONPATH": tests}


def _is_steering(name: str) -> bool:
    families = ("OPENBLAS_", "GOTO_", "OMP_", "GOMP_", "KMP_", "MKL_", "BLIS_", "BLAS_", "NVPL_",
                "VECLIB_", "NUMEXPR_", "NPY_", "XLA_", "JAX_", "TORCH")  # fmt: skip
    of_python = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    return name.startswith(families) or name.endswith("_NUM_THREADS") or name in of_python


# Processor time.


def busy_seconds() -> float:
    """Processor time that all cores spent on anything since the start of the system."""
    try:
        first = (_PROC / "stat").read_text().splitlines()[0].split()
    except OSError:
        return 0.0
    return sum(int(first[column]) for column in _BUSY_COLUMNS) * _TICK


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    with suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            for child in (task / "children").read_text().split():
                found += tree(int(child))
    return found


def tree_seconds(pid: int) -> float:
    """Processor time of a process tree, of its children that have ended too."""
    return sum(_process_seconds(member) for member in tree(pid))


def _process_seconds(pid: int) -> float:
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:15]) * _TICK


def foreign_share(busy: float, own: float, elapsed: float, cores: int) -> float:
    """The part of the machine that others used while we measured, from 0 to 1."""
    return max(0.0, busy - own) / (elapsed * cores)


class ForeignMeter:
    """Watches the machine from `start` to `share`; `own` tells our processor time so far."""

    def __init__(self, own: Callable[[], float]) -> None:
        self._own = own

    def start(self) -> None:
        self._began = time.perf_counter()
        self._busy, self._used = busy_seconds(), self._own()

    def share(self) -> float:
        busy = busy_seconds() - self._busy - _UNCERTAIN
        own, elapsed = self._own() - self._used, time.perf_counter() - self._began
        return foreign_share(busy, own, elapsed, os.cpu_count() or 1)


# Memory.


def tree_megabytes(pid: int) -> float:
    """Memory of a process tree, pages that several processes share counted once; 0 if unknown."""
    return sum(_proportional_kilobytes(member) for member in tree(pid)) / 1024


def _proportional_kilobytes(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


class MemoryPeak:
    """Samples the memory of a process tree while its block runs, and keeps the most."""

    def __init__(self, pid: int, interval: float = 0.02) -> None:
        self._pid, self._interval = pid, interval
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.megabytes = 0.0

    def _watch(self) -> None:
        while not self._over.is_set():
            self.megabytes = max(self.megabytes, tree_megabytes(self._pid))
            self._over.wait(self._interval)

    def __enter__(self) -> MemoryPeak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
