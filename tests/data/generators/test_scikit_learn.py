"""Tables that scikit-learn makes or ships."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets

from bpcli.data.generators import GENERATORS
from bpcli.data.generators.scikit_learn import Classification
from bpcli.errors import DataError

RNG = np.random.default_rng


@pytest.mark.parametrize(
    ("name", "rows", "inputs", "classes"),
    [
        ("iris", 150, 4, 3),
        ("wine", 178, 13, 3),
        ("breast_cancer", 569, 30, 2),
        ("digits", 1797, 64, 10),
    ],
)
def test_bundled_classes(name: str, rows: int, inputs: int, classes: int) -> None:
    table = GENERATORS[name]().table(RNG(0))
    assert (*table.X.shape, len(table.class_names)) == (rows, inputs, classes)


def test_iris_is_scikit_learns_and_the_csvs(shared_data) -> None:
    table = GENERATORS["iris"]().table(RNG(0))
    np.testing.assert_array_equal(table.X, datasets.load_iris().data)
    assert table.class_names == ("setosa", "versicolor", "virginica")
    csv = np.loadtxt(shared_data / "csv" / "iris.csv", delimiter=",", usecols=range(4))
    # UCI's file differs from Fisher's paper in two rows, which scikit-learn has mended.
    assert (csv != table.X).any(axis=1).sum() <= 2


def test_diabetes_is_a_regression_of_442_rows() -> None:
    table = GENERATORS["diabetes"]().table(RNG(0))
    assert table.Y is not None
    assert (*table.X.shape, *table.Y.shape) == (442, 10, 442, 1)


def test_options_reach_scikit_learn() -> None:
    table = Classification(n_samples=30, n_features=5, n_classes=3, n_informative=3).table(RNG(0))
    assert (table.X.shape, len(table.class_names)) == ((30, 5), 3)


def test_contradicting_options_are_a_data_error() -> None:
    with pytest.raises(DataError, match="make_classification"):
        Classification(n_features=2, n_informative=5).table(RNG(0))
