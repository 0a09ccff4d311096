"""Columns chosen by name, number or pattern."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_rules import ColumnRules
from bpcli.data.columns import FeatureEncoder
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


NAMES = ["id", "x1", "x2", "x10", "y"]


def test_a_column_that_lacks_is_named_with_one_that_is_near() -> None:
    with pytest.raises(DataError, match="no column `age`; did you mean `Age`"):
        fitted(FRAME, fill="mean").encode(FRAME.rename(columns={"age": "Age"}))
    with pytest.raises(DataError, match="no column `age`; did you mean `ＡＧＥ`"):
        fitted(FRAME, fill="mean").encode(FRAME.rename(columns={"age": "ＡＧＥ"}))


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
