"""Processes that are forked, replaced or ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from programs import BUFFERED, output_of

from bpcli import system

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such calls")


@pytest.mark.parametrize(
    ("platform", "has_fork", "expected"),
    [("linux", True, True), ("linux", False, False), ("darwin", True, False)],
)
def test_forking_is_safe_on_linux_alone(
    platform: str, has_fork: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    if has_fork:
        monkeypatch.setattr(os, "fork", lambda: 0, raising=False)
    else:
        monkeypatch.delattr(os, "fork", raising=False)
    assert system.can_fork() is expected


@pytest.mark.parametrize("platform", [sys.platform, "win32"])
def test_another_program_takes_the_place_of_this_one(platform: str) -> None:
    program = (
        "import os, subprocess, sys; from bpcli import system\n"
        f"sys.platform = {platform!r}\n"
        "print('before', end=' ')\n"  # in the buffer, which is not to be lost
        "system.restart([sys.executable, '-c', 'import os; print(os.environ[\"A\"]); exit(7)'],"
        " {**os.environ, 'A': 'after'})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=BUFFERED
    )
    assert (done.returncode, done.stdout) == (7, "before after\n"), done.stderr


def test_forking_is_not_safe_beside_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "fork", lambda: 0, raising=False)
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert not system.can_fork()


def test_nothing_is_run_after_leaving_and_nothing_is_lost() -> None:
    program = (
        "import atexit; from bpcli import system\n"
        "atexit.register(print, 'never')\n"
        "print('before', end=''); system.leave(5)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=BUFFERED
    )
    assert (done.returncode, done.stdout, done.stderr) == (5, "before", "")


@posix
def test_a_forked_process_begins_with_what_it_was_told() -> None:
    program = (
        "import os; from bpcli import system\n"
        "system.after_fork_in_child(lambda: os.write(1, b'child '))\n"
        "pid = os.fork()\n"
        "if pid == 0: os._exit(0)\n"
        "os.waitpid(pid, 0); os.write(1, b'parent')"
    )
    assert output_of(program) == "child parent"
