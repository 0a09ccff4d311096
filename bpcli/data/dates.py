"""Dates and clock times as numbers of days, by one format for a whole column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import product
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from bpcli.data.types import NEARLY_ALL, Series
from bpcli.nn.arrays import Array, Vector

CalendarPart: TypeAlias = Literal["month", "weekday", "hour"]
CALENDAR_PARTS: tuple[CalendarPart, ...] = get_args(CalendarPart)

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y",
    "%m/%d/%y", "%d/%m/%y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y",
    "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%Y年%m月%d日",
)  # fmt: skip
CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_ZONES = ("%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")
_MONTHS = ("%Y-%m", "%b %Y", "%B %Y")
FORMATS: tuple[str, ...] = (
    *_DATES,
    *(f"{date} {time}" for date, time in product(_DATES, CLOCKS)),
    *(f"%Y-%m-%dT{time}" for time in CLOCKS[:3]),
    *_ZONES,
    *_MONTHS,
    *CLOCKS,
)
"""Formats of dates, as Python's `strptime` has them."""

_DIGITS = {
    "%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%H": r"\d{1,2}",
    "%I": r"\d{1,2}", "%M": r"\d{2}", "%S": r"\d{2}", "%f": r"\d{1,9}", "%p": "[AaPp][Mm]",
    "%b": "[A-Za-z]{3}", "%B": "[A-Za-z]{3,9}", "%z": r"(?:Z|[+-]\d{2}:?\d{2})",
}  # fmt: skip
_FEW = 20


@cache
def _shape(date_format: str) -> re.Pattern[str]:
    """The texts that look like a format; 2:1, a score, does not look like a clock time."""
    parts = re.split(r"(%[A-Za-z])", date_format)
    return re.compile("".join(_DIGITS.get(part, re.escape(part)) for part in parts))


def is_date_format(text: str) -> bool:
    """Whether a text can be the format of dates: it has parts of a date, and only those."""
    directives = re.findall("%.?", text)
    return bool(directives) and all(directive in _DIGITS for directive in directives)


class DateFormat(NamedTuple):
    """The format of a column's dates, and another one that fits too, with day and month swapped."""

    chosen: str
    other: str | None


def date_format_of(texts: Sequence[str], told: str | None = None) -> DateFormat | None:
    """The format by which nearly all texts, in the order of rows, are dates; None if there is none.

    It is the one that is `told`, if any: then other texts are no dates, and none are if it is
    empty. Where day and month can swap, it is the format by which the rows are in order.
    """
    found: dict[bytes, str] = {}
    for date_format in _formats_of(texts, FORMATS if told is None else (told,) if told else ()):
        found.setdefault(days_of_texts(texts, date_format).tobytes(), date_format)
    if not found:
        return None
    chosen, *others = sorted(found.items(), key=lambda each: not _is_sorted(each[0]))
    return DateFormat(chosen[1], others[0][1] if others else None)


def ambiguity_of(dates: DateFormat) -> str:
    """What a reader should know of dates in which day and month can swap."""
    return (
        f"has dates that fit two formats and are read as {dates.chosen}, such as "
        f"{example_of(dates.chosen)}; if that is wrong, set `date_format` to {dates.other}"
    )


def _is_sorted(days: bytes) -> bool:
    steps = np.diff(np.frombuffer(days))
    return bool((steps >= 0).all() or (steps <= 0).all())


def _formats_of(texts: Sequence[str], formats: Sequence[str]) -> Iterator[str]:
    few = [text.strip() for text in texts[:_FEW]]
    for date_format in formats if few else ():
        looks = sum(bool(_shape(date_format).fullmatch(text)) for text in few)
        if looks >= NEARLY_ALL * len(few):
            is_date = ~np.isnan(days_of_texts(texts, date_format))
            if np.count_nonzero(is_date) >= NEARLY_ALL * len(texts):
                yield date_format


def days_of_texts(texts: Sequence[str] | Series, date_format: str) -> Vector:
    """Days since the beginning of 1970, in UTC; NaN where a text is no date of this format.

    A clock time without a date is a part of a day, from 0 to 1.
    """
    import pandas as pd

    dates = pd.to_datetime(
        pd.Series(texts, dtype=object).str.strip(),
        format=date_format,
        errors="coerce",
        utc="%z" in date_format,
    )
    return days_of_dates(dates, is_clock=date_format in CLOCKS)


def days_of_dates(dates: Series, *, is_clock: bool = False) -> Vector:
    """Days since the beginning of 1970 of pandas' dates; NaN where one is missing."""
    if dates.dt.tz is not None:
        dates = dates.dt.tz_convert(None)
    stamps = dates.to_numpy("datetime64[us]")
    microseconds = stamps.astype(np.int64)
    if is_clock:
        microseconds %= _DAY
    return np.where(np.isnat(stamps), np.nan, microseconds / _DAY)


_DAY = 24 * 60 * 60 * 10**6
"""Microseconds."""


def calendar_angles(days: Vector, part: CalendarPart) -> Array:
    """2π times the share of the year by month, of the week by day, or of the day by time (n,)."""
    whole = np.floor(days)
    if part == "hour":
        turns = days - whole
    elif part == "weekday":
        turns = (whole + _WEEKDAY_OF_1970) % 7 / 7
    else:
        months = whole.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        turns = months % 12 / 12
    return 2 * np.pi * turns


_WEEKDAY_OF_1970 = 3
"""1970 began on a Thursday; Monday is 0."""


def date_text(days: float) -> str:
    """A number of days as an ISO date, with the time if it is not midnight."""
    stamp = datetime(1970, 1, 1) + timedelta(days)
    stamp = (stamp + timedelta(milliseconds=500)).replace(microsecond=0)
    if stamp.time() == time():
        return stamp.date().isoformat()
    return stamp.isoformat(" ", "seconds" if stamp.second else "minutes")


def example_of(date_format: str) -> str:
    """A date as the format has it."""
    return datetime(2024, 1, 31, 8, 5, tzinfo=UTC).strftime(date_format)
