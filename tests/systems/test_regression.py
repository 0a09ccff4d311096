"""The linear systems, against least squares and against loops written out here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from builds import built
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_poisson_deviance
from systems import System, trained
from tampered import log_of

from bpcli.runs.trained import load_trained
from bpcli.terminal.progress import SilentView
from bpcli.workflows.train import train


def least_squares(X: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, float]:
    """The best linear fit with intercept, weights first, and its RMSE."""
    design = np.column_stack([X, np.ones(len(X))])
    solution = np.linalg.lstsq(design, Y, rcond=None)[0]
    return solution.T, float(np.sqrt(np.mean((design @ solution - Y) ** 2)))


def test_linear_regression_reaches_least_squares(tmp_path: Path) -> None:
    system = trained(tmp_path, "linear_regression")
    solution, _ = least_squares(system.split().X, system.split().Y)
    np.testing.assert_allclose(system.params, solution.ravel(), rtol=0, atol=1e-10)


def test_poisson_regression_reaches_the_published_deviance_and_the_closed_form(
    tmp_path: Path,
) -> None:
    system = trained(tmp_path, "counts")
    # The residual and null deviances that R's help page ?glm prints for these counts.
    assert 2 * 9 * system.scores()["loss"] == pytest.approx(5.1291, abs=5e-5)
    assert 2 * 9 * system.experiment.constant_loss("train") == pytest.approx(10.5814, abs=5e-5)
    # Each outcome has the mean of its counts, 63/3, 40/3 and 47/3, whatever the treatment.
    weights = [np.log(40 / 63), np.log(47 / 63), 0, 0, np.log(21)]
    np.testing.assert_allclose(system.params, weights, rtol=0, atol=1e-8)


POISSON = """\
name: t
data: {inputs: %s, targets: %s}
network: {layers: [1, 1], activations: [exp]}
loss: poisson
training: {epochs: 200, optimizer: lbfgs}
"""


def test_one_exponential_unit_is_the_poisson_regression_of_scikit_learn(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 1))
    y = rng.poisson(np.exp(0.4 + 0.9 * x[:, 0]))
    experiment = built(POISSON % (x.tolist(), y.tolist()))
    outcome = train(experiment, tmp_path, SilentView())
    other = PoissonRegressor(alpha=0, tol=1e-10, max_iter=1000, solver="newton-cholesky").fit(x, y)
    expected = [other.coef_[0], other.intercept_]
    np.testing.assert_allclose(load_trained(outcome.run).params, expected, rtol=0, atol=1e-8)
    deviance = mean_poisson_deviance(y, other.predict(x))
    assert outcome.record.metrics["train.loss"] == pytest.approx(deviance / 2, rel=1e-12)


def score(rmse: float, rows: int) -> float:
    """The score of the notes this system comes from: 100 (1 - RMSE/√n)."""
    return 100 * (1 - rmse / rows**0.5)


@pytest.fixture(scope="module")
def two_layer(tmp_path_factory: pytest.TempPathFactory):
    return trained(tmp_path_factory.mktemp("runs"), "linear_two_layer")


def test_two_linear_layers_are_as_good_as_least_squares(two_layer) -> None:
    split = two_layer.split()
    reached = score(two_layer.scores()["rmse"], len(split))
    best = score(least_squares(split.X, split.Y)[1], len(split))
    assert 83 < reached < 86
    assert reached == pytest.approx(best, abs=0.01)


def test_layerwise_updates_equal_a_plain_loop(two_layer) -> None:
    X, Y, eta = two_layer.split().X, two_layer.split().Y, 0.001
    W1, b1, W2, b2 = (two_layer.initial[name].copy() for name in ("W1", "b1", "W2", "b2"))
    n = len(X)
    for _ in range(1000):
        A = X @ W1.T + b1
        delta2 = (A @ W2.T + b2 - Y) / n
        W2, b2 = W2 - eta * delta2.T @ A, b2 - eta * delta2.sum(axis=0)
        A = X @ W1.T + b1
        delta1 = ((A @ W2.T + b2 - Y) / n) @ W2
        W1, b1 = W1 - eta * delta1.T @ X, b1 - eta * delta1.sum(axis=0)
    for name, value in {"W1": W1, "b1": b1, "W2": W2, "b2": b2}.items():
        np.testing.assert_allclose(two_layer.tensors[name], value, rtol=0, atol=1e-10)


def test_the_path_down_the_plane_equals_a_plain_loop(tmp_path: Path) -> None:
    system = trained(tmp_path, "plane")
    path = np.load(system.run.path("params_path.npy"))
    assert path.shape == (2001, 3)
    np.testing.assert_array_equal(path[0], [3, 3, 3])
    X, y = np.column_stack([system.split().X, np.ones(100)]), system.split().Y[:, 0]
    params = np.array([3.0, 3.0, 3.0])
    for recorded in path:
        np.testing.assert_allclose(recorded, params, rtol=0, atol=1e-12)
        params = params - 1e-3 * X.T @ (X @ params - y) / len(y)


def test_single_row_updates_down_the_plane_equal_a_plain_loop(tmp_path: Path) -> None:
    from bpcli.experiment import stream

    system = trained(tmp_path, "plane_sgd")
    path = np.load(system.run.path("params_path.npy"))
    X, y = np.column_stack([system.split().X, np.ones(100)]), system.split().Y[:, 0]
    rng, params = stream(0, "batches"), np.array([3.0, 3.0, 3.0])
    for recorded in path:
        np.testing.assert_allclose(recorded, params, rtol=0, atol=1e-12)
        row = rng.integers(100, size=1)[0]
        params = params - 1e-3 * X[row] * (X[row] @ params - y[row])
    assert system.scores()["rmse"] < 1


def test_sampled_updates_record_both_losses_and_learn(tmp_path: Path) -> None:
    system = trained(tmp_path, "sampled_updates")
    lines = log_of(system.run)
    assert [line["epoch"] for line in lines] == list(range(501))
    for path in ("train.loss", "val.loss"):
        losses = [line[path] for line in lines]
        assert all(loss is not None for loss in losses)
        assert min(losses) < 0.7 * losses[0]
    scaled = system.split()
    np.testing.assert_allclose(scaled.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.Y.std(), 1, rtol=1e-12)
    assert system.experiment.batches.rows_per_epoch == 56
    baseline = system.baselines("val")["constant"]["rmse"]
    assert system.scores("val")["rmse"] < 0.75 * baseline


def test_the_baseline_knows_the_training_split_alone(tmp_path: Path) -> None:
    system = trained(tmp_path, "sampled_updates", training__epochs=0)
    mean = system.split("train").values.mean(axis=0)
    rmse = np.sqrt(np.mean((system.split("val").values - mean) ** 2))
    assert system.baselines("val")["constant"]["rmse"] == pytest.approx(rmse, rel=1e-12)


def test_a_falling_rate_leaves_the_sine_its_noise_alone(tmp_path: Path) -> None:
    """Measured over seeds 0 to 7: an RMSE of the test of 0.09 to 0.12, and up to 0.18 else."""
    falling = trained(tmp_path, "sine")
    assert falling.scores("test")["rmse"] == pytest.approx(0.1, rel=0.15)
    constant = trained(tmp_path, "sine", training__learning_rate=0.1)
    rest, tremble = last_losses(falling), last_losses(constant)
    assert max(rest) < 1.1 * min(rest)
    assert min(np.median(tremble), max(tremble) / 2) > 2 * np.median(rest)


def last_losses(system: System) -> list[float]:
    """Of the last 100 epochs."""
    lines = system.run.path("metrics.jsonl").read_text().splitlines()[-100:]
    return [json.loads(line)["loss"] for line in lines]
