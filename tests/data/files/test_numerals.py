from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.cells import shown_in
from bpcli.data.files import numerals
from bpcli.data.files.numerals import Numerals


def numerals_of(cells: list[str], separator: str) -> Numerals:
    """The signs in a table of a single column."""
    return numerals.numerals_of([[cell] for cell in cells], separator)


COMMAS = "commas in numbers are read as decimal signs"


def either(cell: str, meaning: str) -> str:
    return f"the ',' in `{cell}` is read as a {meaning} sign"


def separates(sign: str) -> str:
    return f"{sign!r} in numbers separates thousands"


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands", "notes"),
    [
        (["1", "word", ""], ".", "", ()),
        (["1.5", "2"], ".", "", ()),
        (["1,5", "2"], ",", "", (COMMAS,)),
        (["1,5", "1.234"], ",", ".", (COMMAS, separates("."))),
        (["1.5", "1,234"], ".", ",", (separates(","),)),
        (["1.234,5"], ",", ".", (COMMAS, separates("."))),
        (["1,234.5"], ".", ",", (separates(","),)),
        (["1.234.567"], ",", ".", (COMMAS, separates("."))),
        (["1,234,567"], ".", ",", (separates(","),)),
        (["0,123", "1,234"], ",", "", (COMMAS,)),
        (["0.123", "1.234"], ".", "", ()),
        (["1.234"], ".", "", ()),
        (["1 234,5"], ",", " ", (COMMAS, separates(" "))),
        (["1\u202f234", "1.5"], ".", " ", (separates(" "),)),
        (["1'234.5"], ".", "'", (separates("'"),)),
        (["1’234"], ".", "’", (separates("’"),)),
        (["-1,5 %"], ",", "", (COMMAS,)),
        (["(€ 1,5)"], ",", "", (COMMAS,)),
        (["USD 1,234,567"], ".", ",", (separates(","),)),
        (["1,5e-3"], ",", "", (COMMAS,)),
    ],
)
def test_the_signs_are_found_and_told(
    cells: list[str], decimal: str, thousands: str, notes: tuple[str, ...]
) -> None:
    assert numerals_of(cells, "\t") == (decimal, thousands, notes)


@pytest.mark.parametrize(
    ("separator", "decimal", "thousands", "meaning"),
    [(";", ",", "", "decimal"), (",", ".", ",", "thousands"), ("\t", ".", ",", "thousands")],
)
def test_a_comma_that_may_be_either_is_told(
    separator: str, decimal: str, thousands: str, meaning: str
) -> None:
    found = numerals_of(["1,234", "2,345"], separator)
    assert found[:2] == (decimal, thousands)
    assert found.notes[-1] == either("1,234", meaning)


def test_a_comma_that_separates_thousands_elsewhere_does_so_everywhere() -> None:
    assert numerals_of(["1,234", "1,234,567"], ";") == (".", ",", (separates(","),))


@pytest.mark.parametrize("text", ["Motor 2.0", "v1.5", "192.168.100.200 (host)", "1.5 kg"])
def test_numbers_within_words_say_nothing(text: str) -> None:
    assert numerals_of([text, text, "1,5"], ";")[:2] == (",", "")


def test_the_sign_of_most_numbers_counts() -> None:
    assert numerals_of(["1.5", "2,5", "3,5"], "\t").decimal == ","
    assert numerals_of(["1.5", "2.5", "3,5"], ";").decimal == "."


def test_of_two_equally_frequent_signs_the_separator_decides() -> None:
    """As of days and months, 12.05, beside prices."""
    rows = [["12.05", "1,5"], ["13.05", "2,5"]]
    assert numerals.numerals_of(rows, ";").decimal == ","
    assert numerals.numerals_of(rows, "\t").decimal == "."


def test_words_and_addresses_do_not_decide() -> None:
    names = [["Smith, J", "1.234"], ["Doe, A", "2.345"]]
    assert numerals.numerals_of(names, ",")[:2] == (".", "")
    hosts = [["192.168.100.200", "12.345"], ["192.168.100.201", "13.456"]]
    assert numerals.numerals_of(hosts, ",")[:2] == (".", "")
    places = [["St. Gallen", "1,5"], ["Bern", "2,5"], [".", "."]]
    assert numerals.numerals_of(places, ";", ["."])[:2] == (",", "")


@given(
    cents=st.lists(st.integers(-(10**11), 10**11).filter(lambda cent: cent % 100), min_size=1),
    style=st.sampled_from([".", ",", ".,", ",.", ". ", ", ", ".'"]),
    separator=st.sampled_from([";", "\t", "|"]),
)
def test_numbers_with_decimals_are_read_back_by_the_signs_found(
    cents: list[int], style: str, separator: str
) -> None:
    decimal, thousands = style[0], style[1:]
    swap = {".": decimal, ",": thousands}
    cells = ["".join(swap.get(sign, sign) for sign in f"{cent / 100:,.2f}") for cent in cents]
    found = numerals_of(cells, separator)
    assert [shown_in(cell, *found[:2]) for cell in cells] == [(cent / 100, "") for cent in cents]
