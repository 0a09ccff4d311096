from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_rules import MOST_CATEGORIES, ColumnRules
from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.selection import select
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


@pytest.mark.parametrize(
    ("rule", "value"), [("mean", 4.0), ("median", 2.0), ("most_frequent", 1.0)]
)
def test_fills_are_those_of_the_training_rows(rule: str, value: float) -> None:
    frame = pd.DataFrame({"x": [1.0, 1, 2, 3, 13, np.nan, 1e6]})
    encoding = fitted(frame, np.arange(6), fill=rule)
    assert encoding.encode(frame)[5, 0] == value


def test_a_rule_by_column_goes_before_one_by_pattern() -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 6, np.nan], "b": [1.0, 2, 6, np.nan]})
    encoding = fitted(frame, fill={"*": "mean", "b": "median"})
    assert encoding.encode(frame)[3].tolist() == [3, 2]


def test_an_encoding_survives_json() -> None:
    encoding = fitted(FRAME, fill="median", indicator=("age",))
    saved = json.loads(json.dumps(encoding.to_json()))
    assert FeatureEncoder.from_json(saved) == encoding


def test_the_order_of_columns_and_rows_changes_nothing_but_the_order() -> None:
    encoding = fitted(FRAME, fill="mean")
    moved = FRAME.iloc[::-1][["new", "job", "age"]]
    np.testing.assert_array_equal(encoding.encode(moved), encoding.encode(FRAME)[::-1])


def test_numbers_as_categories_are_sorted_as_numbers_and_met_again_as_text() -> None:
    encoding = fitted(pd.DataFrame({"n": [10, 9, 100, 9]}), categories=("n",))
    assert encoding.names == ("n=9", "n=10", "n=100")
    again = pd.DataFrame({"n": ["10.0", "9", "8"]})
    assert encoding.encode(again).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert encoding.text == ("n",)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, np.nan, 3], "column `x`, row 2: the value is missing; set `fill`"),
        ([1.0, 2, np.inf], "column `x`, row 3: the value is infinite"),
        (["1", "2", "three"], "column `x`, row 3: `three` is not a number"),
        (["1,5", "2", "3"], "row 1: `1,5` is not a number; for decimal commas"),
        (["a", np.nan, "b"], "column `x`, row 2: the value is missing"),
        (pd.to_datetime(["2020-01-01"] * 3), "only numbers and categories"),
    ],
)
def test_a_value_that_does_not_fit_is_named(values, message: str) -> None:
    frame = pd.DataFrame({"x": values})
    with pytest.raises(DataError, match=message):
        fitted(frame, np.arange(3)).encode(frame)


def test_a_row_of_a_later_block_is_counted_from_the_files_first() -> None:
    block = pd.DataFrame({"x": [1.0, np.nan]}, index=[1000, 1001])
    with pytest.raises(DataError, match="column `x`, row 1002: "):
        FeatureEncoder((InputColumn("x"),)).encode(block)


def test_too_many_words_are_refused_with_advice_unless_they_are_asked_for() -> None:
    frame = pd.DataFrame({"id": [f"n{i}" for i in range(MOST_CATEGORIES + 1)]})
    everything = np.arange(len(frame))
    with pytest.raises(DataError, match=r'51 unique values.*inputs: \["!id"\].*categories'):
        fitted(frame, everything)
    assert len(fitted(frame, everything, categories=("id",)).names) == MOST_CATEGORIES + 1


def test_a_column_without_training_values_cannot_be_filled() -> None:
    frame = pd.DataFrame({"x": [np.nan, np.nan, 3]})
    with pytest.raises(DataError, match="no value in the training rows"):
        fitted(frame, np.array([0, 1]), fill="mean")


def test_a_column_that_lacks_is_named_with_one_that_is_near() -> None:
    with pytest.raises(DataError, match="no column `age`; did you mean `Age`"):
        fitted(FRAME, fill="mean").encode(FRAME.rename(columns={"age": "Age"}))


def test_classes_are_found_again_and_unknown_ones_named() -> None:
    encoding = FeatureEncoder((InputColumn("x"),), ("y",), ("1", "2", "10"))
    assert encoding.labels(pd.DataFrame({"y": [10.0, 1, 2]})).tolist() == [2, 0, 1]
    with pytest.raises(DataError, match="row 2: `3` is none of the classes 1, 2, 10"):
        encoding.labels(pd.DataFrame({"y": ["10", "3"]}))


NAMES = ["id", "x1", "x2", "x10", "y"]


@pytest.mark.parametrize(
    ("selectors", "chosen"),
    [
        (("x2", "id"), ["x2", "id"]),
        ((2, 5), ["x1", "y"]),
        (("x*",), ["x1", "x2", "x10"]),
        (("x?", "x*"), ["x1", "x2", "x10"]),
        (("!id",), ["x1", "x2", "x10", "y"]),
        (("x*", "!x10"), ["x1", "x2"]),
    ],
)
def test_columns_are_chosen_by_name_number_or_pattern(selectors, chosen) -> None:
    assert select(NAMES, selectors, "inputs") == chosen


@pytest.mark.parametrize(
    ("selector", "message"),
    [("z*", "no column `z\\*`; the columns are id"), (6, "1 to 5"), (0, "no column 0")],
)
def test_a_selector_that_chooses_nothing_is_refused(selector, message: str) -> None:
    with pytest.raises(DataError, match=message):
        select(NAMES, (selector,), "inputs")


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (
            pd.DataFrame({"a": ["b=c", "d"], "a=b": ["c", "e"]}),
            "the columns `a` and `a=b` both make an input `a=b=c`: rename one of them",
        ),
        (
            pd.DataFrame({"n": [1.0, np.nan], "n missing": [1.0, 2]}),
            "the columns `n` and `n missing` both make an input `n missing`",
        ),
    ],
)
def test_two_inputs_of_one_name_are_an_error(frame: pd.DataFrame, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as caught:
        fitted(frame, np.arange(2), fill="most_frequent", indicator=True)
    assert caught.value.key == "inputs"


@pytest.mark.parametrize("name", ["{x}", "{", "{}", "{0}", "%s", "a{b}c"])
def test_a_class_of_any_name_can_be_named(name: str) -> None:
    encoding = FeatureEncoder((), ("y",), ("plain", name))
    with pytest.raises(DataError, match="row 1: `other` is none of the classes plain, ") as caught:
        encoding.labels(pd.DataFrame({"y": ["other"]}))
    assert str(caught.value).endswith(f"plain, {name}")


def test_a_value_is_quoted_on_one_line() -> None:
    column = InputColumn("x")
    with pytest.raises(DataError, match=r"`a b Error: c d` is not a number$"):
        column.encode(pd.Series(["1", "a\nb\t\u2028Error: c\x85d"], name="x"), np.empty((2, 1)))
