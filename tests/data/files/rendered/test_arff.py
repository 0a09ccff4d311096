"""Weka's format: what it declares, and all the ways in which Weka writes and reads its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import MISSING, Dialect
from bpcli.data.files.look import look_at
from bpcli.data.files.rendered import rendering
from bpcli.data.types import DataFrame
from bpcli.data.values import kind_of
from bpcli.errors import DataError


def written(path: Path, attributes: str, rows: str, encoding: str = "utf-8") -> Path:
    lines = "\n".join(f"@attribute {each}" for each in attributes.split("; "))
    path.write_text(f"% a comment\n@RELATION r\n\n{lines}\n@data\n{rows}\n", encoding)
    return path


def frame_of(path: Path, attributes: str, rows: str) -> DataFrame:
    return read(layout_of(written(path / "t.arff", attributes, rows), Dialect()))[0]


def text_of(path: Path, attributes: str, rows: str) -> str:
    return rendering(written(path / "t.arff", attributes, rows)).text.decode()


@pytest.mark.parametrize(
    ("attributes", "rows"),
    [
        ("a numeric; c {x,y}", "1,x\n2,y"),
        ("'a' REAL; \"c\" {'x',\"y\"}", "1,'x'\n2,\"y\""),
        ("a Integer; c { x , y }", "1, x\n2 , y "),
        ("a numeric; c{x, y}", "1\tx\n2\ty"),
        ("a numeric; c {x y}", "% none\n1 x\n\n  2,\ty,"),
        ("a numeric; c {x,y}", "{0 1, 1 x}\n{1 y, 0 2}"),
        ("a numeric; c {x,y}", "{0 1}\n{ 0 2 , 1 'y' }"),
    ],
)
def test_the_ways_to_write_one_table(tmp_path: Path, attributes: str, rows: str) -> None:
    assert text_of(tmp_path, attributes, rows) == "a,c\n1,x\n2,y\n"


@pytest.mark.parametrize(
    ("attributes", "rows", "csv"),
    [
        ("'sepal length' real; c {'Iris a',b}", "1,'Iris a'", "sepal length,c\n1,Iris a\n"),
        ("c {New York,Boston}; a real", "New York,1", "c,a\nNew York,1\n"),
        ("c {'a, b','it\\'s'}; a real", "'a, b',1\n'it\\'s',2", 'c,a\n"a, b",1\nit\'s,2\n'),
        ("s string; a real", "'two\\nlines',1\ndon't,2", "s,a\ntwo lines,1\ndon't,2\n"),
        ("d date 'yyyy-MM-dd'; a real", "'2020-01-31',1", "d,a\n2020-01-31,1\n"),
        ("c {größe,ä}; a real", "größe,1\nä,2", "c,a\ngröße,1\nä,2\n"),
        ("a real; b real; s string", "{}\n{1 -2.5}", "a,b,s\n0,0,\n0,-2.5,\n"),
        ("a real; c {x}", "?,x\nNaN,?\n1e3,x", "a,c\n,x\n,\n1e3,x\n"),
        ("c {'?',x}; a real", "'?',1\n?,2", "c,a\n?,1\n,2\n"),
        ("a real; b real", ",1\n2,", "a,b\n,1\n2,\n"),
    ],
)
def test_names_and_values(tmp_path: Path, attributes: str, rows: str, csv: str) -> None:
    assert text_of(tmp_path, attributes, rows) == csv


def test_declared_values_are_categories_although_they_are_digits(tmp_path: Path) -> None:
    frame = frame_of(tmp_path, "sex {1,2}; b numeric; class {1,2,3}", "1,1,1\n2,2,3\n?,3,2")
    assert [kind_of(frame[name], name) for name in frame] == ["category", "number", "category"]
    assert frame["sex"].tolist()[:2] == ["1", "2"]
    about = look_at(tmp_path / "t.arff", Dialect()).description
    assert about.task == "classification"


@pytest.mark.parametrize("word", ["none", "NA", "null", "-", "*", "nan"])
def test_only_a_question_mark_is_missing(tmp_path: Path, word: str) -> None:
    rows = "\n".join([f"{word},1", "?,2", *["x,3"] * 20])
    frame = frame_of(tmp_path, f"c {{{word},x}}; a numeric", rows)
    assert frame["c"].tolist()[0] == word
    assert frame["c"].isna().tolist() == [False, True, *[False] * 20]


def test_words_of_the_user_are_missing_too(tmp_path: Path) -> None:
    path = written(tmp_path / "t.arff", "c {none,NA,x}; a numeric", "none,1\nNA,2\nx,3")
    for missing, gaps in [
        ((*MISSING, "x"), [False, False, True]),
        (("NA",), [False, True, False]),
    ]:
        frame, _ = read(layout_of(path, Dialect(missing=missing)))
        assert frame["c"].isna().tolist() == gaps


def test_a_word_above_numbers_is_no_unit_where_the_file_tells_its_columns(tmp_path: Path) -> None:
    rows = "\n".join(["more,1", *[f"{1 + i % 3},{i}" for i in range(9)]])
    frame = frame_of(tmp_path, "c {1,2,3,more}; a numeric", rows)
    assert frame["c"].tolist()[:2] == ["more", "1"]


def test_a_look_tells_the_words_as_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "t.arff", "c {none,x}; a numeric", "none,1\nx,2\nx,3")
    assert look_at(path, Dialect()).dialect.missing == MISSING


def test_categories_stay_so_under_other_names(tmp_path: Path) -> None:
    path = written(tmp_path / "t.arff", "c {1,2}; a numeric", "1,1\n2,2")
    layout = layout_of(path, Dialect(columns=("first", "second")))
    assert layout.dialect.text == ("first",)


def test_a_file_that_is_not_utf_8_is_read_with_a_note(tmp_path: Path) -> None:
    path = written(tmp_path / "t.arff", "c {größe,süß,schön}; a real", "größe,1\nsüß,2", "cp1252")
    layout = layout_of(path, Dialect())
    assert layout.notes == ("t.arff: not UTF-8, read as cp1252, with words such as größe, süß",)
    assert read(layout)[0]["c"].tolist() == ["größe", "süß"]


@pytest.mark.parametrize(
    ("attributes", "rows", "message"),
    [
        ("a real; b real", "1,2\n1,2,3", "line 8: found 3 values, expected 2, one for each"),
        ("a real; b real", "1", "line 7: found 1 values, expected 2, one for each"),
        ("a real; c {x}", "1,x\n\n2,y", "line 9: `y` is not one of the values declared for `c`"),
        ("a real; c {x}", "one,x", "line 7: `one` is not a number, as declared for `a`"),
        ("a crap; c {x}", "1,x", "line 4: expected a name and one of numeric, real"),
        ("a real; c {x}", "{0 1, 2 x}", "line 7: expected indices from 0 to 1, each with a value"),
        ("a real; c {x}", "{0 1, x}", "line 7: expected indices from 0 to 1, each with a value"),
        ("a real; c {x}", "{0 1, 1 x", "line 7: the brace is not closed"),
    ],
)
def test_what_is_no_arff_is_told_with_its_line(
    tmp_path: Path, attributes: str, rows: str, message: str
) -> None:
    path = written(tmp_path / "t.arff", attributes, rows)
    with pytest.raises(
        DataError, match=rf"^this is not a \.arff file, or it is damaged: {message}"
    ):
        rendering(path)


def test_sparse_rows_that_would_fill_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpcli.data.files.rendered.result.MOST_VALUES", 10)
    path = written(tmp_path / "t.arff", "a real; b real", "{0 1}\n" * 4)
    with pytest.raises(DataError, match="are more than the 10 values allowed"):
        rendering(path)
