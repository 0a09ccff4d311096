"""Children: what they return, how they end, and what they do not outlive."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import output_of
from small_configs import MOONS, load
from work import forked_children, no_hang

from bpcli.runs.layout import METRICS
from bpcli.runs.store import Run
from bpcli.sweeps.training import Training, run_training
from bpcli.system import Child, children, wait_for

forked = pytest.mark.skipif(sys.platform != "linux", reason="children are forked on Linux alone")


@pytest.fixture(autouse=True)
def _forked_and_never_for_ever(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Other tests of this process may have left threads, so that forking is avoided otherwise."""
    monkeypatch.setattr(children, "can_fork", lambda: sys.platform == "linux")
    with no_hang():
        yield


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def sleeps(_: str) -> str:
    time.sleep(600)
    return "never"


def exits(_: str) -> str:
    sys.exit(3)


def raises(_: str) -> str:
    raise ValueError("wrong")


@contextlib.contextmanager
def a_child(work: Callable[[str], str], name: str = "") -> Iterator[Child]:
    """A child that has begun to work."""
    child = Child(work)
    try:
        child.begin(name)
        yield child
    finally:
        child.close()


def test_the_answers_of_a_child_come_back_one_after_another() -> None:
    here = os.getpid()

    def work(name: str) -> str:
        return f"{name} {os.getpid() == here}"

    with a_child(work, "ünï") as child:
        assert child.answer() == f"ünï {not children.can_fork()}"
        child.begin("second")
        assert child.answer() == f"second {not children.can_fork()}"


@forked
def test_one_process_does_all_pieces_of_work() -> None:
    with a_child(lambda _: str(os.getpid())) as child:
        first = child.answer()
        child.begin("")
        assert child.answer() == first
        assert not child.has_answer
        assert not child.has_ended


@forked
def test_a_child_that_was_killed_has_no_answer_but_a_fate() -> None:
    with a_child(sleeps) as child:
        assert not child.has_answer
        os.kill(pid_of(child), signal.SIGKILL)
        until(lambda: child.has_answer)
        assert (child.answer(), child.fate) == (None, "was killed by signal 9")
        assert child.has_ended


def pid_of(child: Child) -> int:
    return int(child._process.pid)


@forked
@pytest.mark.parametrize(("work", "status"), [(exits, 3), (raises, 1)])
def test_a_child_that_fails_has_the_status_as_its_fate(
    work: Callable[[str], str], status: int
) -> None:
    with a_child(work) as child:
        assert (child.answer(), child.fate) == (None, f"ended with status {status}")


@forked
def test_a_child_that_was_killed_between_two_pieces_of_work_has_no_second_answer() -> None:
    """And the pipe that is broken then is no error: that of stdout ends a command in silence."""
    with a_child(lambda name: name, "first") as child:
        assert child.answer() == "first"
        os.kill(pid_of(child), signal.SIGKILL)
        until(lambda: child.has_ended)
        child.begin("second")
        assert child.has_answer
        assert (child.answer(), child.fate) == (None, "was killed by signal 9")


@forked
def test_a_child_that_was_killed_in_the_middle_of_an_answer_has_none() -> None:
    with a_child(lambda _: 10_000_000 * "x") as child:
        until(lambda: child.has_answer)  # its first part fits into the pipe
        os.kill(pid_of(child), signal.SIGKILL)
        until(lambda: child.has_ended)
        assert child.answer() is None


@forked
def test_an_answer_may_be_longer_than_the_pipe() -> None:
    with a_child(lambda _: 10_000_000 * "x") as child:
        wait_for([child], 600)
        assert child.answer() == 10_000_000 * "x"


@forked
def test_an_answer_may_have_letters_that_no_encoding_has() -> None:
    with a_child(lambda _: "a\ud800b") as child:
        is_escaped = child.answer() == "a\\ud800b"  # xdist cannot send the letter
        assert is_escaped


@forked
def test_waiting_ends_when_the_first_child_has_an_answer() -> None:
    with a_child(sleeps) as one, a_child(lambda _: "first") as two, a_child(sleeps) as three:
        wait_for([one, two, three], 600)  # or the alarm of this test ends it
        assert [child.has_answer for child in (one, two, three)] == [False, True, False]
        wait_for([one, three], 0.01)
        assert not one.has_answer
        os.kill(pid_of(three), signal.SIGKILL)
        wait_for([one, three], 600)
        assert three.has_answer


@forked
def test_a_child_writes_nothing_to_the_terminal_not_even_what_was_buffered() -> None:
    program = (
        "import os; from bpcli.system import Child\n"
        "print('before', end=' ')\n"  # is in the buffer of both processes
        "def work(_):\n"
        "    print('child'); os.write(1, b'child'); os.write(2, b'child'); raise SystemExit\n"
        "child = Child(work); child.begin(''); print(child.answer(), child.fate)"
    )
    assert output_of(program, shell="2>&1") == "before None ended with status 0\n"


@forked
def test_children_that_are_closed_leave_no_process_and_no_open_files() -> None:
    def several() -> None:
        with a_child(sleeps), a_child(lambda name: name) as child, a_child(raises) as other:
            assert (child.answer(), other.answer()) == ("", None)

    several()
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(5):
        several()
    assert forked_children() == []
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_where_processes_cannot_be_forked_the_work_is_done_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(children, "can_fork", lambda: False)
    done: list[str] = []

    def work(name: str) -> str:
        done.append(f"{name} {os.getpid()}")
        return name

    with a_child(work, "here") as child:
        assert done == [f"here {os.getpid()}"], "before `begin` returns"
        assert child.has_answer
        assert not child.has_ended
        child.stop()
        wait_for([child], 600)
        assert child.answer() == "here"
        child.begin("again")
        assert child.answer() == "again"


@forked
def test_a_training_that_is_asked_to_stop_saves_its_run(tmp_path: Path) -> None:
    config = load(MOONS, "training.epochs=1000000", "training.stop={}", "training.log_every=1")
    run = Run(tmp_path / "0000-0")
    with a_child(lambda _: run_training(Training(0, 0, None, config), tmp_path)) as child:
        until(lambda: run.path(METRICS).is_file() and run.path(METRICS).stat().st_size)
        child.stop()
        assert child.answer() == ""
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
children = [Child(work) for _ in range(3)]
for number, child in enumerate(children):
    child.begin(str(number))
print(*(child.answer() for child in children), sep=", ")
for child in children:
    child.close()
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
