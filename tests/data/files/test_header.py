from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.files.header import guess_header, names_of_header
from bpcli.errors import DataError

ABOVE, NEW = "row 1 has text above numbers", "row 1 has text that is not repeated below"
EVEN = "; its numbers are in order: if they are names, see `header`"


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
        ("a,2021,2020,2019 x,4,5,6", False, f"row 1 has a number, 2021{EVEN}"),
        ("2019,2021,2020 4,5,6", False, "row 1 has a number, 2019"),
        ("3,2,1 4,5,6", False, "row 1 has a number, 3"),
        ("2,2,2 4,5,6", False, "row 1 has a number, 2"),
        ("1,2 4,5", False, "row 1 has a number, 1"),
        ("x,5% y,6% z,7%", False, "row 1 has a number, 5%"),
        ("x,$5", False, "row 1 has a number, $5"),
        ("x,1'234.5 y,2'345.5", False, "row 1 has a number, 1'234.5"),
        ("x,? y,2 z,3", False, "row 1 has a word for a missing value above numbers, ?"),
        ("x,?,c y,2,3", True, ABOVE),
        ("x, y,2 z,3", True, NEW),
        ("a,1,2 x,5,6", False, "row 1 has a number, 1"),
    ],
)
def test_the_first_row_is_judged_with_its_reason(text: str, header: bool, why: str) -> None:
    assert guess_header(split(text), ("", "?")) == (header, why)


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
