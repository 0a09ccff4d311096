"""Who computes: this process alone, threads, or forked processes over shared memory.

A crew runs numbered tasks, each of which writes its result to a place of its own in arrays that
all workers see. Which worker took which number leaves no trace in the result.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bpcli.nn.arrays import Array
from bpcli.system import can_fork

Task: TypeAlias = Callable[[int], None]
Runner: TypeAlias = Callable[[int], None]


class Crew(ABC):
    """Workers that share arrays and run tasks.

    `check` is called before each; a crew in which it has raised is of no use from then on.
    """

    def __init__(self, check: Callable[[], object] | None = None) -> None:
        self._check = check
        self._tasks: list[Task] = []

    def share(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """An array of zeros that every worker sees and may write to; unused, it takes no memory."""
        return np.zeros(shape, dtype)

    def prepare(self, task: Task) -> Runner:
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


class Alone(Crew):
    """Whoever asks does it all."""

    def _run(self, task: int, count: int) -> None:
        for number in range(count):
            self._tasks[task](number)


class Threads(Crew):
    """Threads of this process. They take turns in Python, so only long numpy calls overlap."""

    def __init__(self, size: int, check: Callable[[], object] | None = None) -> None:
        super().__init__(check)
        from concurrent.futures import ThreadPoolExecutor

        # A thread starts with numpy's default error state: overflow is ours to notice, not to warn
        # of.
        quiet = {"over": "ignore", "invalid": "ignore"}
        self._pool = ThreadPoolExecutor(size, "bpnet", initializer=lambda: np.seterr(**quiet))  # type: ignore[arg-type]

    def _run(self, task: int, count: int) -> None:
        for _ in self._pool.map(self._tasks[task], range(count)):
            pass

    def close(self) -> None:
        self._pool.shutdown()
        super().close()


# Threads share one interpreter: on two cores they took 2.0 times as long as one on 10-32-32-3
# (1,500 parameters), 0.8 on 100-64-64-10 (11,000) and 0.65 on 784-300-100-10 (270,000).
_THREADS_PAY_FROM_PARAMS = 8_000


def useful_workers(tasks: int, n_params: int, cores: int) -> int:
    """How many workers make training fastest here."""
    if not can_fork() and n_params < _THREADS_PAY_FROM_PARAMS:
        return 1
    return min(tasks, cores)


@contextmanager
def crew(size: int, check: Callable[[], object] | None = None) -> Iterator[Crew]:
    """As many workers, of the kind that is fastest here."""
    chosen = _chosen(size, check)
    try:
        yield chosen
    finally:
        chosen.close()


def _threads_that_start(most: int) -> int:
    """As many threads as the system allows."""
    started: list[threading.Thread] = []
    can_end = threading.Event()
    with suppress(RuntimeError):
        while len(started) < most:
            thread = threading.Thread(target=can_end.wait)
            thread.start()
            started.append(thread)
    can_end.set()
    for thread in started:
        thread.join()
    return len(started)


def _chosen(size: int, check: Callable[[], object] | None) -> Crew:
    if size == 1:
        return Alone(check)
    if not can_fork():
        size = _threads_that_start(size)
        return Threads(size, check) if size > 1 else Alone(check)
    from bpcli.engine.pool.forked import Forked  # sockets take 2 ms to import

    return Forked(size, check)
