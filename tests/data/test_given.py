from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from bpcli.data.given import GivenArrays
from bpcli.errors import DataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 2))
Y = X[:, 0]
LABELS = np.array([[0, 1], [1, 1], [0, 0], [1, 0], [1, 1], [0, 1]])


@pytest.mark.parametrize(
    ("arrays", "key", "message"),
    [
        ({"inputs": X[:, :0]}, "inputs", "inputs has no columns"),
        ({"inputs": X[:0]}, "inputs", "inputs has no rows"),
        ({"inputs": X.astype(str)}, "inputs", "2 dimensions of type <U"),
        ({"inputs": np.where(X[3, 1] == X, np.nan, X)}, "inputs", "not finite: row 4, column 2"),
        ({"input_names": ("a",)}, "input_names", "1 name for 2 columns: give one for each"),
        ({"targets": Y[:5]}, "targets", "6 rows of inputs but 5 of targets"),
        ({"targets": np.array(3.0)}, "targets", "6 rows of inputs but a single value of targets"),
        ({"target_names": ("a", "b")}, "target_names", "2 names for 1 column"),
        ({"targets": LABELS.astype(str)}, "targets", "classes must be one column"),
        ({"targets": LABELS[:, 0], "classes": ("a", "a")}, "classes", "listed twice"),
        ({"targets": LABELS[:, 0] + 1, "classes": ("a", "b")}, "targets", "are 0 to 1"),
        ({"targets": Y, "classes": ("a", "b")}, "targets", "their indices: whole numbers"),
        ({"targets": LABELS, "classes": ("a",)}, "targets", "expected 1 column of targets"),
        ({"targets": LABELS / 2, "classes": ("a", "b")}, "targets", "labels are 0 or 1"),
        ({"targets": LABELS + np.nan, "classes": ("a", "b")}, "targets", "labels are 0 or 1"),
        ({"weight": np.ones(5)}, "weight", "6 rows of inputs but 5 of weight"),
        ({"weight": np.ones((6, 1))}, "weight", "weight has 2 dimensions of type float64"),
        ({"weight": np.array(["1"] * 6)}, "weight", "weight has 1 dimension of type <U1"),
        ({"weight": np.arange(6)}, "weight", "the weight 0 of row 1 is not a finite number"),
        ({"splits": {"val": np.array([0.5])}}, "splits", "are not a list of row numbers"),
        ({"splits": {"val": np.array([2, 6])}}, "splits", "are 2 to 6, but .* rows 0 to 5"),
        ({"splits": {"val": np.array([4, 4])}}, "splits", "row 4, .* in the splits 2 times"),
        (
            {"splits": {"train": np.array([0, 1]), "val": np.array([1])}},
            "splits",
            "row 1, counted from 0, is in the splits 2 times: list it once",
        ),
    ],
)
def test_arrays_that_do_not_fit_together(
    arrays: dict[str, Any], key: str, message: str, rng: np.random.Generator
) -> None:
    given = GivenArrays(**({"inputs": X, "targets": Y} | arrays))
    with pytest.raises(DataError, match=message) as caught:
        given.table(rng)
    assert caught.value.key == key


def test_a_file_gives_back_the_rows(rng: np.random.Generator) -> None:
    given = GivenArrays(
        X, LABELS, np.arange(1.0, 7), ("a", "b"), ("up", "down"), splits={"val": np.array([2, 5])}
    )
    arrays = dict(np.load(io.BytesIO(given.to_bytes())))
    table, again = given.table(rng), GivenArrays.of_arrays(arrays).table(rng)
    assert again.input_names == table.input_names == ("up", "down")
    np.testing.assert_array_equal(again.X, X)
    np.testing.assert_array_equal(again.weight, given.weight)
    np.testing.assert_array_equal(again.splits["val"], [2, 5])
    assert again.targets.names == table.targets.names == ("a", "b")
