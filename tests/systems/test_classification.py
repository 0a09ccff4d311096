"""The classifying systems, against scikit-learn, plain loops and given parameters."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from systems import CONFIGS, System, trained
from tampered import log_of

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.workflows.predict import predict_rows

IS_FULL = bool(os.environ.get("BPNET_FULL"))


def unpenalised_accuracy(system: System) -> float:
    split = system.split()
    reference = LogisticRegression(C=np.inf, max_iter=10_000, tol=1e-8).fit(split.X, split.labels)
    return float(reference.score(split.X, split.labels))


def test_logistic_regression_is_as_accurate_as_scikit_learns(tmp_path: Path) -> None:
    gaps = []
    for seed in range(20 if IS_FULL else 6):
        system = trained(tmp_path, "logistic_regression", seed=seed)
        gaps.append(system.scores()["accuracy"] - unpenalised_accuracy(system))
    assert abs(gaps[0]) <= 0.01
    assert np.median(np.abs(gaps)) < 0.005


def test_a_hidden_layer_beats_logistic_regression(tmp_path: Path) -> None:
    systems = [
        trained(tmp_path, "logistic_two_layer", seed=seed) for seed in range(10 if IS_FULL else 4)
    ]
    accuracies = [system.scores()["accuracy"] for system in systems]
    assert min(accuracies) >= 0.91
    gains = [
        accuracy - unpenalised_accuracy(system)
        for accuracy, system in zip(accuracies, systems, strict=True)
    ]
    assert np.mean(gains) >= 0.02


GATES = {"and": "0001", "or": "0111", "nand": "1110"}


@pytest.mark.parametrize(("gate", "truth"), GATES.items())
def test_one_unit_learns_a_gate(gate: str, truth: str, tmp_path: Path) -> None:
    system = trained(tmp_path, f"gate_{gate}")
    predicted = predict_rows(system.experiment, system.params, np.arange(4))
    assert "".join(predicted.answers["class"]) == truth
    assert predicted.targets == [[label] for label in truth]


@pytest.mark.parametrize(
    ("gate", "weights", "bias"),
    [("or", [20, 20], -10), ("nand", [-10, -10], 14), ("and", [20, 20], -30)],
)
def test_a_gate_of_given_parameters(gate: str, weights: list[int], bias: int) -> None:
    given = f"network.parameters=[{{weights: [{weights}], bias: [{bias}]}}]"
    experiment = build(load_config(CONFIGS / f"gate_{gate}.yaml", [given]))
    predicted = predict_rows(experiment, experiment.initial_params, np.arange(4))
    assert "".join(predicted.answers["class"]) == GATES[gate]
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_allclose(predicted.outputs[:, 0], expit(inputs @ weights + bias), atol=1e-15)


def test_xor_composed_by_hand(bpnet) -> None:
    result = bpnet("predict", CONFIGS / "xor_by_hand.yaml")
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert rows[0] == ["row", "x1", "x2", "P(1)", "class", "target"]
    assert [row[4] for row in rows[1:]] == ["0", "1", "1", "0"]


def test_xor_is_learned_from_every_seed(tmp_path: Path) -> None:
    for seed in range(10 if IS_FULL else 5):
        scores = trained(tmp_path, "xor", seed=seed).scores()
        assert scores["accuracy"] == 1
        assert scores["loss"] < 0.01


@pytest.mark.parametrize("shape", ["diamond", "square"])
def test_the_region_nets_equal_a_plain_loop(shape: str, tmp_path: Path) -> None:
    system = trained(tmp_path, shape)
    X, y = system.split().X, system.split().labels[:, np.newaxis]
    assert len(X) == 500
    inside = np.abs(X).sum(axis=1) < 1 if shape == "diamond" else np.abs(X).max(axis=1) < 0.5
    np.testing.assert_array_equal(y[:, 0], inside)
    W1, b1, W2 = (system.initial[name].copy() for name in ("W1", "b1", "W2"))
    assert "b2" not in system.initial
    assert -1 <= min(W1.min(), b1.min()) < -0.3  # drawn from (-1, 1)
    for _ in range(5000):
        A1 = expit(X @ W1.T + b1)
        delta2 = expit(A1 @ W2.T) - y
        delta1 = delta2 @ W2 * A1 * (1 - A1)
        W2 = W2 - 0.001 * delta2.T @ A1
        W1, b1 = W1 - 0.001 * delta1.T @ X, b1 - 0.001 * delta1.sum(axis=0)
    for name, value in {"W1": W1, "b1": b1, "W2": W2}.items():
        np.testing.assert_allclose(system.tensors[name], value, rtol=0, atol=1e-10)


def test_the_region_nets_log_mean_log_loss_and_accuracy_every_200_epochs(tmp_path: Path) -> None:
    lines = log_of(trained(tmp_path, "diamond").run)
    assert [line["epoch"] for line in lines] == list(range(0, 5001, 200))
    for line in lines:
        assert line["train.log_loss"] == pytest.approx(line["loss"] / 500)
        assert 0 <= line["train.accuracy"] <= 1
    assert lines[-1]["train.accuracy"] > 0.9


@pytest.mark.parametrize("shape", ["diamond", "square"])
def test_fifty_rows_stay_nearly_unlearned_as_the_config_says(shape: str, tmp_path: Path) -> None:
    few = trained(tmp_path, shape, data__n_samples=50)
    many = trained(tmp_path, shape)
    assert few.scores()["log_loss"] > 2 * many.scores()["log_loss"]


def test_softmax_regression_on_iris(tmp_path: Path) -> None:
    accuracies = [
        trained(tmp_path, "softmax_iris", seed=seed).scores("test")["accuracy"]
        for seed in range(10 if IS_FULL else 5)
    ]
    assert np.mean(accuracies) >= 0.95


def test_digits(tmp_path: Path) -> None:
    systems = [trained(tmp_path, "digits", seed=seed) for seed in range(3)]
    accuracies = [system.scores("test")["accuracy"] for system in systems]
    assert accuracies[0] >= 0.96
    assert np.mean(accuracies) >= 0.96
    assert systems[0].split().X.max() == 1


def test_an_autoencoder_of_digits_comes_near_principal_components(tmp_path: Path) -> None:
    system = trained(tmp_path, "autoencoder_digits")
    baselines = system.baselines("test")
    error = system.scores("test")["rmse"] ** 2
    mean_image = baselines["constant"]["rmse"] ** 2
    components = baselines["16 principal components"]["rmse"] ** 2
    print(f"error: 1/{mean_image / error:.2f} of the mean image's, "
          f"16 principal components 1/{mean_image / components:.2f}")  # fmt: skip
    assert error <= mean_image / 5
    assert error > components  # one sigmoid layer each way does not beat the linear optimum here


def test_principal_components_are_those_of_scikit_learn(tmp_path: Path) -> None:
    from sklearn.decomposition import PCA

    system = trained(tmp_path, "autoencoder_digits", training__epochs=0)
    train, test = system.split("train").values, system.split("test").values
    pca = PCA(16, svd_solver="full").fit(train)
    rebuilt = pca.inverse_transform(pca.transform(test))
    rmse = float(np.sqrt(np.mean((rebuilt - test) ** 2)))
    found = system.baselines("test")["16 principal components"]["rmse"]
    assert found == pytest.approx(rmse, rel=1e-9)


@pytest.mark.parametrize("config", ["maxout_moons", "leaky_relu_moons"])
def test_units_of_straight_pieces_tell_the_moons_apart(config: str, tmp_path: Path) -> None:
    """Measured over seeds 0 to 5: from 0.956 on, 0.989 in the median."""
    scores = [trained(tmp_path, config, seed=seed).scores("test") for seed in range(3)]
    assert np.median([each["accuracy"] for each in scores]) >= 0.97


def test_parity_is_learned_from_any_start(tmp_path: Path) -> None:
    for seed in range(3):
        assert trained(tmp_path, "parity", seed=seed).scores()["accuracy"] == 1


def test_levenberg_marquardt_tells_the_spirals_apart(tmp_path: Path) -> None:
    """Measured over seeds 0 to 7: after 61 to 103 epochs."""
    system = trained(tmp_path, "two_spirals")
    assert system.record.stop_reason == "goal"
    assert system.scores()["accuracy"] == 1
