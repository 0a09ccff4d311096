"""Rows of a text, piece by piece: numbers of rows and lines go on, and what ends a reading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bpcli.data.conversion import pieces, rows
from bpcli.data.conversion.rows import ReadPosition, SomeRows, rows_from
from bpcli.data.files.delimited import layout_of
from bpcli.data.files.dialect import Dialect
from bpcli.errors import DataError


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pieces, rows):
        monkeypatch.setattr(module, "SIZE", 40)
        monkeypatch.setattr(module, "MOST", 1000)


def read(path: Path, position: ReadPosition | None = None, **signs: Any) -> list[SomeRows]:
    layout = layout_of(path, Dialect(comment="#").with_signs(signs))
    return list(rows_from(layout, position or ReadPosition(), lambda: ["b"]))


def table(path: Path, *, end: str = "") -> Path:
    path.write_text("a,b,c\n" + "".join(f"{i},0{i},{i}\n" for i in range(40)) + end)
    return path


def test_rows_go_on_from_any_place(tmp_path: Path) -> None:
    found = read(table(tmp_path / "t.csv"))
    numbers = [number for each in found for number in each.frame.index]
    assert numbers == list(range(40))
    assert [each.frame["b"].iloc[0] for each in found[:2]] == ["00", "05"]
    for count, each in enumerate(found, start=1):
        rest = read(tmp_path / "t.csv", each.after)
        assert [some.after for some in rest] == [some.after for some in found[count:]]
        assert all(a.frame.equals(b.frame) for a, b in zip(rest, found[count:], strict=True))
    assert found[-1].after.is_end
    assert found[-1].after.line == 40


@pytest.mark.parametrize("end", ["# comment\n" * 40, "\n" * 400])
def test_comments_and_blank_lines_at_the_end_are_no_rows(tmp_path: Path, end: str) -> None:
    found = read(table(tmp_path / "t.csv", end=end))
    assert sum(len(each.frame) for each in found) == 40
    assert found[-1].after.row == 40


def test_what_was_ignored_is_counted_over_all_pieces(tmp_path: Path) -> None:
    found = read(table(tmp_path / "t.csv", end=",,\n1,2,3\n" * 20))
    state = found[-1].after.cleaned
    assert state is not None
    assert state["ignored"] == {"without any value": 20}


def test_a_note_between_the_rows_is_refused_wherever_a_piece_ends(tmp_path: Path) -> None:
    rows_of_data = [f"{i},{i},{i}\n" for i in range(20)]
    for row in range(5, 15):
        lines = ["a,b,c\n", *rows_of_data[:row], "Source: somebody\n", *rows_of_data]
        (tmp_path / "t.csv").write_text("".join(lines))
        with pytest.raises(DataError, match=f"row {row + 1} has 1 fields, the others have 3"):
            read(tmp_path / "t.csv")


def test_an_error_has_the_line_of_the_file(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", end="1,2,3,4\n" + "1,2,3\n" * 20)
    with pytest.raises(DataError, match="line 42 has 4 fields, the others have 3"):
        read(path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (500, "the row at line 42 is longer than 0 MB, or opens a quote that is never closed"),
        (5, "line 42 opens a quote that is never closed"),
    ],
)
def test_a_quote_that_is_never_closed_ends_the_reading_soon(
    tmp_path: Path, more: int, said: str
) -> None:
    layout = layout_of(table(tmp_path / "t.csv"), Dialect())
    table(tmp_path / "t.csv", end='1,"2,3\n' + "1,2,3\n" * more)  # far below what is examined first
    with pytest.raises(DataError, match=said):
        list(rows_from(layout, ReadPosition(), list))


def test_lines_to_leave_out_at_the_end_must_be_in_the_last_piece(tmp_path: Path) -> None:
    found = read(table(tmp_path / "t.csv"), skip_last=2)
    assert sum(len(each.frame) for each in found) == 38
    with pytest.raises(DataError, match="`skip_last` is 30 lines, more than the last"):
        read(tmp_path / "t.csv", skip_last=30)


def test_a_byte_of_another_encoding_is_named(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv")
    layout = layout_of(path, Dialect())
    path.write_bytes(path.read_bytes() + b"1,\xff,3\n")
    layout = replace(layout, dialect=replace(layout.dialect, encoding="utf-8"))
    with pytest.raises(DataError, match="byte 379 is not utf-8: invalid start byte; see `encod"):
        list(rows_from(layout, ReadPosition(), list))
