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
        (list(range(7, ROWS + 7)), "row numbers"),
        (list(range(ROWS, 0, -1)), "row numbers"),
        (NAMES, "names"),
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


def test_dates_are_words_that_cannot_be_read() -> None:
    frame = table(day=pd.date_range("2020-01-01", periods=ROWS), y=WAVES)
    assert (describe(frame).columns[0].kind, odd(describe(frame), "day")) == (
        "category",
        {"unreadable"},
    )


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
