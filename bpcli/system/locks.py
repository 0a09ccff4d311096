"""Locks on files; they end with the process that holds them."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

_LOCKED_BYTE = 2**30
"""Far beyond all content, because on Windows other processes cannot read a locked byte."""


def take_lock(handle: int, *, is_shared: bool = False) -> bool:
    """Lock a file until its handle is closed; return False if another handle has locked it.

    Returns True also if the file system has no locks. Without `has_shared_locks`, every lock is
    exclusive.
    """
    try:
        import fcntl
    except ImportError:
        return _take_byte(handle)
    mode = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def has_shared_locks() -> bool:
    """Whether several handles can have a shared lock at once."""
    try:
        import fcntl
    except ImportError:
        return False
    return hasattr(fcntl, "LOCK_SH")


def close_locked(handle: int) -> None:
    """Close a file that may be locked, and release the lock.

    Without the explicit release, Windows would release it later. Elsewhere the lock of a forked
    process also belongs to its parent's handle and stays until all are closed.
    """
    if not has_shared_locks():
        with suppress(ImportError, OSError):
            _lock_byte(handle, "LK_UNLCK")
    os.close(handle)


def _take_byte(handle: int) -> bool:
    try:
        _lock_byte(handle, "LK_NBLCK")
    except ImportError:
        return True
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EDEADLK)
    return True


def _lock_byte(handle: int, mode: str) -> None:
    """Lock or unlock one byte by the call of Windows; the byte need not exist."""
    import msvcrt

    offset = os.lseek(handle, 0, os.SEEK_CUR)
    os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(handle, getattr(msvcrt, mode), 1)  # type: ignore[attr-defined]  # only on Windows
    finally:
        os.lseek(handle, offset, os.SEEK_SET)
