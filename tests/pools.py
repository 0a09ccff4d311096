"""Pools of workers of every kind that there is here."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from bpcli.engine.pool.base import ThreadPool, WorkerPool

POOLS: dict[str, Callable[[], WorkerPool]] = {
    "threads 2": lambda: ThreadPool(2),
    "threads 3": lambda: ThreadPool(3),
}
if sys.platform == "linux":
    from bpcli.engine.pool.forked import ForkPool

    POOLS |= {
        "forked 2": lambda: ForkPool(2),
        "forked 3": lambda: ForkPool(3),
        "forked 4": lambda: ForkPool(4),
    }

needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
