"""Encodings that are found out."""

from __future__ import annotations

from pathlib import Path

import pytest
from frames import read_frame

from bpcli.data.files.delimited import layout_of
from bpcli.data.files.dialect import Dialect


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str | bytes, name: str = "t.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def rows_of(path: Path, **options: object) -> list[list[object]]:
    return read_frame(path, Dialect(**options)).to_numpy().tolist()


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("cp1252", "read as cp1252"),
        ("utf-16", "read as utf-16"),
    ],
)
def test_the_encoding_is_found_and_told_unless_it_is_utf_8(table, encoding, note) -> None:
    path = table("größe,wert\n1,süß\n".encode(encoding))
    notes = layout_of(path, Dialect()).notes
    assert [note in text for text in notes] == ([True] if note else [])
    assert rows_of(path) == [[1, "süß"]]
    assert list(read_frame(path, Dialect())) == ["größe", "wert"]


def test_bytes_that_windows_did_not_use_either_are_latin_1(table) -> None:
    path = table(b"a,b\n1,\x81\n")
    notes = layout_of(path, Dialect()).notes
    assert "latin-1" in notes[0]
    assert rows_of(path) == [[1, "\x81"]]
