"""Pieces of a text: each ends with a row, and together they are the text."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bpcli.data.conversion import pieces
from bpcli.data.conversion.pieces import Piece, is_bytewise, pieces_of
from bpcli.data.files.delimited import layout_of
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.sniff import Layout

TEXT = "# title\nä,b\n" + "".join(f'{i},"é\n{i}"\n' for i in range(30))
DATA = TEXT.split("b\n", 1)[1]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "SIZE", 30)


def all_of(layout: Layout, offset: int | None = None) -> list[Piece]:
    found = []
    with pieces_of(layout, offset) as own:
        while True:
            size = 30
            while (piece := own.next(size)) is None:
                size *= 2
            own.skip(piece)
            found.append(piece)
            if piece.is_last:
                return found


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32", "gb18030"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_pieces_end_with_rows_and_can_be_read_from_any_of_them(
    tmp_path: Path, encoding: str, end: str
) -> None:
    path, text, data = tmp_path / "t.csv", TEXT.replace("\n", end), DATA.replace("\n", end)
    path.write_bytes(text.encode(encoding))
    layout = layout_of(path, Dialect(encoding=encoding))
    found = all_of(layout)
    assert "".join(piece.text for piece in found) == data
    assert len(found) > 5
    assert all(piece.text.endswith(f'"{end}') for piece in found)
    assert [piece.is_last for piece in found] == [False] * (len(found) - 1) + [True]
    for number, piece in enumerate(found[:-1], start=1):
        assert all_of(layout, piece.end) == found[number:]
    if is_bytewise(encoding):
        assert found[-1].end == path.stat().st_size


def test_a_packed_file_is_unpacked_up_to_the_place(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    layout = layout_of(path, Dialect())
    found = all_of(layout)
    assert all_of(layout, found[3].end) == found[4:]


def test_quotes_in_fields_do_not_hide_all_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f'{i}" pipe,{i}\n' for i in range(30)))
    layout = layout_of(path, Dialect())
    assert all(piece.text.endswith("\n") for piece in all_of(layout))
    assert len(all_of(layout)) > 5


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", True), ("utf-8-sig", True), ("gbk", True), ("shift_jis", True), ("cp1252", True),
        ("utf-16", False), ("utf-16-le", False), ("utf-32", False), ("iso2022_jp", False),
        ("utf-7", False), ("hz", False), ("cp037", False),
    ],
)  # fmt: skip
def test_which_encodings_have_line_breaks_as_bytes(encoding: str, expected: bool) -> None:
    assert is_bytewise(encoding) == expected
