from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path

import pytest

from bpcli.errors import RunError
from bpcli.runs.sealed import SEAL, read_sealed, write_sealed

DOCUMENT = {"b": [1, 0.1, None, True, "中文\u2028"], "a": {"": -0.0, "x": 1e308}}


def test_a_document_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed(path, DOCUMENT)
    assert read_sealed(path) == DOCUMENT
    assert str(read_sealed(path)["a"][""]) == "-0.0"
    write_sealed(path, {"x": math.nan})  # JSON lacks it
    assert read_sealed(path) == {"x": None}


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed(path, DOCUMENT)
    content, read = path.read_bytes(), []
    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            with suppress(RunError):
                read.append(read_sealed(path))
    assert all(document == DOCUMENT for document in read)  # of white space alone
    assert len(read) < 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"b": []}, "its content does not match its `seal`"),
        ({"c": 1}, "its content does not match its `seal`"),
        ({SEAL: "0" * 64}, "its content does not match its `seal`"),
        ({SEAL: 5}, "its content does not match its `seal`"),
        ({SEAL: None}, "has no `seal`: an earlier version of bpnet wrote it, or it was removed"),
    ],
)
def test_a_change_is_said(change: dict[str, object], message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed(path, DOCUMENT)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RunError) as caught:
        read_sealed(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"3", b'{"a": NaN}', b'{"a": Infinity}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_document_is_damaged(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match="is damaged"):
        read_sealed(path)


def test_a_file_that_is_too_large_or_none_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(2**26 + 1)
    with pytest.raises(RunError, match="not a file of at most 64 MiB"):
        read_sealed(path)
    with pytest.raises(RunError, match="not a file of at most 64 MiB"):
        read_sealed(tmp_path)
