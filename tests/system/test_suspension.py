"""Signals of a terminal, sent to a process that has none and so is never really suspended."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bpcli.system import is_in_foreground

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTSTP")

LISTENER = """
import os, signal, sys, threading
from bpcli import system

class Listener:
    def __init__(self, name):
        self.name = name
    def suspend(self):
        print("suspend", self.name)
    def resume(self):
        print("resume", self.name)
    def resize(self):
        print("resize", self.name)

def stop():
    signal.raise_signal(signal.SIGTSTP)

a, b = Listener("a"), Listener("b")
"""


def printed(program: str) -> list[str]:
    """What a program prints: in a session of its own, the system ignores SIGTSTP by default."""
    done = subprocess.run(
        [sys.executable, "-c", LISTENER + textwrap.dedent(program)],
        capture_output=True, text=True, check=True, start_new_session=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_listeners_are_told_in_reverse_order_and_back() -> None:
    program = """
    system.on_suspension(a); system.on_suspension(b); system.on_suspension(a)
    stop()
    signal.raise_signal(signal.SIGWINCH)
    system.off_suspension(a)
    stop()
    system.off_suspension(b); system.off_suspension(b)
    print(signal.getsignal(signal.SIGTSTP) == signal.getsignal(signal.SIGWINCH) == signal.SIG_DFL)
    """
    assert printed(program) == [
        "suspend b", "suspend a", "resume a", "resume b", "resize a", "resize b",
        "suspend b", "resume b", "True",
    ]  # fmt: skip


def test_a_signal_waits_for_the_end_of_a_block() -> None:
    program = """
    system.on_suspension(a)
    with system.suspension_postponed:
        with system.suspension_postponed:
            stop()
        print("still in the block")
    """
    assert printed(program) == ["still in the block", "suspend a", "resume a"]


def test_a_signal_that_arrives_in_a_listener_waits_for_it() -> None:
    program = """
    class Slow(Listener):
        def resize(self):
            stop()
            print("resized", self.name)
    system.on_suspension(Slow("c"))
    signal.raise_signal(signal.SIGWINCH)
    """
    assert printed(program) == ["resized c", "suspend c", "resume c"]


@pytest.mark.parametrize("handler", ["signal.SIG_IGN", "print"])
def test_a_program_that_handles_ctrl_z_itself_keeps_its_handler(handler: str) -> None:
    program = f"""
    signal.signal(signal.SIGTSTP, {handler})
    system.on_suspension(a)
    system.off_suspension(a)
    print(signal.getsignal(signal.SIGTSTP) == {handler})
    """
    assert printed(program) == ["True"]


def test_another_thread_is_told_nothing() -> None:
    program = """
    thread = threading.Thread(target=system.on_suspension, args=[a])
    thread.start(); thread.join()
    print(signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL)
    """
    assert printed(program) == ["True"]


def test_a_forked_process_does_not_act_for_its_parent() -> None:
    program = """
    system.on_suspension(a)
    sys.stdout.flush()
    if os.fork() == 0:
        stop()
        signal.raise_signal(signal.SIGWINCH)
        print("child")
        sys.stdout.flush()
        os._exit(0)
    os.wait()
    stop()
    """
    assert printed(program) == ["child", "suspend a", "resume a"]


def test_what_is_no_terminal_is_in_the_foreground() -> None:
    assert is_in_foreground(io.StringIO())
    closed = io.StringIO()
    closed.close()
    assert is_in_foreground(closed)
    with Path(os.devnull).open() as nowhere:
        assert is_in_foreground(nowhere)
