"""Tables written out in a config."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.inline import InlineArrays
from bpcli.errors import DataError

RNG = np.random.default_rng


def test_inline_numbers_are_values_and_words_are_classes() -> None:
    table = InlineArrays([[1, 2], [3, 4]], [5, 6]).table(RNG(0))
    assert table.Y is not None
    assert table.Y.tolist() == [[5], [6]]
    table = InlineArrays([1, 2, 3], ["no", "yes", "no"]).table(RNG(0))
    assert table.X.tolist() == [[1], [2], [3]]
    assert table.class_names == ("no", "yes")
    assert table.labels is not None
    assert table.labels.tolist() == [0, 1, 0]


def test_booleans_are_classes() -> None:
    table = InlineArrays([1, 2, 3], [True, False, True]).table(RNG(0))
    assert table.class_names == ("false", "true")
    assert table.labels is not None
    assert table.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ([], [], "inputs has no rows"),
        ([[], []], [1, 2], "inputs has no columns"),
        ([[1, 2], [3]], [1, 2], "row 1 has 2 numbers, row 2 has 1"),
        ([[1], [2]], [1], "2 rows of inputs but 1 of targets"),
        ([[1], [float("inf")]], [1, 2], "row 2, column 1"),
        ([1, 2], ["a", "a\0"], "has control characters"),
    ],
)
def test_inline_rows_that_form_no_table_are_refused(inputs, targets, message: str) -> None:
    with pytest.raises(DataError, match=message):
        InlineArrays(inputs, targets).table(RNG(0))
