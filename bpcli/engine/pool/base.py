"""A pool of workers runs numbered tasks; this process alone is the smallest one.

Each task writes its result to a place of its own in arrays that all workers see. Which worker took
which number leaves no trace in the result.
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

    `check` is called before each; a pool in which it has raised is of no use from then on.
    """

    def __init__(self, check: Callable[[], object] | None = None) -> None:
        self._check = check
        self._tasks: list[Task] = []

    def allocate_shared(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """An array of zeros that every worker sees and may write to; unused, it takes no memory."""
        return np.zeros(shape, dtype)

    def register(self, task: Task) -> Runner:
        """Introduce a task; what returns runs task(0) … task(count - 1), in any order, to the end.

        All tasks are introduced before any is run. The count is 256 at most.
        """
        self._tasks.append(task if self._check is None else _checked(task, self._check))
        return partial(self._run, len(self._tasks) - 1)

    @abstractmethod
    def _run(self, task: int, count: int) -> None:
        """Run the task of that place in `_tasks`."""

    def close(self) -> None:
        """Let the workers go, and with the tasks the arrays that they work on."""
        self._tasks.clear()


def _checked(task: Task, check: Callable[[], object]) -> Task:
    def do(number: int) -> None:
        check()
        task(number)

    return do


class SerialPool(WorkerPool):
    """Whoever asks does it all."""

    def _run(self, task: int, count: int) -> None:
        for number in range(count):
            self._tasks[task](number)
