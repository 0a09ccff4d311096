"""Reading a file at any place, by several processes and threads at the same time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class FileChangedError(OSError):
    """A file has changed since it was opened."""


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
            os.close(self._descriptor)
            self._open()
        while len(buffer) and (count := self._read_some(offset, buffer)):
            offset, buffer = offset + count, buffer[count:]
        if len(buffer) or self._now() != self._stamp:
            raise FileChangedError("it has changed while it was being read")

    def _read_some(self, offset: int, buffer: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._descriptor, [buffer], offset)
        with self._path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.readinto(buffer) or 0

    def _now(self) -> tuple[int, int]:
        """The size of the file, and the time of its last change."""
        facts = os.fstat(self._descriptor)
        return facts.st_size, facts.st_mtime_ns
