from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bpcli.data.repeats import repeated_rows


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(np.random.default_rng(5).normal(size=(40, 3))),
        pd.DataFrame(np.random.default_rng(6).integers(0, 3, (40, 3))),
        pd.DataFrame({"a": [0.0, -0.0, np.nan, np.nan], "b": [1, 1, 2, 2]}),
        pd.DataFrame({"a": list("aabb"), "b": list("xyyy")}),
        pd.DataFrame({"a": [1.0, 1.0, 1.0], "b": ["x", "y", "x"]}),
        pd.DataFrame({"a": [2**53, 2**53 + 1, 2**53]}),
        pd.DataFrame({"a": [np.inf, np.inf, 1.0]}),
        pd.DataFrame({"a": [1.0], "b": [2.0]}),
    ],
)
def test_rows_are_compared_as_pandas_does(frame: pd.DataFrame) -> None:
    assert repeated_rows(frame) == frame.duplicated().sum()


def test_columns_that_trade_their_values_are_no_repeat() -> None:
    assert repeated_rows(pd.DataFrame({"a": [1.5, 2.5], "b": [2.5, 1.5]})) == 0


def test_lists_are_compared_as_text() -> None:
    assert repeated_rows(pd.DataFrame({"a": [[1], [2], [1]], "b": [1.0, 1.0, 1.0]})) == 1
