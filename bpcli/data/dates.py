"""Dates and clock times as numbers of days, with one format for a whole column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

import numpy as np

from bpcli.data.date_formats import FORMATS, CalendarPart, example_of, is_clock, looks_like
from bpcli.data.types import NEARLY_ALL, Series
from bpcli.nn.arrays import Array, Vector

ISO = "%Y-%m-%d"
_FEW = 20


class DateFormat(NamedTuple):
    """The format of a column's dates, and another one that fits too, with day and month swapped."""

    chosen: str
    other: str | None


def date_format_of(texts: Sequence[str], only: str | None = None) -> DateFormat | None:
    """The format in which nearly all texts are dates; None if there is none.

    If `only` is given, it is the only format tried; if it is empty, no text is a date. The texts
    are in the order of rows: if day and month can be swapped, the format that puts the rows in
    order is chosen.
    """
    formats: dict[bytes, str] = {}
    for date_format in _formats_of(texts, FORMATS if only is None else (only,) if only else ()):
        formats.setdefault(days_of_texts(texts, date_format).tobytes(), date_format)
    if not formats:
        return None
    chosen, *others = sorted(formats.items(), key=lambda each: not _is_sorted(each[0]))
    return DateFormat(chosen[1], others[0][1] if others else None)


def iso_format_of(texts: Sequence[str]) -> str | None:
    """The format beginning with an ISO date in which all texts are dates; None if there is none."""
    date_format = date_format_of(texts)
    if date_format is None or not date_format.chosen.startswith(ISO):
        return None
    return None if np.isnan(days_of_texts(texts, date_format.chosen)).any() else date_format.chosen


def ambiguity_of(dates: DateFormat) -> str:
    """A warning about dates in which day and month can be swapped."""
    return (
        f"has dates that fit two formats and are read as {dates.chosen}, such as "
        f"{example_of(dates.chosen)}; if that is wrong, set `date_format` to {dates.other}"
    )


def _is_sorted(days: bytes) -> bool:
    steps = np.diff(np.frombuffer(days))
    return bool((steps >= 0).all() or (steps <= 0).all())


def _formats_of(texts: Sequence[str], formats: Sequence[str]) -> Iterator[str]:
    few = [text.strip() for text in texts[:_FEW]]
    if not few or sum(any(map(str.isdigit, text)) for text in few) < NEARLY_ALL * len(few):
        return  # early, because most columns of text have no digits
    for date_format in formats:
        if looks_like(date_format, few) >= NEARLY_ALL * len(few):
            is_date = ~np.isnan(days_of_texts(texts, date_format))
            if np.count_nonzero(is_date) >= NEARLY_ALL * len(texts):
                yield date_format


def days_of_texts(texts: Sequence[str] | Series, date_format: str) -> Vector:
    """Days since the beginning of 1970, in UTC; NaN where a text is not a date of this format.

    A clock time without a date is a fraction of a day, from 0 to 1.
    """
    import pandas as pd

    dates = pd.to_datetime(
        pd.Series(texts, dtype=object).str.strip(),
        format=date_format,
        errors="coerce",
        utc="%z" in date_format,
    )
    return days_of_dates(dates, is_time=is_clock(date_format))


def days_of_dates(dates: Series, *, is_time: bool = False) -> Vector:
    """Days since the beginning of 1970 of pandas' dates; NaN where one is missing."""
    if dates.dt.tz is not None:
        dates = dates.dt.tz_convert(None)
    stamps = dates.to_numpy("datetime64[us]")
    microseconds = stamps.astype(np.int64)
    if is_time:
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


def date_text(days: float, date_format: str | None = None) -> str:
    """A number of days as an ISO date, with the time if not midnight; for a clock only the time."""
    stamp = datetime(1970, 1, 1) + timedelta(days)
    stamp = (stamp + timedelta(milliseconds=500)).replace(microsecond=0)
    digits = "seconds" if stamp.second else "minutes"
    if date_format is not None and is_clock(date_format):
        return stamp.time().isoformat(digits)
    return stamp.date().isoformat() if stamp.time() == time() else stamp.isoformat(" ", digits)
