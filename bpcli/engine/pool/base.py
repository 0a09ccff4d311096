"""Pools of workers that run numbered tasks: the base class, this process alone, and its threads.

Each task writes its result to its own part of arrays that all workers share, so the result does not
depend on which worker ran which task.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bpcli.nn.arrays import Array

Task: TypeAlias = Callable[[int], None]
Runner: TypeAlias = Callable[[int], None]


class WorkerPool(ABC):
    """Workers that share arrays and run tasks.

    `check` is called before each task; a pool in which it has raised cannot be used any more.
    """

    def __init__(self, check: Callable[[], object] | None = None) -> None:
        self._check = check
        self._tasks: list[Task] = []

    def allocate_shared(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """An array of zeros that all workers can read and write; unwritten, it takes no memory."""
        return np.zeros(shape, dtype)

    def register(self, task: Task) -> Runner:
        """Add a task; return a function that runs task(0) … task(count - 1) in any order.

        The count is at most 256. All tasks must be added before any is run.
        """
        self._tasks.append(task if self._check is None else _checked(task, self._check))
        return partial(self._run, len(self._tasks) - 1)

    @abstractmethod
    def _run(self, task: int, count: int) -> None:
        """Run `self._tasks[task]` with the numbers below `count`."""

    def close(self) -> None:
        """End the workers, and release the tasks with their arrays."""
        self._tasks.clear()


def _checked(task: Task, check: Callable[[], object]) -> Task:
    def do(number: int) -> None:
        check()
        task(number)

    return do


class SerialPool(WorkerPool):
    """The process itself, without other workers."""

    def _run(self, task: int, count: int) -> None:
        for number in range(count):
            self._tasks[task](number)


class ThreadPool(WorkerPool):
    """Threads of this process. They take turns in Python, so only long numpy calls overlap."""

    def __init__(self, size: int, check: Callable[[], object] | None = None) -> None:
        super().__init__(check)
        from concurrent.futures import ThreadPoolExecutor

        # Threads start with numpy's default error state, which warns of overflow.
        quiet = {"over": "ignore", "invalid": "ignore"}
        self._pool = ThreadPoolExecutor(size, "bpnet", initializer=lambda: np.seterr(**quiet))  # type: ignore[arg-type]

    def _run(self, task: int, count: int) -> None:
        for _ in self._pool.map(self._tasks[task], range(count)):
            pass

    def close(self) -> None:
        self._pool.shutdown()
        super().close()
