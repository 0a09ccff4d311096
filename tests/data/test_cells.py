from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bpcli.data.cells import numbers_in, shown_in, with_point

STYLES = [
    (decimal, thousands)
    for decimal in ".,"
    for thousands in ("", ",", ".", " ", "'", "’")
    if decimal != thousands
]
MARKS = ["%", "$", "€", "£", "¥", "₩", "₹", "₽", "US$", "USD", "EUR", "GBP", "CHF", "CNY", "JPY"]
SPACES = [" ", "\u00a0", "\u2009", "\u202f"]


def written(value: float, decimals: int, decimal: str, thousands: str) -> str:
    """A positive number with a fixed number of decimals, as people write it."""
    whole, _, rest = f"{value:,.{decimals}f}".partition(".")
    return whole.replace(",", thousands) + (decimal + rest if rest else "")


@given(
    value=st.floats(0, 1e9),  # with four groups, it may be an address
    decimals=st.integers(0, 5),
    style=st.sampled_from(STYLES),
    sign=st.sampled_from(["", "+", "-", "−", "–", "－", "("]),
    mark=st.sampled_from(["", *MARKS]),
    is_before=st.booleans(),
    space=st.sampled_from(["", *SPACES]),
)
def test_a_number_is_read_back_however_it_is_written(
    value: float,
    decimals: int,
    style: tuple[str, str],
    sign: str,
    mark: str,
    is_before: bool,
    space: str,
) -> None:
    assume(sign != "+" or style[1] != " ")  # a telephone number
    text = written(value, decimals, *style)
    is_before = is_before and mark != "%"
    text = mark + space + text if is_before else text + space + mark
    text = f"({text})" if sign == "(" else sign + text
    expected = float(f"{value:.{decimals}f}")
    assert shown_in(text, *style) == ((-expected if sign in "-−–－(" and sign else expected), mark)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_float_of_a_program_is_read_to_the_bit(value: float) -> None:
    assert shown_in(repr(value)) == (value, "")
    assert shown_in(repr(value).replace(".", ","), ",") == (value, "")


@pytest.mark.parametrize("space", SPACES)
def test_a_space_between_thousands_may_be_any_that_does_not_break(space: str) -> None:
    assert shown_in(f"-1{space}234{space}567,5", ",", " ") == (-1234567.5, "")


@pytest.mark.parametrize(
    ("text", "signs", "value"),
    [
        (" 3.5 ", ".", 3.5),
        (".5", ".", 0.5),
        ("5.", ".", 5),
        ("-,5", ",", -0.5),
        ("$-1,200.00", ".,", -1200),
        ("-$1,200.00", ".,", -1200),
        ("($1,200.00)", ".,", -1200),
        ("(-3.5)", ".", -3.5),
        ("( 3.5 )", ".", -3.5),
        ("- 3.5", ".", -3.5),
        ("1.5e3", ".", 1500),
        ("1,5E−3", ",", 0.0015),
        ("1234567", ".,", 1234567),
        ("0.123", ".,", 0.123),
    ],
)
def test_forms_that_spreadsheets_write(text: str, signs: str, value: float) -> None:
    shown = shown_in(text, *signs)
    assert shown is not None
    assert shown.value == value


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("", "."),
        (".", "."),
        ("-", "."),
        ("$", "."),
        ("%", "."),
        ("()", "."),
        ("(3", "."),
        ("3)", "."),
        ("--3", "."),
        ("-$-3", "."),
        ("$5%", "."),
        ("$5€", "."),
        ("1.5", ","),
        ("1,5", "."),
        ("1,234", "."),
        ("1,23", ".,"),
        ("1234,567", ".,"),
        ("1,2345", ".,"),
        ("0,123", ".,"),
        ("1,234.567,8", ".,"),
        ("1.5.2", "."),
        ("1.5e", "."),
        ("1_000", "."),
        ("1 000", "."),
        ("nan", "."),
        ("inf", "."),
        ("0x10", "."),
        ("2024-01-31", "."),
        ("5 kg", "."),
        ("1.5\n2", "."),
    ],
)
def test_a_cell_that_shows_no_number(text: str, signs: str) -> None:
    assert shown_in(text, *signs) is None


def test_the_numbers_of_a_column_and_their_marks() -> None:
    values, marks = numbers_in(["5 %", "1.200,5", "n/a", "€ 3"], ",", ".")
    np.testing.assert_array_equal(values, [5, 1200.5, np.nan, 3])
    assert marks == ["%", "", "", "€"]
    values, marks = numbers_in([], ".", "")
    assert values.dtype == np.float64
    assert not len(values)
    assert not marks


@pytest.mark.parametrize(("text", "thousands"), [("192.168.100.200", "."), ("+49 170 123", " ")])
def test_addresses_and_telephone_numbers_are_no_numbers(text: str, thousands: str) -> None:
    assert shown_in(text, "," if thousands == "." else ".", thousands) is None


@pytest.mark.parametrize(
    ("text", "signs", "plain"),
    [
        ("3,50", (",", ""), "3.50"),
        ("1.234,50 €", (",", "."), "1234.50 €"),
        ("(1.234)", (",", "."), "(1234)"),
        ("-0,1234567890123456789", (",", "."), "-0.1234567890123456789"),
        ("1,234,567.10", (".", ","), "1234567.10"),
        ("2,5e-3", (",", ""), "2.5e-3"),
        ("31.01.2024", (",", "."), "31.01.2024"),
        ("n,a", (",", "."), "n,a"),
        ("", (",", "."), ""),
    ],
)
def test_a_decimal_sign_becomes_a_point_and_every_digit_stays(
    text: str, signs: tuple[str, str], plain: str
) -> None:
    assert with_point(text, *signs) == plain


@given(value=st.floats(0, 1e9), decimals=st.integers(0, 5), style=st.sampled_from(STYLES))
def test_with_a_point_a_number_is_the_same(
    value: float, decimals: int, style: tuple[str, str]
) -> None:
    text = written(value, decimals, *style)
    shown = shown_in(text, *style)
    assume(shown is not None)
    assert shown is not None
    assert float(with_point(text, *style)) == shown.value
