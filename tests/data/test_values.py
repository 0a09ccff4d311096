"""The values of a column as numbers and as categories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_rules import ColumnRules
from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.tally import Tally
from bpcli.data.values import as_numbers, category_codes, counted, numbers_or_nan
from bpcli.errors import DataError

TRAINING = np.array([0, 1, 2, 3])


def fitted(frame: pd.DataFrame, training: np.ndarray = TRAINING, **rules: object) -> FeatureEncoder:
    return FeatureEncoder(tuple(ColumnRules(**rules).fit(frame, training, list(frame))))


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
        (["n/k", "2", "3"], "row 1: `n/k` is not a number; see `missing`, `header`, `skip`"),
        (["1", "2", "1,234.5"], "`1,234.5` is not a number; see `decimal`, `thousands`"),
        (["1,5", "2", "3"], "row 1: `1,5` is not a number; see `decimal`, `thousands`"),
        (["a", np.nan, "b"], "column `x`, row 2: the value is missing"),
        (pd.to_timedelta(["1h"] * 3), "only numbers, categories and dates"),
        (
            [*(f"2020-01-{day}" for day in range(10, 20)), "soon"],
            "row 11: `soon` is not a date like 2024-01-31",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named(values, message: str) -> None:
    frame = pd.DataFrame({"x": values})
    with pytest.raises(DataError, match=message):
        fitted(frame, np.arange(3)).encode(frame)


def test_a_value_is_quoted_on_one_line() -> None:
    column = InputColumn("x")
    with pytest.raises(DataError, match=r"`a b Error: c d` is not a number; see `missing`$"):
        column.encode(
            pd.Series(["1", "a\nb\t\u2028Error: c\x85d"], name="x"), np.empty((2, 1)), Tally()
        )


def test_long_whole_numbers_are_exact_as_texts() -> None:
    ids = pd.Series([9007199254740992, 9007199254740993])  # 2⁵³ and the next, the same as floats
    assert tuple(counted(ids)) == ("9007199254740992", "9007199254740993")
    assert category_codes(ids, ["9007199254740993"]).tolist() == [-2, 0]
    texts = ids.astype(str)
    assert category_codes(texts, ["9007199254740992"]).tolist() == [0, -2]


@pytest.mark.parametrize("dtype", [object, "category"])
def test_numbers_in_texts_are_the_nearest_floats(dtype: str | type) -> None:
    numbers = np.random.default_rng(0).normal(size=200)
    texts = pd.Series([*map(repr, numbers.tolist())], dtype=dtype)
    assert numbers_or_nan(texts).tolist() == numbers.tolist()


def test_texts_that_are_no_numbers_are_nan() -> None:
    values = pd.Series(["1_0", " 2.5 ", "1e", None, 3, True, np.nan, "-1e-3"], dtype=object)
    expected = [np.nan, 2.5, np.nan, np.nan, 3, 1, np.nan, -0.001]
    np.testing.assert_array_equal(numbers_or_nan(values), expected)
    assert as_numbers(pd.Series(["1", "2.5"]), "x").tolist() == [1, 2.5]


@pytest.mark.parametrize(
    "values",
    [
        [True, False, True],
        ["TRUE", "false", "True "],
        ["true", None, "true"],
        [1, 0, 1],
        ["1", "0", "1.0"],
        [True, np.nan, True],
    ],
)
@pytest.mark.parametrize("dtype", [object, "category"])
def test_booleans_are_read_however_they_are_written(values: list, dtype: object) -> None:
    column = InputColumn("x", "boolean", fill=0.0)
    out = np.empty((3, 1))
    column.encode(pd.Series(values, dtype=dtype, name="x"), out, Tally())
    assert out.ravel().tolist() == [1, 0, 1]


@pytest.mark.parametrize("wrong", ["yes", "T", "是", "oui", 2, "maybe"])
def test_what_is_no_boolean_is_named_with_its_row(wrong: object) -> None:
    column = InputColumn("x", "boolean")
    for dtype in (object, "category"):
        values = pd.Series(["True", "False", wrong], dtype=dtype, name="x")
        with pytest.raises(DataError) as caught:
            column.encode(values, np.empty((3, 1)), Tally())
        assert str(caught.value) == (
            f"column `x`, row 3: `{wrong}` is neither true nor false: expected true and false, or "
            "1 and 0"
        )


@pytest.mark.parametrize(
    ("values", "categories", "codes"),
    [
        ([1, 0], ["false", "true"], [1, 0]),
        (["1.0", "0"], ["false", "true"], [1, 0]),
        ([True, "FALSE"], ["0", "1"], [1, 0]),
        ([True, "FALSE"], ["False", "True"], [1, 0]),
        (["true", "1"], ["0", "1", "2"], [-2, 1]),
        (["true", "1"], ["1", "true"], [1, 0]),
        (["yes", "T"], ["false", "true"], [-2, -2]),
    ],
)
def test_two_classes_of_booleans_are_known_by_words_and_numbers(
    values: list, categories: list[str], codes: list[int]
) -> None:
    assert category_codes(pd.Series(values, dtype=object), categories).tolist() == codes
