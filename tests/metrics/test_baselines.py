"""Predictions without a network, against counts by hand and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.metrics import log_loss

from bpcli.data.preprocessing import Preprocessor, Split
from bpcli.data.table import Classes, MultiLabels, Table, Values
from bpcli.metrics import metrics
from bpcli.metrics.baselines import ConstantBaseline, PrincipalComponents, constant_of
from bpcli.metrics.measures import Measures, Scores

X = np.random.default_rng(0).normal(size=(40, 3))


@pytest.fixture(autouse=True)
def several_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows here are few, and more than are looked at at once all the same."""
    monkeypatch.setattr(metrics, "_ROWS_AT_ONCE", 3)


def measured(names: tuple[str, ...], training: Split, split: Split) -> Scores:
    """The metrics of the constant baseline of the training rows."""
    baseline = ConstantBaseline(constant_of(training))
    return Measures(baseline, split, names).of(np.empty((0, len(split))))


def test_the_constant_baseline_predicts_the_most_frequent_class_and_the_mean() -> None:
    labels = np.array([0, 1, 1, 1, 0, 2])
    table = Table(X[:6], targets=Classes(labels, ("a", "b", "c")))
    prep = Preprocessor.fit(table, np.arange(4), 3, "none", "none")
    training, test = (
        prep.split("train", table, np.arange(4)),
        prep.split("test", table, np.arange(4, 6)),
    )
    found = measured(("accuracy", "log_loss"), training, training)
    assert found["accuracy"] == 0.75
    assert found["log_loss"] == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    unseen = measured(("accuracy", "log_loss"), training, test)
    assert unseen == {"accuracy": 0.0, "log_loss": None}  # class c never stood in training

    values = Table(X[:6], targets=Values(np.arange(6.0)[:, None]))
    prep = Preprocessor.fit(values, np.arange(4), 1, "none", "standard")
    training = prep.split("train", values, np.arange(4))
    found = measured(("rmse", "r2"), training, training)
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
    found = PrincipalComponents.fit(training, count)(test, np.empty((0, 10)))
    np.testing.assert_allclose(found.outputs, expected, atol=1e-12)


def test_the_constant_baseline_of_labels_is_the_most_frequent_value_of_each() -> None:
    rng = np.random.default_rng(3)
    Y = (rng.random((40, 3)) < [0.2, 0.5, 0.9]).astype(np.float64)
    Y[:30, 1] = np.arange(30) % 2  # a tie is 0, as of classes
    table = Table(X, targets=MultiLabels(Y, ("a", "b", "c"), (("no", "yes"),) * 3))
    prep = Preprocessor.fit(table, np.arange(30), 3, "none", "none")
    training, test = (
        prep.split("train", table, rows) for rows in (np.arange(30), np.arange(30, 40))
    )
    found = ConstantBaseline(constant_of(training))(test, np.empty((0, 10)))
    expected = DummyClassifier(strategy="most_frequent").fit(X[:30], Y[:30]).predict(X[30:])
    np.testing.assert_array_equal(found.labels, expected)
    scores = measured(("accuracy", "log_loss"), training, test)
    assert scores["accuracy"] == pytest.approx((expected == Y[30:]).mean())
    losses = [
        log_loss(y, np.full(10, share), labels=[0, 1])
        for y, share in zip(Y[30:].T, Y[:30].mean(axis=0), strict=True)
    ]
    assert scores["log_loss"] == pytest.approx(np.mean(losses))


def test_a_label_that_never_stood_in_training_has_an_undefined_log_loss() -> None:
    Y = np.array([[0.0, 1], [0, 0], [1, 1]])
    table = Table(X[:3], targets=MultiLabels(Y, ("a", "b"), (("0", "1"),) * 2))
    prep = Preprocessor.fit(table, np.arange(2), 2, "none", "none")
    training, test = (prep.split("train", table, np.array(rows)) for rows in ([0, 1], [2]))
    assert measured(("log_loss",), training, test)["log_loss"] is None
    known = measured(("log_loss",), training, training)
    assert known["log_loss"] == pytest.approx(np.log(2) / 2)
