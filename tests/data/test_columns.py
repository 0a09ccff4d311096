"""Columns as inputs of a network."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_rules import ColumnRules
from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.errors import DataError

FRAME = pd.DataFrame(
    {
        "age": [30.0, np.nan, 50, 10, 1000],
        "job": ["cook", "nurse", np.nan, "cook", "pilot"],
        "new": [True, False, True, True, False],
    }
)

TRAINING = np.array([0, 1, 2, 3])


def fitted(frame: pd.DataFrame, training: np.ndarray = TRAINING, **rules: object) -> FeatureEncoder:
    return FeatureEncoder(tuple(ColumnRules(**rules).fit(frame, training, list(frame))))


def test_words_are_one_hot_and_booleans_one_input() -> None:
    encoding = fitted(FRAME, fill="mean", indicator=True)
    assert encoding.names == (
        *("age", "age missing"),
        *("job=cook", "job=nurse", "job missing"),
        "new",
    )
    np.testing.assert_array_equal(
        encoding.encode(FRAME),
        [  # filled with the training rows' mean age 30, most frequent job; pilots were never seen
            [30, 0, 1, 0, 0, 1],
            [30, 1, 0, 1, 0, 0],
            [50, 0, 1, 0, 1, 1],
            [10, 0, 1, 0, 0, 1],
            [1000, 0, 0, 0, 0, 0],
        ],
    )


def test_an_encoding_survives_json() -> None:
    encoding = fitted(FRAME, fill="median", indicator=("age",))
    saved = json.loads(json.dumps(encoding.to_json()))
    assert FeatureEncoder.from_json(saved) == encoding


def test_the_order_of_columns_and_rows_changes_nothing_but_the_order() -> None:
    encoding = fitted(FRAME, fill="mean")
    moved = FRAME.iloc[::-1][["new", "job", "age"]]
    np.testing.assert_array_equal(encoding.encode(moved), encoding.encode(FRAME)[::-1])


def test_a_row_of_a_later_block_is_counted_from_the_files_first() -> None:
    block = pd.DataFrame({"x": [1.0, np.nan]}, index=[1000, 1001])
    with pytest.raises(DataError, match="column `x`, row 1002: "):
        FeatureEncoder((InputColumn("x"),)).encode(block)
