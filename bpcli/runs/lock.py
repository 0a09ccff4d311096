"""A lock on a file, which the kernel releases when the process ends in any way.

The lock belongs to the open file, which a forked worker inherits. The worker closes its copy, so
that the workers of a killed training do not keep the run locked.
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
"""The wait for a process that only tests the lock, and so holds it for a moment."""


class LockHeld(RunError):
    """Another process has the lock."""


class Lock:
    """Holds the lock on a file, which contains the number of the process.

    Waits for it for the given time. Raises `LockHeld`, which begins with `what`, if another process
    still holds it, and `RunError` if the file cannot be written.
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
        """Release the lock; the file stays, as another process may be about to lock it."""
        if self in _HELD:
            _HELD.discard(self)
            system.close_locked(self._handle)


def is_held(path: Path) -> bool:
    """True if a process holds the lock on a file."""
    try:
        handle = system.open_file(path, os.O_RDONLY)
    except OSError:  # for example, a run from before there were locks
        return False
    try:
        # Where locks cannot be shared, the holder may be a process that tests it too.
        seconds = 0.0 if system.has_shared_locks() else _PATIENCE_SECONDS / 2
        return not _take(handle, seconds, is_shared=True)
    finally:
        system.close_locked(handle)


def _take(handle: int, seconds: float, *, is_shared: bool = False) -> bool:
    """Take the lock, waiting for it for some seconds."""
    until = time.monotonic() + seconds
    while not system.take_lock(handle, is_shared=is_shared):
        if time.monotonic() >= until:
            return False
        time.sleep(_SECONDS_BETWEEN_TRIES)
    return True


_HELD: weakref.WeakSet[Lock] = weakref.WeakSet()


def _forget_all() -> None:
    """Close the copies of the parent's locks in a forked process."""
    for lock in list(_HELD):
        lock.close()


system.after_fork_in_child(_forget_all)
