"""What every pool of workers does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np
import pytest
from pools import POOLS

from bpcli.engine.pool.base import SerialPool, WorkerPool


def test_every_number_is_done_once(some_pool: WorkerPool) -> None:
    counts, doubled = (
        some_pool.allocate_shared((64,), np.int64),
        some_pool.allocate_shared((64,), np.float32),
    )

    def count(number: int) -> None:
        counts[number] += 1

    def double(number: int) -> None:
        doubled[number] = 2 * counts[number]

    run_count, run_double = some_pool.register(count), some_pool.register(double)
    for rounds in range(1, 51):
        run_count(64)
        assert (counts == rounds).all()
    run_double(10)
    assert doubled.tolist() == [100.0] * 10 + [0.0] * 54


@pytest.mark.parametrize("dtype", [np.int64, np.float32])
def test_shared_arrays_begin_as_zeros(some_pool: WorkerPool, dtype: type) -> None:
    for shape in ((3, 2), (0,), (1,)):
        array = some_pool.allocate_shared(shape, dtype)
        assert (array.shape, array.dtype) == (shape, dtype)
        assert not array.any()
        array[...] = 1


def test_a_check_comes_before_each_task() -> None:
    events: list[object] = []
    pool = SerialPool(lambda: events.append("check"))
    pool.register(events.append)(3)
    assert events == ["check", 0, "check", 1, "check", 2]


@pytest.mark.parametrize("make", POOLS.values(), ids=POOLS)
def test_a_check_that_fails_ends_the_work(make: Callable[[], WorkerPool]) -> None:
    pool = make()
    done = pool.allocate_shared((64,), np.int64)
    parent = os.getpid()

    def refuse() -> None:
        if os.getpid() == parent and done.any():
            raise InterruptedError

    pool._check = refuse

    def task(number: int) -> None:
        done[number] = 1
        time.sleep(0.001)

    run = pool.register(task)
    with pytest.raises(InterruptedError):
        run(64)
    pool.close()


def test_a_closed_pool_holds_no_tasks() -> None:
    pool = SerialPool()
    run = pool.register(lambda _: None)
    pool.close()
    with pytest.raises(IndexError):
        run(1)
