"""Files: safe opening, syncing, renaming and removing, and how many may be open."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pathlib import Path  # takes longer to import than this module

Result = TypeVar("Result")


def open_file(path: Path, flags: int) -> int:
    """Open a binary file and return its handle; create it if the flags say so.

    Raises `OSError` for a symbolic link, which may lead to another folder; for a pipe, which might
    block; and, when writing, for a file with several hard links, as it is then another file too.
    """
    for name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"):
        flags |= getattr(os, name, 0)
    if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if not hasattr(os, "O_NONBLOCK") and path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    handle = os.open(path, flags, 0o666)
    if flags & (os.O_WRONLY | os.O_RDWR) and os.fstat(handle).st_nlink > 1:
        os.close(handle)
        raise OSError(
            errno.EMLINK, "it is a hard link, so another file would change too", str(path)
        )
    return handle


def sync_file(handle: int) -> None:
    """Write a file's content to the disk.

    On macOS, fsync alone leaves it in the disk's own cache.
    """
    if sys.platform == "darwin" and _is_fully_synced(handle):
        return
    os.fsync(handle)


def _is_fully_synced(handle: int) -> bool:
    """Sync by the call of macOS; return False if the file system does not support it."""
    try:
        import fcntl

        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined]  # only on macOS
    except (ImportError, AttributeError):
        return False
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return False
        raise
    return True


_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.ENOTTY, errno.EOPNOTSUPP)


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk, so that a file's new name persists.

    Windows cannot open folders, and some file systems have no such call.
    """
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EBADF, *_UNSUPPORTED):
            raise
    finally:
        os.close(handle)


def replace(source: Path, target: Path) -> None:
    """Rename a file and replace the target."""
    _patiently(lambda: source.replace(target))


def rename(source: Path, target: Path) -> Path:
    """Rename a file or folder."""
    return _patiently(lambda: source.rename(target))


def unlink(path: Path) -> None:
    """Remove a file if it exists."""
    _patiently(lambda: path.unlink(missing_ok=True))


def pins_open_files() -> bool:
    """Whether an open file and its folder can be neither removed nor renamed."""
    return sys.platform == "win32"


_PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.01


def _patiently(act: Callable[[], Result]) -> Result:
    """Call `act`; on Windows, retry for a while, because a file cannot change while it is read."""
    until = monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return act()
        except PermissionError:
            if not pins_open_files() or monotonic() > until:
                raise
        sleep(_PAUSE_SECONDS)


def has_room_for_files(count: int) -> bool:
    """Whether this process may open `count` more files."""
    handles: list[int] = []
    try:
        while len(handles) < count:
            handles.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return False
    finally:
        for handle in handles:
            os.close(handle)
    return True


def most_open_files() -> float:
    """The number of files that this process may have open at once."""
    try:
        import resource
    except ImportError:
        return float("inf")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return float("inf") if limit == resource.RLIM_INFINITY else limit
