"""Forked workers, above all when something goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from pools import needs_fork
from work import no_hang

from bpcli.engine.pool.forked import ForkPool
from bpcli.errors import WorkerLost


@needs_fork
def test_a_worker_that_is_killed_is_an_error_and_no_hang() -> None:
    forked = ForkPool(3)
    parent = os.getpid()

    def die_unless_parent(number: int) -> None:
        time.sleep(0.01)
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    run = forked.register(die_unless_parent)
    with no_hang(), pytest.raises(WorkerLost, match=r"by signal 9.*workers: 1"):
        run(20)
    forked.close()


@needs_fork
def test_a_worker_that_is_killed_while_it_waits_is_missed_too() -> None:
    forked = ForkPool(2)
    pids = forked.allocate_shared((8,), np.int64)

    def note(number: int) -> None:
        pids[number] = os.getpid()
        time.sleep(0.02)

    run = forked.register(note)
    run(8)
    (child,) = set(pids.tolist()) - {os.getpid()}
    os.kill(child, signal.SIGKILL)
    time.sleep(0.2)
    with pytest.raises(WorkerLost, match="by signal 9"):
        run(8)
    forked.close()


@needs_fork
def test_where_no_process_can_be_made_the_parent_does_it_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    forked = ForkPool(3)
    done = forked.allocate_shared((8,), np.int64)
    forked.register(lambda number: done.__setitem__(number, 1))(8)
    assert done.all()
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGINT, signal.SIGTERM}
    forked.close()


@needs_fork
def test_a_pool_that_broke_is_not_used_again() -> None:
    forked = ForkPool(2)

    def fail_in_the_parent(number: int) -> None:
        raise MemoryError

    run = forked.register(fail_in_the_parent)
    with pytest.raises((MemoryError, WorkerLost)):
        run(4)
    with pytest.raises(AssertionError):
        run(4)
    forked.close()


@needs_fork
def test_a_worker_that_fails_is_an_error() -> None:
    forked = ForkPool(2)
    parent = os.getpid()

    def fail_unless_parent(number: int) -> None:
        time.sleep(0.01)
        if os.getpid() != parent:
            raise MemoryError

    run = forked.register(fail_unless_parent)
    with pytest.raises(WorkerLost, match="lack of memory"):
        run(20)
    forked.close()


@needs_fork
def test_closing_leaves_no_process_behind() -> None:
    forked = ForkPool(4)
    pids = forked.allocate_shared((4,), np.int64)

    def note(number: int) -> None:
        pids[number] = os.getpid()
        time.sleep(0.05)

    forked.register(note)(4)
    children = set(pids.tolist()) - {os.getpid()}
    assert children
    forked.close()
    assert not any(_is_alive(pid) for pid in children)


_ORPHANS = """
import os, time
from bpcli.engine.pool.forked import ForkPool
forked = ForkPool(3)
def task(number):
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(0.1)
run = forked.register(task)
run(6)
os.write(1, b"working\\n")
while True:
    run(6)
"""


@needs_fork
def test_workers_end_when_the_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _ORPHANS], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = {int(line) for line in iter(parent.stdout.readline, b"working\n")}
        assert len(pids) == 3
        parent.kill()
    deadline = time.monotonic() + 10
    while any(_is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_is_alive(pid) for pid in pids)


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123  # not a path of ours
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@needs_fork
def test_ctrl_c_is_for_the_parent_alone() -> None:
    forked = ForkPool(2)
    pids = forked.allocate_shared((8,), np.int64)

    def note(number: int) -> None:
        pids[number] = os.getpid()
        time.sleep(0.01)

    run = forked.register(note)
    run(8)
    (child,) = set(pids.tolist()) - {os.getpid()}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(child, number)
    run(8)
    assert _is_alive(child)
    forked.close()


@needs_fork
def test_workers_are_forked_when_the_first_task_is_run_and_see_what_is_there_by_then() -> None:
    forked = ForkPool(2)
    seen, pids = (forked.allocate_shared((8,), np.int64) for _ in range(2))
    given = np.zeros(8, np.int64)

    def note(number: int) -> None:
        seen[number], pids[number] = given[number], os.getpid()
        time.sleep(0.01)

    run = forked.register(note)
    given[:] = 7  # before the fork
    run(8)
    assert len(set(pids.tolist())) == 2
    assert (seen == 7).all()
    with pytest.raises(AssertionError, match="know only the tasks"):
        forked.register(note)
    forked.close()


@needs_fork
def test_a_single_task_needs_no_worker() -> None:
    forked = ForkPool(2)
    pids: list[int] = []
    forked.register(lambda _: pids.append(os.getpid()))(1)
    assert pids == [os.getpid()]
    assert not forked._has_forked
    forked.close()


@needs_fork
def test_where_the_system_sees_workers_off_their_end_is_noticed_too() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    forked = ForkPool(2)
    parent = os.getpid()

    def die_unless_parent(number: int) -> None:
        time.sleep(0.01)
        if os.getpid() != parent:
            os._exit(3)

    run = forked.register(die_unless_parent)
    try:
        with pytest.raises(WorkerLost, match="ended with unknown status"):
            run(20)
    finally:
        forked.close()
        signal.signal(signal.SIGCHLD, before)


@needs_fork
def test_the_status_of_a_worker_that_ends_by_itself_is_told() -> None:
    forked = ForkPool(2)
    parent = os.getpid()

    def leave_unless_parent(number: int) -> None:
        time.sleep(0.01)
        if os.getpid() != parent:
            os._exit(3)

    with pytest.raises(WorkerLost, match="ended with status 3"):
        forked.register(leave_unless_parent)(20)
    forked.close()


@needs_fork
def test_no_room_for_shared_memory_is_a_lack_of_memory() -> None:
    forked = ForkPool(2)
    with pytest.raises(MemoryError):
        forked.allocate_shared((2**58,), np.float64)
    forked.close()
