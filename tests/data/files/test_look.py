from __future__ import annotations

from pathlib import Path

import pytest

from bpcli.data.files.dialect import Dialect
from bpcli.data.files.look import look_at
from bpcli.errors import DataError


def written(tmp_path: Path, text: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "header", "why"),
    [
        ("a,b\n1,2\n3,4\n", True, "text above numbers"),
        ("1,2\n3,4\n", False, "a number, 1"),
        ("5.1,setosa\n4.9,setosa\n", False, "a number, 5.1"),
        ("setosa,5.1\nsetosa,4.9\n", False, "a number, 5.1"),
        ("a,2019\n1,2\n", False, "a number, 2019"),
        ("colour,size\nred,big\nblue,small\n", True, "is not repeated"),
        ("red,big\nblue,big\n", False, "is repeated below, big"),
        ("id,x\nred,1\nred,?\nred,3\n", True, "text above numbers"),
        (",x\n0,1\n1,2\n", True, "text above numbers"),
        ("?,x\n0,y\n1,z\n", False, "an entry for a missing value above numbers, ?"),
        ("a,b\n1,2\nx,4\ny,5\n", True, "text above numbers"),
        ("a\n1\n2\nx\n", True, "text above numbers"),
        ("a;b\n1,5;2\n3,5;4\n", True, "text above numbers"),
    ],
)
def test_the_header_is_guessed(tmp_path: Path, text: str, header: bool, why: str) -> None:
    look = look_at(written(tmp_path, text), Dialect(header=None))
    assert look.dialect.header == header
    assert why in look.why_header


def test_what_is_asked_for_is_not_guessed(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\nc,d\ne,f\n")
    look = look_at(path, Dialect(header=False, missing=("c",)), ("1",))
    assert (look.dialect.header, look.why_header) == (False, "as requested")
    assert (look.description.target, look.description.why_target) == ("x1", "as requested")
    assert look.description.rows == 3
    assert look.description.columns[0].missing == 1


def test_the_words_that_stand_for_missing_values_are_found(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,y\n1,?,p\n,x,q\n3,w,p\n4,NA,q\n")
    look = look_at(path, Dialect(header=None))
    assert [column.missing for column in look.description.columns] == [1, 2, 0]


def test_what_was_found_out_about_the_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("größe;y\n1;2\n3;4\n".encode("cp1252"))
    look = look_at(path, Dialect(header=None))
    assert (look.dialect.separator, look.dialect.encoding) == (";", "cp1252")
    assert look.dialect.columns == ("größe", "y")
    assert len(look.notes) == 2


def test_names_that_a_header_repeats_are_told_although_it_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "2019,2019,b\n1,2,3\n4,5,6\n")
    look = look_at(path, Dialect(header=True))
    assert look.dialect.columns == ("2019", "2019 (2)", "b")
    assert any("1 is numbered" in note for note in look.notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a,b\n", "no rows; see `header`"),
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 fields"),
        ("a\x1b[31m,b\n1,2\n", "control characters"),
        ("a,b\n1,\x00\n", "NUL"),
    ],
)
def test_a_file_that_is_no_table_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        look_at(written(tmp_path, text), Dialect(header=None))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        look_at(tmp_path / "no.csv", Dialect(header=None))
