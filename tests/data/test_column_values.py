"""A column as descriptions look at it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_values import ColumnValues, columns_of, numbers_of


def column(values: object) -> ColumnValues:
    return ColumnValues.of(pd.Series(values, name="c"))


def test_values_that_are_written_alike_are_one_category() -> None:
    of_text = column(["a", " a", "b", None])
    assert (of_text.kind, of_text.unique, of_text.missing) == ("category", 2, 1)
    assert of_text.labels.tolist() == [0, 0, 1, -1]
    assert of_text.counted == (("a", 2), ("b", 1))


def test_what_cannot_be_read_is_no_number_and_says_why() -> None:
    mixed = column([1.0, np.inf, np.nan])
    assert (mixed.kind, mixed.summary.low, mixed.summary.high) == ("number", 1, 1)
    assert mixed.error is not None
    assert "row 2: the value is infinite" in mixed.error
    assert not mixed.is_whole


@pytest.mark.parametrize(
    ("values", "is_whole", "counts_up"),
    [
        ([0, 1, 2, 1], True, True),
        ([1, 2, 3], True, True),
        ([2, 3, 4], True, False),
        ([0, 2], True, False),
        ([0.5, 1], False, False),
        (["0", "1"], True, True),
        ([True, False], False, False),
    ],
)
def test_whole_numbers_may_count_from_0_or_1(values: list, is_whole: bool, counts_up: bool) -> None:
    found = column(values)
    assert (found.is_whole, found.counts_up) == (is_whole, counts_up)


def test_booleans_are_0_and_1() -> None:
    assert numbers_of(column([True, False, True])).tolist() == [1, 0, 1]


def test_lists_cannot_be_read_but_counted() -> None:
    lists = column([[1], [2], [1], None])
    assert "contains neither numbers nor categories" in str(lists.error)
    assert (lists.unique, lists.missing) == (2, 1)


def test_many_columns_at_once_are_summarised_as_each_alone() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(50, 3)), columns=["a", "b", "c"])
    frame = frame.assign(
        gaps=frame["a"].mask(frame["a"] > 0),
        empty=np.nan,
        zeros=[0.0, -0.0] * 25,
        tenth=0.1,
        large=1e300 * frame["b"],
        whole=range(50),
        ids=2**53 + np.arange(50),
        infinite=[np.inf, *[1.5] * 49],
        word="w",
    )
    (columns,) = columns_of(frame)
    for at_once, name in zip(columns, frame, strict=True):
        alone = column(frame[name])
        assert (at_once.name, at_once.kind) == (name, alone.kind)
        assert at_once.summary == pytest.approx(alone.summary, rel=1e-13, nan_ok=True)
        assert at_once.labels.tolist() == alone.labels.tolist()
        assert at_once.counted == alone.counted
    assert [each.name for each in columns if not each.known_summary] == ["ids", "infinite", "word"]
