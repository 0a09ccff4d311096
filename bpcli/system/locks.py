"""Locks on files, which end with the process that holds them."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

_LOCKED_BYTE = 2**30
"""Far behind all content: on Windows nobody else can read bytes that are locked."""


def take_lock(handle: int, *, is_shared: bool = False) -> bool:
    """Lock a file until its handle is closed; false where another handle has locked it.

    True also where the file system has no locks. Where `has_shared_locks` is false, all of them
    exclude each other.
    """
    try:
        import fcntl
    except ImportError:
        return _take_byte(handle)
    kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
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

    Windows does the latter in its own time. Elsewhere it belongs to a parent's handle too, if this
    process was forked: it stays until all are closed.
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
    """Lock or unlock one byte, which need not be there, as Windows does."""
    import msvcrt

    place = os.lseek(handle, 0, os.SEEK_CUR)
    os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(handle, getattr(msvcrt, mode), 1)  # type: ignore[attr-defined]  # of Windows
    finally:
        os.lseek(handle, place, os.SEEK_SET)
