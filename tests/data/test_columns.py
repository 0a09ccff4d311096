"""Columns as inputs of a network."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data import columns
from bpcli.data.column_rules import ColumnRules
from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.tally import Tally
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


NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=3, max_size=3)
FITTED = st.builds(
    InputColumn,
    name=st.just(""),
    kind=st.sampled_from(["number", "boolean"]),
    fill=st.floats(-5, 5),
    indicator=st.booleans(),
)


@given(st.lists(st.tuples(FITTED, NUMBERS), min_size=1, max_size=6), st.data())
def test_columns_encoded_at_once_are_those_encoded_one_by_one(
    given_columns: list[tuple[InputColumn, list[float | None]]], data: st.DataObject
) -> None:
    named = [replace(column, name=f"c{i}") for i, (column, _) in enumerate(given_columns)]
    frame = pd.DataFrame(
        {
            column.name: [None if v is None else float(v > 0) for v in values]
            if column.kind == "boolean"
            else pd.array(values, data.draw(st.sampled_from(["float64", "Float64", "object"])))
            for column, (_, values) in zip(named, given_columns, strict=True)
        }
    )
    encoder = FeatureEncoder(tuple(named))
    one_by_one = []
    for column in named:
        out = np.empty((3, len(column.names)))
        column.encode(frame[column.name], out, Tally())
        one_by_one.append(out)
    np.testing.assert_array_equal(encoder.encode(frame), np.hstack(one_by_one))


def test_a_table_of_many_columns_of_numbers_is_encoded_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = pd.DataFrame(np.arange(6000.0).reshape(3, 2000)).add_prefix("w")
    encoder = FeatureEncoder(tuple(InputColumn(name, fill=0.0) for name in frame))
    monkeypatch.setattr(InputColumn, "encode", None)
    monkeypatch.setattr(columns, "_VALUES_AT_ONCE", 1000)
    np.testing.assert_array_equal(encoder.encode(frame), frame)


@pytest.mark.parametrize(("value", "message"), [(np.nan, "value is missing"), (np.inf, "infinite")])
def test_the_first_wrong_number_of_many_columns_is_named(value: float, message: str) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, value], "c": [value, 1.0]})
    encoder = FeatureEncoder(tuple(InputColumn(name) for name in frame))
    with pytest.raises(DataError, match=f"column `b`, row 2: .*{message}"):
        encoder.encode(frame)
