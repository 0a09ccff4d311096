"""The rows of one or several files as they were read: a frame for each path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np

from bpcli.data.types import DataFrame
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

Read = TypeVar("Read")


@contextmanager
def naming(path: Path, key: str = "file") -> Iterator[None]:
    """Add the file's name, and the key that names the file, to a `DataError`."""
    try:
        yield
    except DataError as error:
        message, file = str(error), error.file or path.name
        if file not in message:
            message = f"{file}: {message}"
        is_of_another_key = error.key not in (None, "file")
        key = key if file == path.name else "split"
        error_type = type(error)
        raise error_type(message, error.key if is_of_another_key else key, file) from None


def rows_in(frames: Mapping[Path, DataFrame]) -> int:
    return sum(map(len, frames.values()))


def read_joined(
    frames: Mapping[Path, DataFrame], read: Callable[[DataFrame], Array], key: str = "file"
) -> Array:
    """The results for each file, concatenated; an error names its file."""
    pieces = read_each(frames, read, key)
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def read_each(
    frames: Mapping[Path, DataFrame], read: Callable[[DataFrame], Read], key: str = "file"
) -> list[Read]:
    """The results for each file; an error names its file, and that it is a split if not first."""
    pieces: list[Read] = []
    for path, frame in frames.items():
        with naming(path, "split" if pieces and key == "file" else key):
            pieces.append(read(frame))
    return pieces
