from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from bpcli.data.preprocessing import Preprocessor, Split
from bpcli.data.table import Classes, MultiLabels, Table, Values
from bpcli.engine.rows import Rows
from bpcli.metrics import metrics
from bpcli.metrics.measures import Measures, Scores
from bpcli.metrics.metrics import METRICS, METRICS_OF, Predictions, predictions
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
    return network, split, z_of(network, params, split)


def measured(names: tuple[str, ...], network: Network, split: Split, Z: np.ndarray) -> Scores:
    """The metrics by name, of all targets together."""
    return Measures.of_network(network, split, names, in_detail=False).of(Z)


def measured_targets(
    names: tuple[str, ...], network: Network, split: Split, Z: np.ndarray
) -> Scores:
    """The metrics of single targets by name."""
    found = Measures.of_network(network, split, names).of(Z)
    return {key: value for key, value in found.items() if "." in key}


def predicted(network: Network, split: Split, Z: np.ndarray) -> Predictions:
    return predictions(network, Z, split.preprocessor, split)


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
    subject = fitted(table, output, loss, outputs)
    labels, said = subject[1].labels, predicted(*subject)
    found = measured(("accuracy", "log_loss"), *subject)
    assert found["accuracy"] == reference.accuracy_score(labels, said.classes)
    p = said.outputs if outputs > 1 else np.hstack([1 - said.outputs, said.outputs])
    expected = reference.log_loss(labels, p, labels=range(classes))
    assert found["log_loss"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("target_rule", ["none", "standard", "minmax"])
def test_regression_metrics_are_scikit_learns_in_original_units(
    target_rule: str, rng: np.random.Generator
) -> None:
    Y = 100 + 20 * rng.normal(size=(40, 2))
    subject = fitted(Table(X, targets=Values(Y)), "identity", "mse", 2, target_rule)
    found = measured(("rmse", "mae", "r2"), *subject)
    truth, said = Y[30:], predicted(*subject).outputs
    assert found["rmse"] == pytest.approx(
        reference.root_mean_squared_error(truth.ravel(), said.ravel())
    )
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(truth, said))
    expected = reference.r2_score(truth, said, multioutput="variance_weighted")
    assert found["r2"] == pytest.approx(expected)


def test_log_loss_of_a_certain_and_wrong_network_is_finite() -> None:
    network = Network((Layer(1, 1, ACTIVATIONS["sigmoid"]()),), LOSSES["binary_cross_entropy"]())
    table = Table(np.array([[1.0], [1.0]]), targets=Classes(np.array([0, 1]), ("0", "1")))
    prep = Preprocessor.fit(table, np.arange(2), 1, "none", "none")
    split = prep.split("train", table, np.arange(2))
    found = predictions(network, z_of(network, np.array([1000.0, 0.0]), split), prep, split)
    assert found.log_losses is not None
    assert found.log_losses.tolist() == [1000, 0]


def test_r2_of_a_constant_target_is_undefined() -> None:
    subject = fitted(Table(X, targets=Values(np.full((40, 1), 0.1))), "identity", "mse", 1)
    assert measured(("r2",), *subject) == {"r2": None}


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
    found = predictions(network, Z, prep)
    assert (found.outputs[:, 0] == 1).all()
    assert (np.diff(found.ranks[:, 0]) > 0).all()
    near = predictions(network, Z / 20, prep)
    p = near.outputs
    np.testing.assert_allclose(near.ranks, np.log(p / (1 - p)), rtol=1e-5, atol=1e-5)


NAMES = ("a", "b", "c.d")


def of_labels(seed: int, *, rare: bool):
    """Labels of random rows; those that are rare have no row in the split."""
    rng = np.random.default_rng(seed)
    Y = (rng.random((40, 3)) < 0.4).astype(np.float64)
    Y[30:, 2] *= not rare
    table = Table(X, targets=MultiLabels(Y, NAMES, (("no", "yes"),) * 3))
    return fitted(table, "sigmoid", "binary_cross_entropy", 3)


@pytest.mark.parametrize("rare", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_metrics_of_labels_are_scikit_learns(seed: int, rare: bool) -> None:
    subject = of_labels(seed, rare=rare)
    outputs = predicted(*subject).outputs
    true, said = subject[1].values, (outputs >= 0.5).astype(int)
    found = measured(METRICS_OF["multilabel"], *subject)
    assert found["accuracy"] == pytest.approx(1 - reference.hamming_loss(true, said))
    assert found["exact_match"] == pytest.approx(reference.accuracy_score(true, said))
    for name in ("precision", "recall", "f1"):
        score = getattr(reference, f"{name}_score")
        expected = score(true, said, average="macro", zero_division=np.nan)
        assert found[name] == pytest.approx(expected)
    assert found["f1_micro"] == pytest.approx(reference.f1_score(true, said, average="micro"))
    losses = [
        reference.log_loss(y, p, labels=[0, 1]) for y, p in zip(true.T, outputs.T, strict=True)
    ]
    assert found["log_loss"] == pytest.approx(np.mean(losses), rel=1e-12)


@pytest.mark.parametrize("rare", [False, True])
def test_each_label_has_metrics_of_its_own(rare: bool) -> None:
    subject = of_labels(1, rare=rare)
    found = measured_targets(METRICS_OF["multilabel"], *subject)
    assert len(found) == 3 * 4
    for k, name in enumerate(NAMES):
        true = subject[1].values[:, k]
        said = (predicted(*subject).outputs[:, k] >= 0.5).astype(int)
        assert found[f"accuracy.{name}"] == pytest.approx(reference.accuracy_score(true, said))
        for metric in ("precision", "recall", "f1"):
            score = getattr(reference, f"{metric}_score")(true, said, zero_division=np.nan)
            expected = None if np.isnan(score) else pytest.approx(score)
            assert found[f"{metric}.{name}"] == expected
    assert (found["recall.c.d"] is None) == rare


def test_nothing_is_defined_of_labels_that_no_row_has_and_none_is_said_to_have() -> None:
    table = Table(X, targets=MultiLabels(np.zeros((40, 2)), ("a", "b"), (("0", "1"),) * 2))
    prep = Preprocessor.fit(table, np.arange(40), 2, "none", "none")
    network = Network((Layer(3, 2, ACTIVATIONS["sigmoid"]()),), LOSSES["mse"]())
    split = prep.split("train", table, np.arange(40))
    found = measured(METRICS_OF["multilabel"], network, split, np.full((2, 40), -1.0))
    undefined = {name for name, value in found.items() if value is None}
    assert undefined == {"precision", "recall", "f1", "f1_micro"}
    assert found["exact_match"] == 1


def test_labels_by_outputs_that_are_no_probabilities_have_no_log_loss() -> None:
    table = Table(
        X, targets=MultiLabels(np.eye(2)[np.arange(40) % 2], ("a", "b"), (("0", "1"),) * 2)
    )
    found = measured(METRICS_OF["multilabel"], *fitted(table, "identity", "mse", 2))
    assert [name for name, value in found.items() if value is None] == ["log_loss"]


@pytest.mark.parametrize("target_rule", ["none", "standard"])
def test_each_of_several_values_has_metrics_in_its_own_units(
    target_rule: str, rng: np.random.Generator
) -> None:
    Y = np.column_stack([100 + 20 * X[:, 0], X[:, 1] / 10]) + rng.normal(size=(40, 2)) / 20
    table = Table(X, targets=Values(Y, ("height", "share")))
    subject = fitted(table, "identity", "mse", 2, target_rule)
    found = measured_targets(("r2", "rmse", "mae"), *subject)
    for k, name in enumerate(("height", "share")):
        truth, said = Y[30:, k], predicted(*subject).outputs[:, k]
        rmse = reference.root_mean_squared_error(truth, said)
        assert found[f"rmse.{name}"] == pytest.approx(rmse)
        assert found[f"mae.{name}"] == pytest.approx(reference.mean_absolute_error(truth, said))
        assert found[f"r2.{name}"] == pytest.approx(reference.r2_score(truth, said))
    assert len(found) == 6
    assert measured_targets(("rmse",), *subject).keys() == {"rmse.height", "rmse.share"}


def test_a_single_target_and_an_autoencoder_have_no_metrics_of_single_targets() -> None:
    single = fitted(Table(X, targets=Values(X[:, :1], ("y",))), "identity", "mse", 1)
    assert measured_targets(("rmse",), *single) == {}
    again = Table(X, ("a", "b", "c")).with_inputs_as_targets()
    assert measured_targets(("rmse",), *fitted(again, "identity", "mse", 3)) == {}
