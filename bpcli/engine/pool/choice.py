"""The choice of the fastest workers: this process alone, threads, or forked processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bpcli.engine.pool.base import SerialPool, ThreadPool, WorkerPool
from bpcli.system import can_fork

# Threads share one interpreter: on two cores they took 2.0 times as long as one on 10-32-32-3
# (1,500 parameters), 0.8 on 100-64-64-10 (11,000) and 0.65 on 784-300-100-10 (270,000).
_THREADS_PAY_FROM_PARAMS = 8_000


def useful_workers(tasks: int, n_params: int, cores: int) -> int:
    """The number of workers that makes training fastest."""
    if not can_fork() and n_params < _THREADS_PAY_FROM_PARAMS:
        return 1
    return min(tasks, cores)


@contextmanager
def worker_pool(size: int, check: Callable[[], object] | None = None) -> Iterator[WorkerPool]:
    """A pool of `size` workers of the fastest type; it is closed at the end."""
    pool = _fastest_pool(size, check)
    try:
        yield pool
    finally:
        pool.close()


def _threads_that_start(most: int) -> int:
    """The number of threads that the system allows, up to `most`."""
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


def _fastest_pool(size: int, check: Callable[[], object] | None) -> WorkerPool:
    if size == 1:
        return SerialPool(check)
    if not can_fork():
        size = _threads_that_start(size)
        return ThreadPool(size, check) if size > 1 else SerialPool(check)

    from bpcli.engine.pool.forked import ForkPool  # sockets take 2 ms to import

    return ForkPool(size, check)
