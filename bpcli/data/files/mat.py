"""MATLAB files, which are checked to be whole before scipy reads them.

If a damaged file has an unknown type, or too few numbers for an array, scipy ends the process with
a segmentation fault.
"""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any, BinaryIO

_HEADER, _TAG = 128, 8
_VERSION_7_3 = 2
_MATRIX, _COMPRESSED = 14, 15
_TYPES = {*range(1, 8), 9, *range(12, 19)}
"""The numbers that MATLAB gives to types of data, such as 9 for doubles."""
_MOST_IN_TAG = 4
_PARTS = {4: 4, 5: 6, **dict.fromkeys(range(6, 16), 4)}
"""The least elements of a matrix by its class (4 is text, 5 sparse): flags, sizes, name, data."""
_WHOLE, _COMPLEX = (5, 6), 0x800


def read_mat(path: Path, **options: Any) -> dict[str, Any]:
    """The variables of a file, with options of `scipy.io.loadmat`, which raises many exceptions.

    Sparse ones have a method `toarray`. Raises `ValueError` as `require_whole` does.
    """
    from scipy.io import loadmat

    require_whole(path)
    with warnings.catch_warnings():
        # Sparse matrices will be sparse arrays; the option that chooses is newer than scipy 1.11.
        warnings.filterwarnings("ignore", ".*`spmatrix`", DeprecationWarning)
        variables = loadmat(path, chars_as_strings=True, **options)
    return {name: value for name, value in variables.items() if not name.startswith("__")}


def require_whole(path: Path) -> None:
    """Raises `ValueError` if a file of version 5 has an element of unknown type, or is cut off."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
        if 0 in header[:4] or _VERSION_7_3 in header[124:126]:
            return  # versions 4 and 7.3 have another structure
        _require_elements(file, path.stat().st_size, "<" if header[126:] == b"IM" else ">")


def _require_elements(file: BinaryIO, end: int, order: str) -> list[int]:
    """The types of the elements up to the byte `end`; those within matrices are checked, too."""
    kinds = []
    while (start := file.tell()) + _TAG <= end:
        data_type, size = struct.unpack(f"{order}II", file.read(_TAG))
        in_tag = data_type >> 16  # the size of data small enough for the tag
        data_type, after = data_type & 0xFFFF, file.tell() + (0 if in_tag else size)
        if data_type not in _TYPES or after > end or in_tag > _MOST_IN_TAG:
            raise ValueError(f"no MATLAB data begins at byte {start + 1:,}")
        if data_type == _MATRIX and size:
            _require_parts(file, after, order)
        file.seek(after if in_tag or data_type == _COMPRESSED else after + -size % _TAG)
        kinds.append(data_type)
    return kinds


def _require_parts(file: BinaryIO, end: int, order: str) -> None:
    """Check that a matrix has the elements that its flags require, and at least two sizes."""
    start = file.tell()
    kinds = _require_elements(file, end, order)
    file.seek(start + _TAG)
    flags, _, sizes, length = struct.unpack(f"{order}IIII", file.read(2 * _TAG).ljust(2 * _TAG))
    array_class = flags & 0xFF
    needed = _PARTS.get(array_class, 0)
    has_parts = len(kinds) - kinds.count(_MATRIX) >= needed + (needed > 0 and flags & _COMPLEX > 0)
    if array_class <= max(_PARTS) and not (has_parts and sizes in _WHOLE and length >= _TAG):
        raise ValueError(f"the matrix at byte {start + 1:,} is incomplete")
