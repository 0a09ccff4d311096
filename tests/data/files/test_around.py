"""What stands around the data of a table: titles, units, row names, and separators at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.sniff import Layout


def found(folder: Path, text: str) -> Layout:
    (folder / "t.csv").write_text(text)
    return layout_of(folder / "t.csv", Dialect(header=None))


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("a,b,t\nm,s,\nAvg,Max,\n1,2,x\n3,4,y\n", 2),
        ("a,b,t\nm,s,\nAvg,Max,\nf1,f2,c\n1,2,x\n3,4,y\n", 3),
        ("a,b,t\nm,s,\n,,\nAvg,Max,\n1,2,x\n3,4,y\n", 3),
        ("a,b,t\n5s,12n,3s\n1,2,x\n3,4,y\n", 1),
        ("a,b,t\n2020=100,in (%),\n1,2,x\n3,4,y\n", 1),
        ("a,b,t\n100 km,10^3/l,\n1,2,x\n3,4,y\n", 1),
        ("a,b,t\n1. quarter,2. quarter,\n1,2,x\n3,4,y\n", 1),
        ("a,b,t\nHow old were you at the time?,How tall are you today?,Name?\n1,2,x\n3,4,y\n", 1),
        ("a,t\nm,x\n1,x\n3,y\n", 1),
        ("a,t\nm,x\nAvg,x\n1,x\n3,y\n4,z\n", 1),
        ("a,t\n5s,x\n1,x\n3,y\n", 0),
        ("a,b,t\nm,5,x\n1,2,x\n3,4,y\n", 0),
        ("a,b,t\n<0.1,<0.5,x\n1,2,x\n3,4,y\n", 0),
        ("a,b,t\n5.3a,6.1b,x\n1,2,x\n3,4,y\n", 0),
        ("a,b,t\nNA,NA,x\n1,2,x\n3,4,y\n", 0),
        ("a,b,t\nm,s,\nNA,NA,x\n1,2,x\n3,4,y\n", 1),
        ("a,b,t\nm,s,\n1,2,x\nlow,high,x\n3,4,y\n", 1),
        ("a,t,u\ninf,x,p\n1,x,p\n3,y,q\n", 0),
        ("a,t,u\nabc,FALSE,2024-05-31\n1,TRUE,2024-01-31\n3,TRUE,2024-02-29\n", 0),
        ("a,t,u\nm,x,r\n1,x,p\n3,y,q\n", 1),
        ("a,b,t\nm,s,\nu,v,\nw,x,\ny,z,\n1,2,x\n3,4,y\n5,6,y\n", 3),
    ],
)
def test_rows_of_words_above_numbers_are_units(tmp_path: Path, text: str, units: int) -> None:
    layout = found(tmp_path, text)
    assert layout.dialect.units == units
    assert layout.start == 1 + units
    said = [note for note in layout.notes if "is not data" in note]
    assert len(said) == units - ("\n,,\n" in text)


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("a;b;c;d\n1;2;3;\n4;5;6\n7;8;9\n1;3;5\n2;4;6\n", ["a", "b", "c"], 5),
        ("a;b;c;d\n1;2;3;\n4;5;6;\n7;8;9;\n1;3;5;\n2;4;6\n3;5;7\n", ["a", "b", "c"], 6),
        ("a;b;c\n1;2;3;\n4;5;6;\n7;8;9\n1;3;5\n2;4;6\n", ["a", "b", "c"], 5),
        ("a;b;c\n1;2;3\n4;5;6\n7;8;9;\n1;3;5;\n2;4;6;\n", ["a", "b", "c"], 5),
        ("a;b;c;\n1;2;3\n4;5;6\n7;8;9;\n1;3;5\n", ["a", "b", "c"], 4),
    ],
)
def test_rows_that_lack_an_empty_last_field_are_kept(
    tmp_path: Path, text: str, names: list[str], rows: int
) -> None:
    frame, notes = read(found(tmp_path, text))
    assert list(frame) == names
    assert frame.to_numpy(float)[-1].tolist() == [
        float(x) for x in text[-7:].strip(";\n").split(";")
    ]
    assert len(frame) == rows
    assert any("some rows end with a separator" in note or "each row" in note for note in notes)


def test_the_name_of_an_ignored_last_column_is_told(tmp_path: Path) -> None:
    layout = found(tmp_path, "a;b;c;d\n1;2;3;\n4;5;6\n7;8;9\n1;3;5\n2;4;6\n")
    assert layout.notes[-1] == (
        "t.csv: some rows end with a separator: the empty last column, `d`, is ignored"
    )


def test_a_full_last_column_is_kept(tmp_path: Path) -> None:
    layout = found(tmp_path, "a;b;c\n1;2;\n4;5;\n7;8;\n")
    assert layout.dialect.columns == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("All,,\nof,the,\nat,the,top\nor,,\nu,v,w\nx,1,2\ny,3,4\n", ("u", "v", "w")),
        ("INE,http\nTitle,\n,\nYear,n\n2001,5\n2002,6\n", ("Year", "n")),
        ("a,b,c\nm,s,\n1,2,x\n3,4,y\n", ("a", "b", "c")),
        (",a,b\nd,m,s\nx,1,2\ny,3,4\n", ("column 1", "a", "b")),
        ("a,b,c\nm,s,\nu,v,w\n1,2,x\n3,4,y\n", ("a", "b", "c")),
        ("a,b,c,d\nm,s,,\nu,v,w,x\n1,2,x,y\n3,4,y,z\n", ("a", "b", "c", "d")),
        ("a,b,c\n,,\nx,1,2\ny,3,4\n", ("a", "b", "c")),
        ("u,v,w\nx,n.d.,n.d.\n,,\ny,z,z\nx,1,2\ny,3,4\nz,5,6\n", ("u", "v", "w")),
    ],
)
def test_the_header_is_right_above_the_data(
    tmp_path: Path, text: str, names: tuple[str, ...]
) -> None:
    assert found(tmp_path, text).dialect.columns == names


def test_a_title_between_spaces_may_have_as_many_words_as_names(tmp_path: Path) -> None:
    layout = found(tmp_path, "made by hand\n1 2\n3 4\n5 6\n")
    assert (layout.start, layout.dialect.columns) == (1, ("x1", "x2"))


@pytest.mark.parametrize("firsts", [("0", "1", "2"), ("1", "2", "3"), ("r1", "Fiat X1", "2 doors")])
def test_words_and_counts_are_names_of_rows(tmp_path: Path, firsts: tuple[str, ...]) -> None:
    rows = "".join(f"{first},{i},{i + 5}\n" for i, first in enumerate(firsts))
    assert found(tmp_path, f"a,b\n{rows}").dialect.row_names
