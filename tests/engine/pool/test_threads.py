from __future__ import annotations

import threading

import numpy as np
import pytest

from bpcli.engine.pool.base import ThreadPool


def test_threads_do_not_warn_of_overflow() -> None:
    threads = ThreadPool(2)
    states: list[dict[str, str]] = []
    threads.register(lambda _: states.append(np.geterr()))(4)
    threads.close()
    assert {(state["over"], state["invalid"]) for state in states} == {("ignore", "ignore")}


def test_an_error_in_a_thread_is_raised() -> None:
    threads = ThreadPool(2)

    def fail(number: int) -> None:
        raise MemoryError

    run = threads.register(fail)
    with pytest.raises(MemoryError):
        run(3)
    threads.close()


def test_threads_work_at_the_same_time() -> None:
    """Each waits until the other has begun."""
    threads, both = ThreadPool(2), threading.Barrier(2, timeout=10)
    threads.register(lambda _: both.wait())(2)
    threads.close()


def test_closing_ends_the_threads() -> None:
    threads = ThreadPool(3)
    names: set[threading.Thread] = set()
    threads.register(lambda _: names.add(threading.current_thread()))(20)
    threads.close()
    assert names
    assert not any(thread.is_alive() for thread in names)
