"""Predictions without a network, against counts by hand and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from bpcli.data.preprocessing import Preprocessor
from bpcli.data.table import Classes, Table, Values
from bpcli.metrics.baselines import constant_of, constant_predictions, principal_components
from bpcli.metrics.metrics import measure

X = np.random.default_rng(0).normal(size=(40, 3))


def test_the_constant_baseline_predicts_the_most_frequent_class_and_the_mean() -> None:
    labels = np.array([0, 1, 1, 1, 0, 2])
    table = Table(X[:6], targets=Classes(labels, ("a", "b", "c")))
    prep = Preprocessor.fit(table, np.arange(4), 3, "none", "none")
    training, test = (
        prep.split("train", table, np.arange(4)),
        prep.split("test", table, np.arange(4, 6)),
    )
    found = measure(
        ("accuracy", "log_loss"), training, constant_predictions(constant_of(training), training)
    )
    assert found["accuracy"] == 0.75
    assert found["log_loss"] == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    unseen = measure(
        ("accuracy", "log_loss"), test, constant_predictions(constant_of(training), test)
    )
    assert unseen == {"accuracy": 0.0, "log_loss": None}  # class c never stood in training

    values = Table(X[:6], targets=Values(np.arange(6.0)[:, None]))
    prep = Preprocessor.fit(values, np.arange(4), 1, "none", "standard")
    training = prep.split("train", values, np.arange(4))
    found = measure(("rmse", "r2"), training, constant_predictions(constant_of(training), training))
    assert found["rmse"] == pytest.approx(np.arange(4).std())
    assert found["r2"] == pytest.approx(0)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_rows_from_principal_components_are_scikit_learns(count: int) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 5)) + 0.1 * rng.normal(size=(30, 5))
    table = Table(values, targets=Values(values))
    prep = Preprocessor.fit(table, np.arange(20), 5, "none", "none")
    training, test = (
        prep.split("train", table, rows) for rows in (np.arange(20), np.arange(20, 30))
    )
    pca = PCA(count).fit(values[:20])
    expected = pca.inverse_transform(pca.transform(values[20:]))
    found = principal_components(training, test, count)
    np.testing.assert_allclose(found.outputs, expected, atol=1e-12)
