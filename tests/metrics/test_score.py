"""Scores are those of scikit-learn's `accuracy_score` and `r2_score`, with the rows' weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from bpcli.data.preprocessing import Preprocessor
from bpcli.data.table import Classes, MultiLabels, Table, Values
from bpcli.metrics import metrics
from bpcli.metrics.score import Scorer
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Layer, Network

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
WEIGHT = RNG.integers(0, 4, 40).astype(float) + 0.5


@pytest.fixture(autouse=True)
def several_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows here are few, and more than are looked at at once all the same."""
    monkeypatch.setattr(metrics, "_ROWS_AT_ONCE", 4)


def scored(table: Table, output: str, loss: str, outputs: int, rule: str = "none") -> tuple:
    """The score of some z for the last rows, these rows, and the outputs in original units."""
    network = Network((Layer(3, outputs, ACTIVATIONS[output]()),), LOSSES[loss]())
    prep = Preprocessor.fit(table, np.arange(25), outputs, "none", rule)
    split = prep.split("val", table, np.arange(25, 40))
    Z = np.random.default_rng(1).normal(size=(outputs, 15))
    return Scorer(network, split)(Z), split, metrics.original_outputs(network, Z, prep)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weighted"])
@pytest.mark.parametrize(("classes", "output", "loss", "outputs"), [
    (2, "sigmoid", "binary_cross_entropy", 1),
    (3, "softmax", "cross_entropy", 3),
])  # fmt: skip
def test_the_score_of_classes_is_their_accuracy(
    classes: int, output: str, loss: str, outputs: int, weight: np.ndarray | None
) -> None:
    labels = np.random.default_rng(2).integers(0, classes, 40)
    table = Table(X, targets=Classes(labels, tuple("abc"[:classes])), weight=weight)
    found, split, probabilities = scored(table, output, loss, outputs)
    predicted = probabilities.argmax(axis=1) if outputs > 1 else probabilities[:, 0] >= 0.5
    expected = accuracy_score(split.labels, predicted, sample_weight=split.weight)
    assert 0 < expected < 1
    assert found == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weighted"])
def test_the_score_of_labels_counts_rows_with_all_labels_right(
    weight: np.ndarray | None, rng: np.random.Generator
) -> None:
    Y = rng.integers(0, 2, (40, 2)).astype(float)
    table = Table(X, targets=MultiLabels(Y, ("a", "b"), (("no", "yes"),) * 2), weight=weight)
    found, split, probabilities = scored(table, "sigmoid", "binary_cross_entropy", 2)
    expected = accuracy_score(split.values, probabilities >= 0.5, sample_weight=split.weight)
    assert 0 < expected < 1
    assert found == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weighted"])
@pytest.mark.parametrize("rule", ["none", "standard"])
def test_the_score_of_values_is_the_mean_r2_of_the_targets(
    rule: str, weight: np.ndarray | None, rng: np.random.Generator
) -> None:
    Y = np.array([100.0, -3.0]) + np.array([20.0, 0.1]) * rng.normal(size=(40, 2))
    table = Table(X, targets=Values(Y), weight=weight)
    found, split, outputs = scored(table, "identity", "mse", 2, rule)
    expected = r2_score(Y[25:], outputs, sample_weight=split.weight)
    assert found == pytest.approx(expected, rel=1e-12)


def r2(Y: np.ndarray, outputs: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The score of a network that gives these outputs."""
    network = Network((Layer(1, Y.shape[1], ACTIVATIONS["identity"]()),), LOSSES["mse"]())
    table = Table(np.zeros((len(Y), 1)), targets=Values(Y), weight=weight)
    prep = Preprocessor.fit(table, np.arange(len(Y)), Y.shape[1], "none", "none")
    return Scorer(network, prep.split("val", table, np.arange(len(Y))))(outputs.T)


def test_r2_of_a_constant_target_is_one_or_zero_as_scikit_learns() -> None:
    Y = np.array([0.1, 0.1, 1.0]) + np.arange(9)[:, np.newaxis] ** 2 * [0.0, 0.0, 1.0]
    outputs = Y + np.array([0.0, 0.5, 0.5])
    of_last = r2_score(Y[:, 2], outputs[:, 2], sample_weight=WEIGHT[:9])
    assert r2(Y, outputs, WEIGHT[:9]) == pytest.approx((1 + 0 + of_last) / 3)
    assert r2(Y[:, :2], outputs[:, :2]) == 0.5


def test_infinite_outputs_have_no_score_but_no_warning_either() -> None:
    Y = np.arange(9.0)[:, np.newaxis]
    assert r2(Y, np.full((9, 1), 1e200)) == -math.inf
    assert math.isnan(r2(Y, np.full((9, 1), math.nan)))
