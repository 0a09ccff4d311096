"""A lock on a file that the kernel frees when the process ends, however it ends.

Such a lock belongs to the open file, of which a forked worker has a copy: it closes that, so that
the workers of a killed training do not keep its run locked until they notice.
"""

from __future__ import annotations

import os
import time
import weakref
from pathlib import Path

from bpcli import system
from bpcli.errors import RunError

_SECONDS_BETWEEN_TRIES = 0.01
_PATIENCE_SECONDS = 0.2
"""Whoever only asks whether a lock is held holds it for a moment."""


class LockHeld(RunError):
    """Another process has the lock."""


class Lock:
    """Holds the lock on a file, in which the number of the process stands.

    Waits for it as long as said. Raises `LockHeld`, which begins with `what`, where another process
    holds it still, `RunError` where the file cannot be written.
    """

    def __init__(self, path: Path, what: str, seconds: float = _PATIENCE_SECONDS) -> None:
        try:
            self._handle = system.open_file(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise RunError(f"{path} could not be written: {error.strerror}.") from None
        if not _take(self._handle, seconds):
            holder = os.read(self._handle, 20).decode("ascii", "replace").strip()
            os.close(self._handle)
            raise LockHeld(f"{what} by process {holder}: wait until that has ended, or end it.")
        _HELD.add(self)
        try:
            os.ftruncate(self._handle, 0)
            os.write(self._handle, f"{os.getpid()}\n".encode())
        except OSError as error:
            self.close()
            raise RunError(f"{path} could not be written: {error.strerror}.") from None

    def close(self) -> None:
        """Let go of it; the file stays, since another process may be about to lock it."""
        if self in _HELD:
            _HELD.discard(self)
            system.close_locked(self._handle)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock on a file."""
    try:
        handle = system.open_file(path, os.O_RDONLY)
    except OSError:  # such as of a run that was made before there were locks
        return False
    try:
        # Where locks cannot be shared, it may be one who asks the same.
        seconds = 0.0 if system.has_shared_locks() else _PATIENCE_SECONDS / 2
        return not _take(handle, seconds, is_shared=True)
    finally:
        system.close_locked(handle)


def _take(handle: int, seconds: float, *, is_shared: bool = False) -> bool:
    """Take the lock, which may take some seconds."""
    until = time.monotonic() + seconds
    while not system.take_lock(handle, is_shared=is_shared):
        if time.monotonic() >= until:
            return False
        time.sleep(_SECONDS_BETWEEN_TRIES)
    return True


_HELD: weakref.WeakSet[Lock] = weakref.WeakSet()


def _forget_all() -> None:
    """In a forked process: the locks are its parent's."""
    for lock in list(_HELD):
        lock.close()


system.after_fork_in_child(_forget_all)
