"""Which workers are fastest here."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from pools import needs_fork

from bpcli.engine.pool import choice
from bpcli.engine.pool.base import SerialPool, ThreadPool, WorkerPool
from bpcli.engine.pool.choice import useful_workers, worker_pool


def test_one_worker_is_no_pool() -> None:
    with worker_pool(1) as chosen:
        assert isinstance(chosen, SerialPool)


_FORKS = """
import threading
from bpcli.engine.pool.base import ThreadPool
from bpcli.engine.pool.choice import worker_pool
from bpcli.engine.pool.forked import ForkPool

with worker_pool(2) as chosen:
    assert isinstance(chosen, ForkPool)
done = threading.Event()
thread = threading.Thread(target=done.wait)
thread.start()
with worker_pool(2) as chosen:
    assert isinstance(chosen, ThreadPool)
done.set()
thread.join()
"""


@needs_fork
def test_processes_are_forked_unless_there_are_threads() -> None:
    """In a process of its own: libraries that other tests use may have left threads in this one."""
    subprocess.run([sys.executable, "-c", _FORKS], check=True)


def test_workers_are_as_many_as_tasks_and_cores_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    assert useful_workers(tasks=20, n_params=100_000, cores=4) == 4
    assert useful_workers(tasks=20, n_params=100_000, cores=1000) == 20
    assert useful_workers(tasks=1, n_params=100_000, cores=4) == 1
    monkeypatch.setattr(choice, "can_fork", lambda: False)
    assert useful_workers(tasks=20, n_params=100_000, cores=4) == 4
    assert useful_workers(tasks=20, n_params=1_000, cores=4) == 1  # threads would not pay


@pytest.mark.parametrize(("allowed", "kind"), [(0, SerialPool), (1, SerialPool), (2, ThreadPool)])
def test_there_are_as_many_threads_as_the_system_allows(
    allowed: int, kind: type[WorkerPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = threading.Thread.start, []

    def limited(thread: threading.Thread) -> None:
        if len(started) == allowed:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(choice, "can_fork", lambda: False)
    monkeypatch.setattr(threading.Thread, "start", limited)
    with worker_pool(4) as chosen:
        assert type(chosen) is kind
    assert not any(thread.is_alive() for thread in started)


def test_no_more_threads_are_tried_than_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "can_fork", lambda: False)
    with worker_pool(3) as chosen:
        assert isinstance(chosen, ThreadPool)
        assert chosen._pool._max_workers == 3


def test_a_pool_is_closed_also_where_its_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[WorkerPool] = []
    monkeypatch.setattr(SerialPool, "close", lambda pool: closed.append(pool))
    with pytest.raises(ZeroDivisionError), worker_pool(1) as chosen:
        raise ZeroDivisionError
    assert closed == [chosen]


def test_the_check_reaches_the_pool() -> None:
    def refuse() -> None:
        raise InterruptedError

    with worker_pool(1, refuse) as chosen, pytest.raises(InterruptedError):
        chosen.register(lambda _: None)(1)
