"""Reading a file at any place, by several processes and threads at the same time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TypeAlias


class FileChangedError(OSError):
    """A file has changed since it was opened."""


Stamp: TypeAlias = tuple[int, int, int, int]
"""What shows that a file has changed: its size, time of change, device and number there."""


def stamp_of(file: Path | int) -> Stamp:
    """The stamp of a file, by its path or its descriptor. Raises `OSError`."""
    facts = os.fstat(file) if isinstance(file, int) else file.stat()
    return facts.st_size, facts.st_mtime_ns, facts.st_dev, facts.st_ino


class OpenFile:
    """A file that one process reads, from any of its threads.

    After a fork the child opens the file anew: the two would share their read-ahead otherwise.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()

    def _open(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._process, self._stamp = os.getpid(), self._now()
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.close(self._descriptor)

    def read(self, offset: int, buffer: memoryview) -> None:
        """Fill the buffer. Raises `FileChangedError` if the file has changed; `OSError`."""
        if self._process != os.getpid():
            self._open_again()
        while len(buffer) and (count := self._read_some(offset, buffer)):
            offset, buffer = offset + count, buffer[count:]
        if len(buffer) or self._now() != self._stamp:
            raise FileChangedError("it has changed while it was being read")

    def _open_again(self) -> None:
        """Open the file in a forked process; it must be the same one."""
        inherited, stamp = self._descriptor, self._stamp
        self._open()
        os.close(inherited)
        if self._stamp != stamp:
            raise FileChangedError("it was replaced")

    def _read_some(self, offset: int, buffer: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._descriptor, [buffer], offset)
        with self._path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.readinto(buffer) or 0

    def _now(self) -> Stamp:
        return stamp_of(self._descriptor)
