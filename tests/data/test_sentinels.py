"""Numbers that may stand for missing values."""

from __future__ import annotations

import numpy as np

from bpcli.data.sentinels import sentinel_in, sentinels_of


def test_what_is_said_has_the_number_its_rows_and_the_range_of_the_others() -> None:
    numbers = np.array([-999.0, 1, 2, 3.5, 4, 5, np.nan, -999])
    assert sentinel_in(numbers) == (
        "has -999 in 2 rows, far from its other values (1 to 5): if it marks missing values, "
        "set `missing` to -999 (--missing -999)"
    )


def test_columns_without_numbers_or_with_one_number_have_none() -> None:
    for numbers in ([], [np.nan], [7.0, 7], [0.0, 0, 1], [np.nan, 3, 3]):
        assert sentinel_in(np.array(numbers)) is None


def test_normal_numbers_hardly_ever_look_like_sentinels(rng: np.random.Generator) -> None:
    for rows in (20, 200):
        for _ in range(300):
            assert sentinel_in(rng.normal(10, 3, rows).round(1)) is None


def test_of_many_columns_those_with_a_sentinel_are_named(rng: np.random.Generator) -> None:
    X = rng.normal(size=(60, 4))
    X[3:6, 2] = 9999
    (said,) = sentinels_of(X, ("a", "b", "c", "d"))
    assert said.startswith("column `c` has 9999 in 3 rows, far from its other values (")
    assert list(sentinels_of(X[:0], ("a", "b", "c", "d"))) == []
