"""Formats of dates, told from other texts."""

from __future__ import annotations

import pytest

from bpcli.data.date_formats import FORMATS, example_of, is_clock, is_date_format, looks_like


@pytest.mark.parametrize(
    ("text", "is_format"),
    [("%d.%m.%Y", True), ("%H:%M", True), ("", False), ("d.m.Y", False), ("%Q", False),
     ("%", False), ("%d %", False), ("%x", False)],
)  # fmt: skip
def test_formats_are_told_from_other_texts(text: str, is_format: bool) -> None:
    assert is_date_format(text) == is_format


def test_every_format_is_one_and_looks_like_its_example() -> None:
    for date_format in FORMATS:
        assert is_date_format(date_format)
        assert looks_like(date_format, [example_of(date_format), "soon"]) == 1
    assert example_of("%d.%m.%Y %H:%M") == "31.01.2024 08:05"


@pytest.mark.parametrize(
    ("date_format", "is_time"),
    [("%H:%M", True), ("%H.%M", True), ("%b %Y", False), ("%d %H", False)],
)
def test_a_time_of_a_day_is_told_from_a_date(date_format: str, is_time: bool) -> None:
    assert is_clock(date_format) == is_time
