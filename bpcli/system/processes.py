"""Processes: forking, replacing by another program, ending."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from bpcli.system.streams import flush_streams


def can_fork() -> bool:
    """Whether forked workers are safe: on Linux, in a process without other threads."""
    if sys.platform != "linux" or not hasattr(os, "fork"):
        return False
    import threading

    return threading.active_count() == 1


def after_fork_in_child(act: Callable[[], None]) -> None:
    """Call `act` at the start of every forked process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=act)


def restart(arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by a program, given its path and arguments.

    On Windows, a caller that waits for this process would not wait for the new one. There, the
    program is a child process, and this one returns its exit code.
    """
    flush_streams()
    if sys.platform == "win32":
        leave(_exit_code_of(arguments, environment))
    else:
        os.execve(arguments[0], [*arguments], environment)


def _exit_code_of(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a child process to its end and return its exit code; only the child handles Ctrl-C."""
    import signal
    import subprocess

    signal.signal(signal.SIGINT, lambda *_: None)
    code = subprocess.run(arguments, env=environment, check=False).returncode
    return code if code < 2**31 else code - 2**32  # Windows has no negative exit codes


def leave(code: int) -> NoReturn:
    """End this process without Python's own shutdown."""
    flush_streams()
    os._exit(code)
