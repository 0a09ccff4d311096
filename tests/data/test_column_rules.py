"""What is fitted on the training rows of a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_rules import MOST_CATEGORIES, ColumnRules
from bpcli.data.columns import FeatureEncoder
from bpcli.errors import DataError

TRAINING = np.array([0, 1, 2, 3])


def fitted(frame: pd.DataFrame, training: np.ndarray = TRAINING, **rules: object) -> FeatureEncoder:
    return FeatureEncoder(tuple(ColumnRules(**rules).fit(frame, training, list(frame))))


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


def test_too_many_words_are_refused_with_advice_unless_they_are_asked_for() -> None:
    frame = pd.DataFrame({"id": [f"n{i}" for i in range(MOST_CATEGORIES + 1)]})
    everything = np.arange(len(frame))
    with pytest.raises(DataError, match=r'51 unique values.*inputs: \["!id"\].*categories'):
        fitted(frame, everything)
    assert len(fitted(frame, everything, categories=("id",)).names) == MOST_CATEGORIES + 1


def test_a_column_without_training_values_cannot_be_filled() -> None:
    frame = pd.DataFrame({"x": [np.nan, np.nan, 3]})
    with pytest.raises(DataError, match="no value in any training row"):
        fitted(frame, np.array([0, 1]), fill="mean")


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (
            pd.DataFrame({"a": ["b=c", "d"], "a=b": ["c", "e"]}),
            "the columns `a` and `a=b` both produce an input named `a=b=c`: rename one of them",
        ),
        (
            pd.DataFrame({"n": [1.0, np.nan], "n missing": [1.0, 2]}),
            "the columns `n` and `n missing` both produce an input named `n missing`",
        ),
    ],
)
def test_two_inputs_of_one_name_are_an_error(frame: pd.DataFrame, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as caught:
        fitted(frame, np.arange(2), fill="most_frequent", indicator=True)
    assert caught.value.key == "inputs"
