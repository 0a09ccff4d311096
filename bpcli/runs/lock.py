"""A lock on a file that the kernel frees when the process ends, however it ends.

Such a lock belongs to the open file, of which a forked worker has a copy: it closes that, so that
the workers of a killed training do not keep its run locked until they notice.
"""

from __future__ import annotations

import os
import sys
import time
import weakref
from pathlib import Path

from bpcli.errors import RunError
from bpcli.runs.files import open_own

if sys.platform != "win32":  # which has no such locks: there, nobody holds one
    import fcntl

_TRIES = 20
_SECONDS_BETWEEN_TRIES = 0.01
"""Whoever only asks whether a lock is held holds it for a moment."""


class Lock:
    """Holds the lock on a file, in which the number of the process stands.

    Raises `RunError`, which begins with `what`, where another process holds it.
    """

    def __init__(self, path: Path, what: str) -> None:
        try:
            self._handle = open_own(path, os.O_RDWR)
        except OSError as error:
            raise RunError(f"{path} could not be written: {error.strerror}.") from None
        if not _take_patiently(self._handle):
            holder = os.read(self._handle, 20).decode("ascii", "replace").strip()
            os.close(self._handle)
            raise RunError(f"{what} by process {holder}: wait until that has ended, or end it.")
        _HELD.add(self)
        try:
            os.ftruncate(self._handle, 0)
            os.write(self._handle, f"{os.getpid()}\n".encode())
        except OSError as error:
            self.close()
            raise RunError(f"{path} could not be written: {error.strerror}.") from None

    def close(self) -> None:
        """Let go of it; the file stays, since another process may be about to lock it."""
        _HELD.discard(self)
        os.close(self._handle)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock on a file."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:  # such as of a run that was made before there were locks
        return False
    try:
        return not _take(handle, is_shared=True)
    finally:
        os.close(handle)


def _take_patiently(handle: int) -> bool:
    for _ in range(_TRIES):
        if _take(handle, is_shared=False):
            return True
        time.sleep(_SECONDS_BETWEEN_TRIES)
    return False


def _take(handle: int, is_shared: bool) -> bool:
    """True where the lock is this process's now, or the file system has none."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


_HELD: weakref.WeakSet[Lock] = weakref.WeakSet()


def _forget_all() -> None:
    """In a forked process: the locks are its parent's."""
    for lock in list(_HELD):
        lock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
