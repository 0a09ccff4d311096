"""Date formats in the notation of Python's `strptime`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import product
from typing import Literal, TypeAlias

CalendarPart: TypeAlias = Literal["month", "weekday", "hour"]

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y",
    "%m/%d/%y", "%d/%m/%y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y",
    "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%Y年%m月%d日",
)  # fmt: skip
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_ZONES = ("%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")
_MONTHS = ("%Y-%m", "%b %Y", "%B %Y")
FORMATS: tuple[str, ...] = (
    *_DATES,
    *(f"{date} {time}" for date, time in product(_DATES, _CLOCKS)),
    *(f"%Y-%m-%dT{time}" for time in _CLOCKS[:3]),
    *_ZONES,
    *_MONTHS,
    *_CLOCKS,
)

_DIGITS = {
    "%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%H": r"\d{1,2}",
    "%I": r"\d{1,2}", "%M": r"\d{2}", "%S": r"\d{2}", "%f": r"\d{1,9}", "%p": "[AaPp][Mm]",
    "%b": "[A-Za-z]{3}", "%B": "[A-Za-z]{3,9}", "%z": r"(?:Z|[+-]\d{2}:?\d{2})",
}  # fmt: skip


@cache
def _shape(date_format: str) -> re.Pattern[str]:
    """The pattern of texts that look like a format; a score such as 2:1 is not a clock time."""
    parts = re.split(r"(%[A-Za-z])", date_format)
    return re.compile("".join(_DIGITS.get(part, re.escape(part)) for part in parts))


def is_date_format(text: str) -> bool:
    """Whether a text is a date format: it has directives such as %d, and all are known."""
    directives = re.findall("%.?", text)
    return bool(directives) and all(directive in _DIGITS for directive in directives)


def is_clock(date_format: str) -> bool:
    """Whether a format has a time of day, but no date."""
    return re.search("%[YymdbB]", date_format) is None


def looks_like(date_format: str, texts: Sequence[str]) -> int:
    """The number of texts that have the shape of a format."""
    return sum(bool(_shape(date_format).fullmatch(text)) for text in texts)


def example_of(date_format: str) -> str:
    """An example date in this format."""
    return datetime(2024, 1, 31, 8, 5, tzinfo=UTC).strftime(date_format)
