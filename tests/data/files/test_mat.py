"""Damaged MATLAB files are found before scipy reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from bpcli.data.files.array_files import load_arrays
from bpcli.data.files.mat import require_whole
from bpcli.errors import DataError

ARRAYS = {
    "X": np.arange(60.0).reshape(30, 2),
    "words": np.array(["a", "bcdefgh"], object),
    "s": {"inner": np.arange(3), "t": "text"},
}


def saved(path: Path, **options: object) -> bytes:
    scipy.io.savemat(
        path, ARRAYS if options.get("format") != "4" else {"X": ARRAYS["X"]}, **options
    )
    return path.read_bytes()


@pytest.mark.parametrize("options", [{}, {"do_compression": True}, {"format": "4"}], ids=str)
def test_what_is_whole_is_read(tmp_path: Path, options: dict[str, object]) -> None:
    saved(tmp_path / "t.mat", **options)
    require_whole(tmp_path / "t.mat")
    assert load_arrays(tmp_path / "t.mat")["X"].shape == (30, 2)


@pytest.mark.parametrize("kind", [0, 8, 10, 11, 19, 25, 255])
def test_data_of_no_type_do_not_end_the_process(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "t.mat"
    content = bytearray(saved(path))
    assert content[176] == 9  # the type of the numbers, behind flags, sizes and name
    content[176] = kind
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged: no MATLAB data begins at byte 177"):
        load_arrays(path)


@pytest.mark.parametrize("flags", [b"\x05\0", b"\x06\x08"], ids=["sparse", "complex"])
def test_a_matrix_without_the_data_of_its_kind_does_not_end_the_process(
    tmp_path: Path, flags: bytes
) -> None:
    path = tmp_path / "t.mat"
    content = bytearray(saved(path))
    assert content[144] == 6  # a full matrix of doubles
    content[144:146] = flags
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged: the matrix at byte 137 is incomplete"):
        load_arrays(path)


def test_a_matrix_with_one_size_does_not_end_the_process(tmp_path: Path) -> None:
    path = tmp_path / "t.mat"
    content = bytearray(saved(path))
    assert content[152:160] == b"\5\0\0\0\10\0\0\0"  # two sizes of four bytes
    content[156] = 4
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged: the matrix at byte 137 is incomplete"):
        load_arrays(path)


@pytest.mark.parametrize("size", [2**16, 2**32 - 1])
def test_data_that_end_behind_their_matrix_are_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "t.mat"
    content = bytearray(saved(path))
    content[180:184] = size.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged: no MATLAB data begins at byte 177"):
        load_arrays(path)
