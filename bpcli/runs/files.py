"""Files that are complete or absent, and array files with equal bytes for equal runs."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from bpcli import system
from bpcli.errors import RunError

if TYPE_CHECKING:
    from hashlib import _Hash as Hash


def write_atomically(path: Path, content: bytes | memoryview, *, syncs_folder: bool = True) -> None:
    """Write a file so that readers, even after a crash, see the old content or the new one.

    Raises `RunError` if that fails.
    """
    with atomic_file(path, syncs_folder=syncs_folder) as file:
        file.write(content)


@contextmanager
def atomic_file(path: Path, *, syncs_folder: bool = True) -> Iterator[BinaryIO]:
    """Open a file that gets its name only when it is complete.

    Temporary file beside it → write → fsync → rename → fsync of the folder. The last step makes all
    new names in the folder permanent, so a file that is written right afterwards may do it instead.
    Raises `RunError` if that fails; the temporary file is removed then, as after any exception.
    """
    temporary = temporary_name(path)
    try:
        _require_a_file(path)
        system.unlink(temporary)  # left by a killed process, or a link
        with temporary.open("xb") as file:
            yield file
            file.flush()
            system.sync_file(file.fileno())
        system.replace(temporary, path)
        if syncs_folder:
            system.sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            system.unlink(temporary)
        if isinstance(error, OSError):
            raise not_saved(path, error) from error
        raise


def temporary_name(path: Path) -> Path:
    """Return this process's own temporary path for a file, as others may write the same file."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def make_folder_of(path: Path) -> None:
    """Make the folder of a file. Raises `RunError` if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise RunError(f"{path} could not be saved: {path.parent} is a file.") from None
    except OSError as error:
        raise not_saved(path, error) from None


def _require_a_file(path: Path) -> None:
    """Refuse to replace a device or a pipe, such as /dev/null, which others use."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise RunError(f"{path} could not be saved: there is a device or a pipe of that name.")


def not_saved(path: Path, error: OSError) -> RunError:
    """Return the error for a file that could not be saved; a failed fsync cannot be retried."""
    lacks_folder = isinstance(error, FileNotFoundError) and not path.parent.exists()
    reason = f"there is no folder {path.parent}" if lacks_folder else error.strerror or error
    return RunError(f"{path} could not be saved: {reason}.")


class NotRead(RunError):
    """The system refuses to read a file, which may be intact."""


def not_read(path: Path, error: OSError) -> NotRead:
    """Return the error for a file that could not be read."""
    return NotRead(f"{path} cannot be read: {error.strerror or error}.")


def remove(path: Path) -> None:
    """Remove a file that has been replaced by another. Raises `RunError` if that fails."""
    try:
        system.unlink(path)
    except OSError as error:
        raise RunError(f"{path} could not be removed: {error.strerror}.") from None


def remove_unfinished(folder: Path) -> None:
    """Remove temporary files of killed processes; no process may be writing there."""
    for temporary in folder.glob(".*.tmp"):
        remove(temporary)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_first(path: Path, size: int) -> Hash:
    """Return the SHA-256 of the first `size` bytes of a file, or of all if it has fewer."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size and (piece := file.read(min(size, 2**20))):
            digest.update(piece)
            size -= len(piece)
    return digest


def to_json(value: Any, indent: int | None = 2) -> str:
    """Return JSON text in the given order; NaN and infinity become null."""
    try:
        return _encoder(indent).encode(value)
    except ValueError:
        return _encoder(indent).encode(_finite(value))


def strict_json(text: bytes | str) -> Any:
    """Parse JSON. Raises `ValueError` or `RecursionError` for what JSON does not allow."""
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"JSON has no {name}")


@cache
def _encoder(indent: int | None) -> json.JSONEncoder:
    """The encoder; made once, not for every line of a log."""
    return json.JSONEncoder(indent=indent, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def array_bytes(arrays: Mapping[str, npt.NDArray[Any]], meta: Any) -> bytes:
    """Return a safetensors file; `meta` is JSON under one key, so that bytes repeat."""
    from safetensors.numpy import save

    # Not `ascontiguousarray`, which turns a scalar into an array of shape (1,).
    tensors = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = json.dumps(meta, sort_keys=True, ensure_ascii=False, allow_nan=False)
    content: bytes = save(tensors, {"bpnet": text})
    return content


def load_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], Any]:
    """Read what `array_bytes` made. Raises `RunError` if the file is missing or damaged."""
    from safetensors import safe_open

    if path.exists() and not path.is_file():  # a pipe might never open
        raise RunError(f"{path} is damaged or was not written by bpnet: it is not a file.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = strict_json((file.metadata() or {})["bpnet"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise RunError(f"{path} is missing.") from None
    except MemoryError:
        raise
    except Exception as error:  # many types, also for dtypes unknown to numpy
        raise RunError(f"{path} is damaged or was not written by bpnet: {error}") from None
    for name, array in arrays.items():
        if array.dtype not in _DTYPES:
            raise RunError(
                f"{path} is damaged or was not written by bpnet: `{name}` has type {array.dtype}."
            )
    return arrays, metadata


_DTYPES = [np.dtype(name) for name in ("f4", "f8", "i4", "i8", "?")]


_CLOSED = -1


class GrowingFile:
    """A file that grows by whole pieces, after it was truncated to `size` bytes.

    Its digest is that of the bytes written, even if the disk stores others. Every method raises
    `RunError` if the system refuses it.
    """

    def __init__(self, path: Path, size: int = 0) -> None:
        self._path = path
        try:
            self._handle = system.open_file(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            self._digest = digest_of_first(path, size)
            os.ftruncate(self._handle, size)
        except OSError as error:
            raise self._failure(error) from None
        self.size = self._synced = size
        self._before = (size, self._digest)

    def grow(self, content: bytes | memoryview) -> None:
        """Append a piece, or nothing of it."""
        try:
            rest = content
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError as error:
            os.ftruncate(self._handle, self.size)  # whole pieces only
            raise self._failure(error) from None
        self._before = (self.size, self._digest.copy())
        self.size += len(content)
        self._digest.update(content)

    def digest(self, size: int | None = None) -> str:
        """Return the SHA-256 of the file: of its size now, or that before the latest piece."""
        known = dict([self._before, (self.size, self._digest)])
        return known[self.size if size is None else size].hexdigest()

    def sync(self) -> None:
        """Sync the file to the disk."""
        if self.size == self._synced:
            return
        try:
            system.sync_file(self._handle)
        except OSError as error:
            raise self._failure(error) from None
        self._synced = self.size

    def close(self) -> None:
        """Close the file, unless it is closed already."""
        handle, self._handle = self._handle, _CLOSED
        if handle != _CLOSED:
            os.close(handle)

    def _failure(self, error: OSError) -> RunError:
        return RunError(f"{self._path} could not be written: {error.strerror}.")
