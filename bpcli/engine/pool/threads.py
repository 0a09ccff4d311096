"""Threads of this process as workers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bpcli.engine.pool.base import WorkerPool


class ThreadPool(WorkerPool):
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
