"""Numbers as people write them: 3,59; 1.234,5; "1 234"; 5 %; $1,200.00; (3.5); −3."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Vector

_SPACES = "\u00a0\u2009\u202f"
"""Spaces that do not break a line: no-break, thin, and narrow no-break."""

_MINUS = str.maketrans("−－", "--")
"""The minus signs of Unicode; Japanese files are decoded to the second, a full-width one."""

_ADDRESS = re.compile(r"(?:[12]?\d{1,2}\.){3}[12]?\d{1,2}")

CURRENCIES = r"[$€£¥₩₹₽]|US\$|USD|EUR|GBP|CHF|CNY|JPY"


class Shown(NamedTuple):
    """A number that a cell shows, and its percent or currency sign."""

    value: float
    mark: str


@cache
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    group = f"[{' ' + _SPACES}]" if thousands == " " else re.escape(thousands)
    grouped = rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+|" if thousands else ""
    point, space = re.escape(decimal), f"[ {_SPACES}]*"
    return re.compile(
        rf"(?P<open>\()?{space}(?P<sign>[+\-−–－])?{space}(?P<before>{CURRENCIES})?{space}"
        rf"(?P<inner>[+\-−－])?(?P<whole>{grouped}\d+|(?={point}\d))(?P<rest>(?:{point}\d*)?"
        rf"(?:[eE][+\-−－]?\d+)?){space}(?P<after>%|{CURRENCIES})?{space}(?(open)\))"
    )


def shown_in(text: str, decimal: str = ".", thousands: str = "") -> Shown | None:
    """The number that a cell shows; None if it shows none.

    5 % is 5, with the mark %. Parentheses mean a negative number, as in accounts; (-5) is -5. A
    number with a thousands sign does not begin with 0: 0,123 is not a number.
    """
    match = _pattern(decimal, thousands).fullmatch(text.strip())
    if match is None or (match["sign"] and match["inner"]) or (match["before"] and match["after"]):
        return None
    is_telephone = match["sign"] == "+" and " " in match["whole"]
    if is_telephone or (thousands == "." and _ADDRESS.fullmatch(text)):  # an IP address
        return None
    whole = "".join(filter(str.isdigit, match["whole"]))
    value = float(whole + match["rest"].replace(decimal, ".").translate(_MINUS))
    is_negative = bool(match["open"]) or (match["sign"] or match["inner"] or "+") != "+"
    return Shown(-value if is_negative else value, match["before"] or match["after"] or "")


def with_point(text: str, decimal: str, thousands: str) -> str:
    """A cell with a decimal point and no thousands sign, such as 1234.50 € for 1.234,50 €.

    All digits stay; a cell that shows no number stays as it is.
    """
    if shown_in(text, decimal, thousands) is None:
        return text
    match = _pattern(decimal, thousands).fullmatch(text.strip())
    assert match is not None, "it shows a number"
    whole = "".join(filter(str.isdigit, match["whole"]))
    rest = match["rest"].replace(decimal, ".")
    return match.string[: match.start("whole")] + whole + rest + match.string[match.end("rest") :]


def numbers_in(texts: Sequence[str], decimal: str, thousands: str) -> tuple[Vector, list[str]]:
    """The number that each text shows, NaN where it shows none, and its mark."""
    shown = [shown_in(text, decimal, thousands) or Shown(np.nan, "") for text in texts]
    return np.array([each.value for each in shown], np.float64), [each.mark for each in shown]
