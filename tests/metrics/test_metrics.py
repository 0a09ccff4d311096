from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from bpcli.data.preprocessing import Preprocessor, Split
from bpcli.data.table import Classes, Table, Values
from bpcli.engine.rows import Rows
from bpcli.metrics import metrics
from bpcli.metrics.metrics import METRICS, METRICS_OF, measure, predictions
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Layer, Network
from bpcli.training.objective import NetworkObjective

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))


@pytest.fixture(autouse=True)
def several_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows here are few, and more than are looked at at once all the same."""
    monkeypatch.setattr(metrics, "_ROWS_AT_ONCE", 4)


def fitted(table: Table, output: str, loss: str, outputs: int, target_rule: str = "none"):
    network = Network((Layer(3, outputs, ACTIVATIONS[output]()),), LOSSES[loss]())
    params = np.random.default_rng(1).normal(size=network.n_params)
    prep = Preprocessor.fit(table, np.arange(30), outputs, "none", target_rule)
    split = prep.split("test", table, np.arange(30, 40))
    return split, predictions(network, z_of(network, params, split), prep, split)


def z_of(network: Network, params: np.ndarray, split: Split) -> np.ndarray:
    return NetworkObjective(network, Rows.of(network, split.X, split.Y, params.dtype)).outputs(
        params
    )


@pytest.mark.parametrize(("classes", "output", "loss", "outputs"), [
    (2, "sigmoid", "binary_cross_entropy", 1),
    (3, "softmax", "cross_entropy", 3),
    (2, "softmax", "mse", 2),
])  # fmt: skip
def test_classification_metrics_are_scikit_learns(
    classes: int, output: str, loss: str, outputs: int
) -> None:
    labels = np.random.default_rng(2).integers(0, classes, 40)
    table = Table(X, targets=Classes(labels, tuple("abc"[:classes])))
    split, predicted = fitted(table, output, loss, outputs)
    found = measure(("accuracy", "log_loss"), split, predicted)
    assert found["accuracy"] == reference.accuracy_score(split.labels, predicted.classes)
    p = predicted.outputs if outputs > 1 else np.hstack([1 - predicted.outputs, predicted.outputs])
    expected = reference.log_loss(split.labels, p, labels=range(classes))
    assert found["log_loss"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("target_rule", ["none", "standard", "minmax"])
def test_regression_metrics_are_scikit_learns_in_original_units(target_rule: str) -> None:
    Y = 100 + 20 * RNG.normal(size=(40, 2))
    split, predicted = fitted(Table(X, targets=Values(Y)), "identity", "mse", 2, target_rule)
    found = measure(("rmse", "mae", "r2"), split, predicted)
    truth = Y[30:]
    assert found["rmse"] == pytest.approx(
        reference.root_mean_squared_error(truth.ravel(), predicted.outputs.ravel())
    )
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(truth, predicted.outputs))
    expected = reference.r2_score(truth, predicted.outputs, multioutput="variance_weighted")
    assert found["r2"] == pytest.approx(expected)


def test_log_loss_of_a_certain_and_wrong_network_is_finite() -> None:
    network = Network((Layer(1, 1, ACTIVATIONS["sigmoid"]()),), LOSSES["binary_cross_entropy"]())
    table = Table(np.array([[1.0], [1.0]]), targets=Classes(np.array([0, 1]), ("0", "1")))
    prep = Preprocessor.fit(table, np.arange(2), 1, "none", "none")
    split = prep.split("train", table, np.arange(2))
    predicted = predictions(network, z_of(network, np.array([1000.0, 0.0]), split), prep, split)
    assert predicted.log_losses is not None
    assert predicted.log_losses.tolist() == [1000, 0]


def test_r2_of_a_constant_target_is_undefined() -> None:
    split, predicted = fitted(Table(X, targets=Values(np.full((40, 1), 3.0))), "identity", "mse", 1)
    assert measure(("r2",), split, predicted) == {"r2": None}


def test_every_metric_belongs_to_a_task() -> None:
    assert {name for names in METRICS_OF.values() for name in names} == set(METRICS)


def test_log_loss_is_of_classes_however_targets_are_scaled() -> None:
    network = Network((Layer(1, 1, ACTIVATIONS["sigmoid"]()),), LOSSES["mse"]())
    table = Table(np.array([[1.0], [2.0]]), targets=Classes(np.array([0, 1]), ("0", "1")))
    prep = Preprocessor.fit(table, np.arange(2), 1, "none", "minmax")
    split = prep.split("train", table, np.arange(2))
    found = predictions(network, z_of(network, np.array([1.0, 0.0]), split), prep, split)
    p = 1 / (1 + np.exp(-np.array([1.0, 2.0])))
    assert found.log_losses is not None
    np.testing.assert_allclose(found.log_losses, -np.log([1 - p[0], p[1]]))


@pytest.mark.parametrize(("output", "units"), [("sigmoid", 1), ("softmax", 3)])
def test_rows_of_rounded_probabilities_are_ranked_by_their_logits(output: str, units: int) -> None:
    network = Network((Layer(1, units, ACTIVATIONS[output]()),), LOSSES["mse"]())
    Z = np.array([[30.0, 40, 50]] + [[0.0, 1, -3]] * (units - 1), np.float32)
    table = Table(
        np.zeros((3, 1)), targets=Classes(np.array([0, 1, 1]), ("0", "1", "2")[: max(2, units)])
    )
    prep = Preprocessor.fit(table, np.arange(3), units, "none", "none")
    found = predictions(network, Z, prep, prep.split("test", table, np.arange(3)))
    assert (found.outputs[:, 0] == 1).all()
    assert (np.diff(found.ranks[:, 0]) > 0).all()
    near = predictions(network, Z / 20, prep, prep.split("test", table, np.arange(3)))
    p = near.outputs
    np.testing.assert_allclose(near.ranks, np.log(p / (1 - p)), rtol=1e-5, atol=1e-5)
