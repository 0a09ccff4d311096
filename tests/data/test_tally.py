"""What is said of gaps that were filled and of unknown categories."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.tally import Tally


def test_nothing_is_said_of_nothing() -> None:
    tally = Tally()
    tally.fill("a", 0, "1")
    tally.unknown("a", Counter(), ("x",))
    assert [*tally.notes()] == []


def test_gaps_are_counted_over_all_blocks_most_first() -> None:
    tally = Tally()
    for _ in range(2):
        for index, name in enumerate("abcde"):
            tally.fill(name, 500 * (index + 1), f"{index}")
    (said,) = tally.notes()
    assert said == (
        "filled 15,000 missing values: `e` (5,000, by 4), `d` (4,000, by 3), `c` (3,000, by 2) and "
        "2 more"
    )


def test_unknown_categories_are_counted_with_examples_and_the_nearest_known() -> None:
    tally = Tally()
    known = ("green", "red")
    tally.unknown("colour", Counter({"gren": 2, "Red": 1}), known)
    tally.unknown("colour", Counter({"violet": 1, "gren": 1, "blue": 1}), known)
    (said,) = tally.notes()
    assert said == (
        "column `colour`: 6 values not seen in training: `gren` (3, similar to `green`), `Red` "
        "(1, similar to `red`), `violet` (1) and 1 more; training with `casefold: true` merges "
        "spellings"
    )


def test_of_many_columns_with_unknown_categories_the_rest_is_counted() -> None:
    tally = Tally()
    for name in "abcde":
        tally.unknown(name, Counter(x=1), ("y",))
    assert [*tally.notes()][3:] == ["2 further columns with unknown categories"]


def test_an_encoder_counts_in_columns_taken_together_and_alone() -> None:
    frame = pd.DataFrame(
        {"a": [1.0, np.nan], "b": [np.nan, np.nan], "c": ["x", "z"], "d": [True, None]}
    )
    encoder = FeatureEncoder(
        (
            InputColumn("a", fill=7.0),
            InputColumn("b", fill=0.5, indicator=True),
            InputColumn("c", "category", ("x", "y"), fill="x"),
            InputColumn("d", "boolean", fill=1.0),
        )
    )
    tally = Tally()
    np.testing.assert_array_equal(
        encoder.encode(frame, tally), [[1, 0.5, 1, 1, 0, 1], [7, 0.5, 1, 0, 0, 1]]
    )
    filled, unknown = tally.notes()
    assert filled == "filled 4 missing values: `b` (2, by 0.5), `a` (1, by 7), `d` (1, by true)"
    assert unknown == "column `c`: 1 value not seen in training: `z` (1)"


def test_rows_with_an_output_that_is_not_finite_are_counted() -> None:
    tally = Tally()
    tally.outputs(np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert [*tally.notes()] == []
    tally.outputs(np.array([[0.5, np.nan], [np.inf, np.nan], [1.0, 2.0]]))
    (said,) = tally.notes()
    assert said == (
        "2 rows with an output that is not a finite number, because an input is too large: do not "
        "use their predictions"
    )
