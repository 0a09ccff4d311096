"""Read a file of another program: its kind is that of its name's ending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bpcli.errors import ModelError
from bpcli.imports.json_file import json_model
from bpcli.imports.matlab import matlab_model
from bpcli.imports.model import ImportedModel

_MOST_BYTES = 2**28
"""The largest file that is read: 256 MiB. A network of a million weights takes 20 MB as text."""


def _mat(content: bytes) -> ImportedModel:
    from bpcli.imports.mat_file import mat_model  # it imports scipy

    return mat_model(content)


def _onnx(content: bytes) -> ImportedModel:
    from bpcli.imports.onnx_file import onnx_model  # it imports onnx

    return onnx_model(content)


def _text(read: Callable[[str], ImportedModel]) -> Callable[[bytes], ImportedModel]:
    return lambda content: read(_decoded(content))


def _decoded(content: bytes) -> str:
    """The text of a file, in UTF-8 or, as older versions of MATLAB write, in any other encoding.

    Only comments and texts can have other letters than ASCII.
    """
    text = content.decode("utf-8-sig", "replace")
    if "\0" in text:
        raise ModelError("this is not a text file.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


READERS: Mapping[str, Callable[[bytes], ImportedModel]] = {
    ".m": _text(matlab_model),
    ".mat": _mat,
    ".onnx": _onnx,
    ".json": _text(json_model),
}


def read_model(path: Path) -> tuple[ImportedModel, bytes]:
    """The network in a file, and the file's content.

    Raises `ModelError`, with the path, if the file cannot be read or has no network that bpnet can
    compute.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        *most, last = READERS
        raise ModelError(f"{path}: expected a file that ends in {', '.join(most)} or {last}.")
    content = _content(path)
    try:
        return reader(content), content
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    except (RecursionError, MemoryError):
        raise ModelError(f"{path}: it is too large, or nested too deeply.") from None


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ModelError(f"{path} is a folder: name a file.")
        if not path.is_file():
            raise ModelError(f"There is no file {path}.")
        if path.stat().st_size > _MOST_BYTES:
            raise ModelError(f"{path} has more than {_MOST_BYTES:,} bytes.")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from None
