from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.files.header import guess_header, names_of_header
from bpcli.errors import DataError

ABOVE, NEW = "row 1 has text above numbers", "row 1 has text that is not repeated below"
EVEN = "; its numbers are in order: if they are column names, see `header`"


def split(text: str) -> list[list[str]]:
    return [row.split(",") for row in text.split()]


@pytest.mark.parametrize(
    ("text", "header", "why"),
    [
        ("a,b 1,2 3,4", True, ABOVE),
        ("a,b x,2 y,4", True, ABOVE),
        ("a,b x,? y,? z,5", True, ABOVE),
        ("a,b x,y z,w", True, NEW),
        ("a,b x,1 y,z", True, NEW),
        ("a,b", True, NEW),
        ("a, x, y,", True, NEW),
        ("a,b ?,?", True, NEW),
        ("a,b x,y,1", True, NEW),
        ("%,b 1,2", True, ABOVE),
        ("5%,b 1,2", True, ABOVE),
        ("red,small blue,large red,large", False, "row 1 has text that is repeated below, red"),
        ("x,1 y,2", False, "row 1 has a number, 1"),
        ("x,-1.5 y,2", False, "row 1 has a number, -1.5"),
        ("1,2,3 4,5,6", False, f"row 1 has a number, 1{EVEN}"),
        ("2000,2010,2020 4,5,6", False, f"row 1 has a number, 2000{EVEN}"),
        ("1,2,4 4,5,6", False, f"row 1 has a number, 1{EVEN}"),
        ("a,1,2,4 x,4,5,6", False, f"row 1 has a number, 1{EVEN}"),
        ("1,a,2,4 4,x,5,6", False, "row 1 has a number, 1"),
        ("2019,2021,2020 4,5,6", False, "row 1 has a number, 2019"),
        ("3,2,1 4,5,6", False, "row 1 has a number, 3"),
        ("2,2,2 4,5,6", False, "row 1 has a number, 2"),
        ("1,2 4,5", False, "row 1 has a number, 1"),
        ("x,5% y,6% z,7%", False, "row 1 has a number, 5%"),
        ("x,$5", False, "row 1 has a number, $5"),
        ("x,1'234.5 y,2'345.5", False, "row 1 has a number, 1'234.5"),
        ("x,? y,2 z,3", False, "row 1 has an entry for a missing value above numbers, ?"),
        ("x,?,c y,2,3", True, ABOVE),
        ("x, y,2 z,3", True, NEW),
        ("a,1,2 x,5,6", False, "row 1 has a number, 1"),
    ],
)
def test_the_first_row_is_judged_with_its_reason(text: str, header: bool, why: str) -> None:
    assert guess_header(split(text), ("", "?")) == (header, why)


MORE, TEXT = "more names of numeric columns than numbers", "numbers above text"
YEARS, ORDER = "years above other values", "numbers in order, unlike those below"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,2021,2020,2019 x,4,5,6", YEARS),
        ("a,2019,2020 x,4,5 y,6,7", YEARS),
        ("a,b,1990,2000,2010 x,y,41.5,-,39 z,y,95,7,3", YEARS),
        (",1991,1991,1992,1992 ,Q1,Q2,Q1,Q2 x,1,2,3,4 y,5,6,7,8", YEARS),
        ("a,2019,2020,change x,4,5,6", YEARS),
        ("name,size,1110,lag x,5,6,7 y,8,9,10", MORE),
        ("name,age,12,height x,5,6,7 y,8,9,10", MORE),
        ("id,100,7,53 p,yes,no,yes q,no,no,yes", TEXT),
        ("id,100,7 p,T,F q,F,T", TEXT),
        ("s,400,410,420,430 x,0.1,0.2,0.5,1 y,0.3,0.25,0.5,0.5", ORDER),
        ("s,400.5,401,401.5,402 x,1,2,3,4 y,3,2,1,0", ORDER),
        ("gene,100,1001,20,3000 x,1,2,0,4 y,3,2,1,0", ORDER),
        ("s,20201,20162,20133,20101 x,26.8,27.4,285,2.1 y,1.5,1.8,6.9,7.2 z,1.5,1,6.9,7", ORDER),
    ],
)
def test_numbers_are_names_by_the_evidence_of_all_columns(text: str, why: str) -> None:
    assert guess_header(split(text), ("", "-")) == (True, f"row 1 has {why}")


@pytest.mark.parametrize(
    "text",
    [
        "x,n.d.,2,3 y,4,5,6 z,7,8,9",
        "x,n.d.,k.A.,3 y,4,5,6 z,7,8,9",
        "x,<0.1,2 y,4,5 z,7,8",
        "x,-,2 y,4,5 z,7,8",
        "x,1O,2 y,4,5 z,7,8",
        "x,error,2 y,4,5 z,7,8",
        "x,error,error,2 y,4,5,6 z,7,8,9",
        "Ann,1931,1999 Bob,1950,2010 Cid,1900,1960",
        "Ann,1990,2005,12 Bob,3,5,6",
        "2019,2020,2021 4,5,6 7,8,9",
        "x,2000,2000 y,4,5 z,7,8",
        "x,2019,4 y,5,5 z,7,8",
        "x,1,2,3,4 y,5,6,7,8 z,4,3,2,1",
        "x,1,2,3 y,0.5,0.6,0.7 z,0.4,0.3,0.2",
        "x,400,600,500,900 y,1,2,3,4 z,4,3,2,1",
        "x,5 y,large z,more",
        "x,5,6 y,-,- z,-,-",
        "red,small,thin,5 blue,1,2,6 red,3,4,7",
        "name,3,4,5 x,1,2,3 name,5,6,7",
    ],
)
def test_a_row_of_data_is_no_header(text: str) -> None:
    assert not guess_header(split(text), ("", "-"))[0]


def test_a_number_with_a_decimal_comma_is_one() -> None:
    assert guess_header([["1,5", "x"], ["2,5", "y"]], ()) == (False, "row 1 has a number, 1,5")


@given(
    st.lists(st.text("abc xyz", min_size=1).map(str.strip).filter(bool), min_size=1, unique=True),
    st.integers(2, 5),
)
def test_text_above_numbers_is_a_header_and_numbers_above_numbers_are_none(
    names: list[str], n_rows: int
) -> None:
    rows = [[str(i + j) for j, _ in enumerate(names)] for i in range(n_rows)]
    assert guess_header([names, *rows], ()) == (True, ABOVE)
    assert not guess_header(rows, ())[0]


def test_names_are_on_one_line_and_those_that_lack_are_numbered_and_told() -> None:
    names, notes = names_of_header(["a\n  b", "", "c", " "])
    assert names == ("a b", "column 2", "c", "column 4")
    assert notes == ["the header has no name for `column 2` and 1 more"]
    assert names_of_header(["a", ""])[1] == ["the header has no name for `column 2`"]
    assert names_of_header(["a", "b"]) == (("a", "b"), [])


def test_numbers_are_no_names_unless_they_are_asked_for() -> None:
    with pytest.raises(DataError, match=r"^the first row has the number `2\.5`, expected column"):
        names_of_header(["a", "2.5", "3"])
    assert names_of_header(["2019", "2020"], may_be_numbers=True) == (("2019", "2020"), [])
    assert names_of_header(["5 %", "10 %"])[0] == ("5 %", "10 %")


@pytest.mark.parametrize(
    ("first", "below", "names"),
    [
        (["a", "a", "b"], [], ("a", "a (2)", "b")),
        (["a", "a (2)", "a", "a"], [], ("a", "a (2)", "a (3)", "a (4)")),
        (["a", "a", "b"], [["m", "s", "kg"]], ("a m", "a s", "b kg")),
        (["a", "a", "b"], [["m", "m", ""]], ("a", "a (2)", "b")),
        (["a", "a", ""], [["m", "m", "n"], ["u", "", "w"]], ("a m u", "a m", "n w")),
        (["a", "b"], [["m", "s"]], ("a", "b")),
        (["", "", "a", "a"], [["", "", "x", "y"]], ("column 1", "column 2", "a x", "a y")),
        (["column 2", ""], [], ("column 2", "column 2 (2)")),
    ],
)
def test_repeated_names_are_told_apart(
    first: list[str], below: list[list[str]], names: tuple[str, ...]
) -> None:
    assert names_of_header(first, below=below)[0] == names


def test_repeated_names_are_counted_and_told() -> None:
    assert names_of_header(["a", "b", "a", "b", "b"])[1] == [
        "the header repeats names: 3 are numbered, such as `a (2)`"
    ]
    assert names_of_header(["", "a", "a"], below=[["u", "m", "s"]])[1] == [
        "the header repeats names: they are joined with the row below, such as `a m`"
    ]


@given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "b", ""]), max_size=9))
def test_numbered_names_are_unique(given_names: list[str]) -> None:
    names, _ = names_of_header(given_names)
    assert len({*names}) == len(given_names)
    assert all(name.startswith(old) for old, name in zip(given_names, names, strict=True))
