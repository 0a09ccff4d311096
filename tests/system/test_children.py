"""Children: what they return, how they end, and what they do not outlive."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from programs import output_of
from small_configs import MOONS, load
from work import no_hang

from bpcli.runs.layout import METRICS
from bpcli.runs.store import Run
from bpcli.sweeps.training import Training, run_training
from bpcli.system import Child, children, wait_for

forked = pytest.mark.skipif(sys.platform != "linux", reason="children are forked on Linux alone")


@pytest.fixture(autouse=True)
def _never_for_ever() -> Iterator[None]:
    with no_hang():
        yield


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def sleeps() -> str:
    time.sleep(600)
    return "never"


def exits() -> str:
    sys.exit(3)


def raises() -> str:
    raise ValueError("wrong")


def test_the_text_of_a_child_comes_back() -> None:
    here = os.getpid()
    child = Child(lambda: f"ünï {os.getpid() == here}")
    assert child.text() == f"ünï {not children.can_fork()}"
    assert child.has_ended


@forked
def test_a_child_that_was_killed_has_no_text_but_a_fate() -> None:
    child = Child(sleeps)
    assert not child.has_ended
    child.kill()
    assert child.has_ended
    assert (child.text(), child.fate) == (None, "was killed by signal 9")


@forked
@pytest.mark.parametrize(("work", "status"), [(exits, 3), (raises, 1)])
def test_a_child_that_fails_has_the_status_as_its_fate(
    work: Callable[[], str], status: int
) -> None:
    child = Child(work)
    assert (child.text(), child.fate) == (None, f"ended with status {status}")


@forked
def test_a_text_is_cut_to_what_the_smallest_pipe_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl
    import multiprocessing

    context = multiprocessing.get_context("fork")
    usual = context.Pipe

    def small(**options: Any) -> Any:
        ends = usual(**options)
        fcntl.fcntl(ends[1].fileno(), fcntl.F_SETPIPE_SZ, 4096)
        return ends

    monkeypatch.setattr(type(context), "Pipe", staticmethod(small))
    child = Child(lambda: "x" + 100_000 * "ü")
    wait_for([child], 60)
    assert child.text() == "x" + 1999 * "ü", "a letter of two bytes is not cut in half"


@forked
def test_a_text_may_have_letters_that_no_encoding_has() -> None:
    assert Child(lambda: "a\ud800b").text() == "a\\ud800b"


@forked
def test_waiting_ends_when_the_first_child_has_ended() -> None:
    running = [Child(sleeps), Child(lambda: "first"), Child(sleeps)]
    try:
        wait_for(running, 600)  # or the alarm of this test ends it
        until(lambda: running[1].has_ended)  # its files are closed a moment before
        assert not running[0].has_ended
        wait_for([running[0], running[2]], 0.01)
        assert not running[0].has_ended
    finally:
        for child in running:
            child.kill()


@forked
def test_a_child_writes_nothing_to_the_terminal_not_even_what_was_buffered() -> None:
    program = (
        "import os; from bpcli.system import Child\n"
        "print('before', end=' ')\n"  # is in the buffer of both processes
        "def work():\n"
        "    print('child'); os.write(1, b'child'); os.write(2, b'child'); raise SystemExit\n"
        "child = Child(work); print(child.text(), child.fate)"
    )
    assert output_of(program, shell="2>&1") == "before None ended with status 0\n"


@forked
def test_children_that_have_ended_leave_no_open_files() -> None:
    def one() -> None:
        assert Child(lambda: "done").text() == "done"
        child = Child(sleeps)
        child.kill()
        child.text()

    one()
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(5):
        one()
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_where_processes_cannot_be_forked_the_work_is_done_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(children, "can_fork", lambda: False)
    done: list[int] = []

    def work() -> str:
        done.append(os.getpid())
        return "here"

    child = Child(work)
    assert done == [os.getpid()], "before `Child` returns"
    assert child.has_ended
    child.stop()
    child.kill()
    wait_for([child], 600)
    assert child.text() == "here"


@forked
def test_a_training_that_is_asked_to_stop_saves_its_run(tmp_path: Path) -> None:
    config = load(MOONS, "training.epochs=1000000", "training.stop={}", "training.log_every=1")
    child = Child(partial(run_training, Training(0, 0, None, config), tmp_path))
    run = Run(tmp_path / "0000-0")
    try:
        until(lambda: run.path(METRICS).is_file() and run.path(METRICS).stat().st_size)
        child.stop()
        assert child.text() == ""
    finally:
        child.kill()
    assert run.record().status == "interrupted"
    assert list(run.folder.glob("checkpoint-*"))


def is_gone(pid: int) -> bool:
    """Whether a process has ended, also if nobody has asked for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


PARENT = """
import os, signal, sys, time
from pathlib import Path
from bpcli.system import Child

def work(number):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Path(f"{number}.new").write_text(str(os.getpid()))
    os.rename(f"{number}.new", f"{number}.pid")
    while not Path("go").exists():
        time.sleep(0.005)
    return "went on"

signal.signal(signal.SIGINT, lambda *_: Path("heard").touch())
children = [Child(lambda number=number: work(number)) for number in range(3)]
print(*(child.text() for child in children), sep=", ")
"""


@contextlib.contextmanager
def a_parent(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with three children, in a process group of its own."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        until(lambda: len(list(folder.glob("*.pid"))) == 3 or parent.poll() is not None)
        yield parent
    finally:
        parent.kill()
        parent.wait()
        assert parent.stdout is not None
        parent.stdout.close()


@forked
def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with a_parent(tmp_path) as parent:
        pids = [int(path.read_text()) for path in tmp_path.glob("*.pid")]
        assert len(pids) == 3
        assert not any(map(is_gone, pids))
        parent.kill()
        until(lambda: all(map(is_gone, pids)))


@forked
def test_ctrl_c_in_the_terminal_does_not_reach_children(tmp_path: Path) -> None:
    with a_parent(tmp_path) as parent:
        os.killpg(parent.pid, signal.SIGINT)
        until((tmp_path / "heard").exists)
        (tmp_path / "go").touch()
        assert parent.stdout is not None
        assert parent.stdout.read() == "went on, went on, went on\n"
