"""Networks in MATLAB's .mat files: the variables IW, LW and b, as matrices or cells.

The network object itself is saved by MATLAB in a form that only MATLAB reads, so its parts are
saved: `IW = net.IW; LW = net.LW; b = net.b; save('net.mat', 'IW', 'LW', 'b')`. Settings of scales
are structs: `x1_step1`, or `inputs` and `outputs`, the cells `net.inputs{1}.processSettings` and
`net.outputs{2}.processSettings`. `transferFcns` is a cell of names.
"""

from __future__ import annotations

import re
import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.data.files.mat import read_mat
from bpcli.errors import ModelError
from bpcli.imports.model import ImportedModel
from bpcli.imports.named_weights import Named, model_of_names, spelled
from bpcli.text import first_of

_MOST_BYTES = 2**29
"""The most bytes of all variables, which may be compressed in the file: 512 MiB."""

_HEADER, _TAG, _COMPRESSED = 128, 8, 15
_V7_3 = b"\x00\x02"


def mat_model(content: bytes) -> ImportedModel:
    """The network in a .mat file. Raises `ModelError` if there is none."""
    if content[124:126] in (_V7_3, _V7_3[::-1]) and content[126:128] in (b"IM", b"MI"):
        version = content[124:126] if content[126:128] == b"IM" else content[125:123:-1]
        if version == _V7_3:
            raise ModelError(
                "MATLAB saved this file in version 7.3: save it again with "
                "save('net.mat', 'IW', 'LW', 'b', '-v7')."
            )
    _refuse_bombs(content)
    named: Named = {}
    variables = _variables(content)
    for name, value in variables.items():
        named |= dict(_named(name, value, 0))
    model = model_of_names("MATLAB .mat file", named)
    if model is None:
        names = first_of([f"`{name}`" for name in variables]) or "no variable"
        raise ModelError(
            f"it has {names}, but no weights `IW`: in MATLAB, write IW = net.IW; LW = net.LW; "
            "b = net.b; and save these."
        )
    return model


def _variables(content: bytes) -> dict[str, Any]:
    try:
        with tempfile.NamedTemporaryFile(suffix=".mat") as file:  # the check reads from a path
            file.write(content)
            file.flush()
            return read_mat(Path(file.name), struct_as_record=False)
    except Exception as error:  # scipy raises many types for damaged files
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(f"this is not a MATLAB file, or it is damaged: {said}.") from None


def _refuse_bombs(content: bytes) -> None:
    """Raise `ModelError` if compressed variables are larger than allowed."""
    order = "<" if content[126:128] == b"IM" else ">"
    position, total = _HEADER, 0
    while position + _TAG <= len(content):
        data_type, size = struct.unpack_from(f"{order}II", content, position)
        position += _TAG
        if data_type == _COMPRESSED:
            total += _inflated(content[position : position + size], _MOST_BYTES - total)
            if total >= _MOST_BYTES:
                raise ModelError(f"its variables have more than {_MOST_BYTES:,} bytes.")
            position += size
        else:
            position += size + -size % _TAG


def _inflated(data: bytes, most: int) -> int:
    """The bytes of compressed data, counted up to a number; damaged data is left to the reader."""
    stream, total, rest = zlib.decompressobj(), 0, data
    try:
        while rest and total < most:
            total += len(stream.decompress(rest, 2**20))
            rest = stream.unconsumed_tail
    except zlib.error:
        pass
    return total


_MOST_DEPTH = 4


def _named(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """The arrays and texts in a variable, in the spelling of `named_weights`."""
    if depth > _MOST_DEPTH:
        return
    if hasattr(value, "_fieldnames"):
        yield from _of_struct(name, value, depth)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        yield from _of_cells(name, value, depth)
    elif isinstance(value, np.ndarray) and value.dtype.kind in "US":
        text = "".join(map(str, value.ravel()))
        yield from _spelled(name, text)
    elif hasattr(value, "toarray") or isinstance(value, np.ndarray):
        yield from _of_numbers(name, value)


def _of_struct(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    prefix = "" if name in ("net", "network") else f"{name}."
    for field in value._fieldnames:
        yield from _named(f"{prefix}{field}", getattr(value, field), depth + 1)


def _of_cells(name: str, cells: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Cells of weights by their rows and columns, of biases, of settings or of names."""
    if cells.size == 1 and hasattr(cells.flat[0], "_fieldnames") and name not in _SETTINGS:
        yield from _named(name, cells.flat[0], depth + 1)
        return
    matrix = cells.reshape(len(cells), -1) if cells.ndim else cells.reshape(1, 1)
    for (row, column), cell in np.ndenumerate(matrix):
        number = max(row, column) + 1
        if name in ("IW", "LW"):
            is_used = isinstance(cell, np.ndarray) and cell.size > 0
            if is_used:
                yield from _named(f"{name}{{{row + 1},{column + 1}}}", cell, depth + 1)
        elif name in _SETTINGS:
            yield from _named(f"{_SETTINGS[name]}_step{number}", cell, depth + 1)
        elif name in ("b", "transferFcns", "transferFcn"):
            yield from _named(f"{name.removesuffix('s')}{{{number}}}", cell, depth + 1)


_SETTINGS = {"inputs": "x1", "outputs": "y1"}
"""The cells of processing settings, and what their steps are called."""


def _of_numbers(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    array = value.toarray() if hasattr(value, "toarray") else value
    if array.dtype.kind not in "biuf" or array.ndim > 2:
        return
    numbers = np.atleast_2d(np.asarray(array, np.float64))
    if spelled(_usual(name)) is not None and not np.isfinite(numbers).all():
        raise ModelError(f"`{name}` contains Inf or NaN: expected finite numbers.")
    yield from _spelled(name, numbers)


def _usual(name: str) -> str:
    return {"IW": "IW1_1", "LW": "LW2_1"}.get(name, name)


def _spelled(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The value under the usual spelling of its name; IW and LW alone are of layers 1 and 2."""
    known = spelled(_usual(name))
    yield known if known is not None and re.fullmatch(r"[\w.]+", known) else name, value
