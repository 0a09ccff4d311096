"""Warnings about columns and targets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_warnings import WarningKind
from bpcli.data.description import Description, describe

ROWS = 40

WAVES = np.sin(np.arange(ROWS))


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def odd(about: Description, column: str) -> set[WarningKind]:
    return {warning.kind for warning in about.warnings if warning.column == column}


NAMES = [f"word {i}" for i in range(ROWS)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None] * ROWS, "empty"),
        ([3] * ROWS, "constant"),
        ([None, *["a"] * (ROWS - 1)], "constant"),
        ([*map(float, range(ROWS - 1)), np.inf], "unreadable"),
        ([*range(ROWS - 1), "abc"], "unreadable"),
        (list(range(7, ROWS + 7)), "id"),
        (list(range(ROWS, 0, -1)), "id"),
        (NAMES, "id"),
        (["0", *["1"] * (ROWS // 2 - 1), *["2"] * (ROWS // 2)], None),
        ([*range(ROWS - 1), ROWS], None),  # a gap
        ((np.arange(ROWS) + 0.5).tolist(), None),
        ([*NAMES[:20], *NAMES[:20]], None),
        ([1.5, 2.5, *[None] * (ROWS - 2)], "mostly missing"),
        ([1.5, 2.5, 2.5, 1.5] * 5 + [None] * 20, None),
        ([f"{i % 2}." for i in range(ROWS)], "copy of the target"),
        ([1.5, 2.5] * 10 + [None] * 20, "copy of the target"),
        (["a", "b", "c", "d"] * 10, None),  # it tells the target, but is no copy
    ],
)
def test_odd_inputs_are_told(values: list, kind: WarningKind | None) -> None:
    about = describe(table(odd=values, plain=WAVES, y=["n", "y"] * (ROWS // 2)))
    assert odd(about, "odd") == ({kind} if kind else set())
    assert ("odd" in about.unusable) == (kind not in (None, "mostly missing"))
    assert "plain" not in about.unusable


def test_a_duration_cannot_be_read() -> None:
    frame = table(wait=pd.timedelta_range("1h", periods=ROWS), y=WAVES)
    about = describe(frame)
    assert (about.columns[0].kind, odd(about, "wait")) == ("category", {"unreadable"})


def test_dates_in_which_day_and_month_can_swap_are_told() -> None:
    days = [f"{1 + 7 * i % 12:02}/{1 + 5 * i % 12:02}/2024" for i in range(ROWS)]
    about = describe(table(day=days, y=WAVES))
    assert (about.columns[0].kind, odd(about, "day")) == ("date", {"ambiguous dates"})
    assert "set `date_format` to %d/%m/%Y" in about.warnings[0].text
    assert odd(describe(table(day=days, y=WAVES), (), "%d/%m/%Y"), "day") == set()


@pytest.mark.parametrize(
    ("numbers", "is_told"),
    [
        ([-999.0, -999, *range(ROWS - 2)], True),
        ([9999.0, 9999, *range(ROWS - 2)], True),
        ([-200.0] * 3 + [float(i) for i in range(0, 10 * (ROWS - 3), 10)], True),
        ([-999.0, *range(ROWS - 1)], False),  # once: it may be an outlier
        ([-1.0] * 3 + [float(i % 7) for i in range(ROWS - 3)], False),
        ([*range(ROWS - 2), ROWS, ROWS], False),
        ([-1.0, 1.0] * (ROWS // 2), False),
        ([99.0, 99, *range(ROWS - 2)], True),
        ([60.0, 60, *range(ROWS - 2)], False),
    ],
)
def test_numbers_that_may_stand_for_missing_values_are_told(numbers: list, is_told: bool) -> None:
    about = describe(table(odd=numbers, y=WAVES))
    assert ("sentinel" in odd(about, "odd")) == is_told
    if is_told:
        text = next(each.text for each in about.warnings if each.kind == "sentinel")
        assert f"set `missing` to {numbers[0]:.0f}" in text
    assert "odd" not in about.unusable


def test_more_words_than_categories_are_told() -> None:
    words = [f"w{i % 51}" for i in range(510)]
    about = describe(table(a=words, b=[w[:2] for w in words], y=np.sin(np.arange(510))))
    assert (odd(about, "a"), odd(about, "b")) == ({"many categories"}, set())


def test_another_unit_of_the_target_is_a_copy() -> None:
    celsius = 20 + 5 * WAVES
    about = describe(table(kelvin=celsius + 273.15, noisy=celsius + 1e-3 * WAVES[::-1], y=celsius))
    assert (odd(about, "kelvin"), odd(about, "noisy")) == ({"copy of the target"}, set())
    assert "determines the target" in about.unusable["kelvin"]


def test_odd_targets_are_told() -> None:
    def of(y: list) -> set[WarningKind]:
        return odd(describe(table(x=np.sin(np.arange(len(y))), y=y)), "y")

    assert of(["a"] * 30 + ["b"] * 3) == {"unbalanced"}
    assert of(["a"] * 29 + ["b"] * 3) == set()
    assert of(["a"] * 10 + ["b"] * 2) == {"rare classes"}
    assert of(["a"] * 10 + ["b"] * 9 + [None]) == {"missing target"}
    assert of([1.5, 2.5, 4.0, None]) == {"missing target"}
    assert of([5.5] * 9) == {"constant"}
