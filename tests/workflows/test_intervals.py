"""Intervals beside the predictions of a run: calibration rows, columns, measured coverage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builds import MOONS, built
from scipy.stats import binom, t
from strategies import dense_jacobian
from systems import trained
from tampered import a_record, log_of

from bpcli.data.scaler import Scaler
from bpcli.errors import ConfigError, RunError
from bpcli.experiment import Experiment
from bpcli.intervals.conformal import AbsoluteErrors, AdaptiveSets
from bpcli.nn.propagation import predict
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained, load_trained
from bpcli.workflows.interval_columns import IntervalsAndParts, IntervalsOfValues, SetsOfClasses
from bpcli.workflows.intervals import Method, calibrated, coverage
from bpcli.workflows.predict import predict_rows

VALUES = """\
name: t
data:
  generator: sine
  n_samples: 120
  scale: {targets: standard}
  split: {val: 0.25, test: 0.25}
network: {layers: [1, 3, 1], activations: [tanh, identity]}
loss: mse
"""
THREE = """\
name: t
data: {generator: blobs, n_samples: 120, split: {val: 0.25, test: 0.25}}
network: {layers: [2, 3, 3], activations: [tanh, softmax]}
loss: cross_entropy
"""

NO_INPUTS = np.empty((0, 0))


def run_of(experiment: Experiment) -> Trained:
    """A run at its initial parameters."""
    return Trained(Run(Path("a-run")), a_record(), experiment, experiment.initial_params)


def test_the_half_width_is_an_error_of_the_validation_set_in_original_units() -> None:
    trained = run_of(built(VALUES))
    split = trained.experiment.splits["val"]
    said = predict_rows(trained.experiment, trained.params, split.index[:])
    errors = np.sort(np.abs(said.outputs[:, 0] - np.array(said.targets)[:, 0]))
    found = calibrated(trained, 0.8)
    assert (found.split, found.rows) == ("val", 30)
    assert isinstance(found.columns, IntervalsOfValues)
    assert found.columns.method.half == pytest.approx(errors[24], rel=1e-12)  # ceil(31 · 0.8) = 25
    assert found.columns.number_names == ("predicted y low", "predicted y high")
    outputs = np.array([[1.0], [2.0]])
    (half,) = found.columns.method.half
    expected = [[1 - half, 1 + half], [2 - half, 2 + half]]
    assert found.columns.numbers(outputs, outputs).tolist() == expected
    assert [*found.columns.documents(outputs, outputs)] == [
        {"intervals": {"predicted y": ends}} for ends in expected
    ]
    arrays = found.columns.arrays(outputs, outputs)
    assert np.hstack([arrays["low"], arrays["high"]]).tolist() == expected
    assert found.note == (
        "an interval contains the target with a probability of at least 0.8, for rows from the "
        "same source as the 30 rows of the validation set"
    )


def test_columns_of_several_outputs_are_low_and_high_in_turn() -> None:
    method, Y = AbsoluteErrors(np.array([1.0, 10.0])), np.array([[5.0, 50.0]])
    columns = IntervalsOfValues(method, Scaler.fixed("none", 1), ("p", "q"), ("p", "q"))
    assert columns.number_names == ("p low", "p high", "q low", "q high")
    assert columns.numbers(Y[:, :1], Y).tolist() == [[4, 6, 40, 60]]
    (document,) = columns.documents(Y[:, :1], Y)
    assert document == {"intervals": {"p": [4, 6], "q": [40, 60]}}


@pytest.mark.parametrize("text", [MOONS, THREE])
def test_a_set_of_classes_is_text_a_list_or_flags(text: str) -> None:
    trained = run_of(built(text, "data.split={val: 0.25}"))
    columns = calibrated(trained, 0.6).columns
    assert isinstance(columns, SetsOfClasses)
    said = predict_rows(trained.experiment, trained.params, np.arange(20))
    flags = columns.arrays(NO_INPUTS, said.outputs)["class_sets"]
    names = trained.experiment.table.class_names
    assert flags.shape == (20, len(names))
    lists = [[name for name, flag in zip(names, row, strict=True) if flag] for row in flags]
    assert [*columns.documents(NO_INPUTS, said.outputs)] == [{"class_set": each} for each in lists]
    assert columns.texts(NO_INPUTS, said.outputs) == [[" | ".join(each) for each in lists]]
    assert 0 < flags.mean() < 1


def test_a_single_output_is_the_probability_of_the_second_class() -> None:
    columns = SetsOfClasses(AdaptiveSets(0.9), ("no", "yes"))
    two = np.array([[0.95, 0.05], [0.3, 0.7], [0.01, 0.99]])
    assert columns.texts(NO_INPUTS, two[:, 1:]) == columns.texts(
        NO_INPUTS, np.hstack([1 - two[:, 1:], two[:, 1:]])
    )


@pytest.mark.parametrize("text", [VALUES, THREE])
def test_the_measured_coverage_counts_the_targets_inside(text: str) -> None:
    trained = run_of(built(text))
    found = coverage(trained, "test", 0.8)
    split = trained.experiment.splits["test"]
    said = predict_rows(trained.experiment, trained.params, split.index[:])
    columns = calibrated(trained, 0.8).columns
    if isinstance(columns, IntervalsOfValues):
        ends = columns.numbers(np.zeros((30, 1)), said.outputs)
        targets = np.array(said.targets)[:, 0]
        inside = (ends[:, 0] <= targets) & (targets <= ends[:, 1])
        size, expected = "mean_width", (ends[:, 1] - ends[:, 0]).mean()
    else:
        sets = [row["class_set"] for row in columns.documents(NO_INPUTS, said.outputs)]
        inside = np.array([true in each for (true,), each in zip(said.targets, sets, strict=True)])
        size, expected = "mean_classes", np.mean([len(each) for each in sets])
    (target,) = found.to_json()["targets"]
    assert target["coverage"] == inside.mean()
    assert target[size] == pytest.approx(expected, rel=1e-12)
    low, high = target["interval"]
    count = int(inside.sum())
    assert binom.sf(count - 1, 30, low) == pytest.approx(0.025)
    assert binom.cdf(count, 30, high) == pytest.approx(0.025)


def test_calibration_is_on_the_validation_set_else_on_the_test_set() -> None:
    assert calibrated(run_of(built(VALUES)), 0.9).split == "val"
    test = run_of(built(VALUES, "data.split={test: 0.5}"))
    assert calibrated(test, 0.9).split == "test"
    with pytest.raises(RunError, match="calibrated on its test set: measure their coverage on"):
        coverage(test, "test", 0.9)
    with pytest.raises(RunError, match=r"has no validation set .* `data.split: \{val: 0.2\}`"):
        calibrated(run_of(built(VALUES, "data.split={}")), 0.9)


def test_what_has_no_intervals_is_refused() -> None:
    trained = run_of(built(VALUES))
    for level in (0, 1, -0.5, 90, float("nan")):
        with pytest.raises(ConfigError, match="give a number between 0 and 1"):
            calibrated(trained, level)
    with pytest.raises(RunError, match="at least 99 calibration rows, and the validation set of"):
        calibrated(trained, 0.99)
    no_probabilities = run_of(built(THREE, "network.activations=[tanh, identity]", "loss=mse"))
    with pytest.raises(RunError, match=r"are no probabilities, which sets of classes need"):
        calibrated(no_probabilities, 0.9)


# From the linearized network.

NEWTON = {
    "training__optimizer": "levenberg_marquardt",
    "training__epochs": 300,
    "training__batch_size": "full",
    "training__learning_rate": "null",
    "data__scale": "{inputs: standard, targets: standard}",
}


def test_the_delta_method_of_a_run_is_that_of_its_dense_jacobian(tmp_path: Path) -> None:
    """At the minimum, in original units; the gradient Jᵀr + D w shows D to be the run's decay."""
    system = trained(tmp_path, "sine", **NEWTON, training__l2=0.03, network__layers="[1, 3, 1]")
    experiment, rows = system.experiment, system.split()
    network, params = experiment.network, system.params
    assert rows.values is not None
    J = dense_jacobian(network, params, rows.X)[:, 0].T
    factor = experiment.preprocessor.targets.factor[0]
    r = (predict(network, params, rows.X) * factor - rows.values) / factor
    r += experiment.preprocessor.targets.shift[0] / factor
    decay = 0.03 / 2 * network.is_weight  # the loss of one output is r², and its penalty 0.03/2n w²
    assert np.abs(J.T @ r[:, 0] + decay * params).max() < 1e-6 * np.abs(J).sum()
    A = J.T @ J + np.diag(decay)
    freedom = len(J) - np.trace(np.linalg.solve(A, J.T @ J))
    s2 = (r**2).sum() / freedom
    g = dense_jacobian(network, params, system.split("test").X)[:, 0].T
    half = t.ppf(0.95, freedom) * factor
    half *= np.sqrt(s2 * (1 + np.einsum("ip,pi->i", g, np.linalg.solve(A, g.T))))
    found = coverage(load_trained(system.run), "test", 0.9, "delta")
    np.testing.assert_allclose(found.sizes[:, 0], 2 * half, rtol=1e-8)
    assert found.to_json()["calibration_split"] == "train"
    assert "delta method over " in found.calibrated.note


def test_the_posterior_of_a_run_has_the_noise_that_its_training_estimated(tmp_path: Path) -> None:
    options = NEWTON | {"training__optimizer": "bayesian_regularization"}
    system = trained(tmp_path, "sine", **options)
    columns = calibrated(load_trained(system.run), 0.9, "posterior").columns
    assert isinstance(columns, IntervalsAndParts)
    noise = columns.arrays(np.zeros((1, 1)), np.zeros((1, 1)))["sd_of_noise"][0, 0]
    beta = log_of(system.run)[-1]["beta"]
    assert noise == pytest.approx(
        system.experiment.preprocessor.targets.factor[0] / np.sqrt(2 * beta), rel=1e-6
    )


@pytest.mark.parametrize(
    ("text", "overrides", "method", "why"),
    [
        (THREE, [], "delta", "it needs values as targets, and a loss that is a sum of squares"),
        (VALUES, ["loss=mae"], "delta", "it needs values as targets, and a loss that is a sum"),
        (VALUES, [], "posterior", "only `bayesian_regularization` estimates one: use --method del"),
        (
            VALUES,
            ["training.optimizer=bayesian_regularization"],
            "delta",
            "its weight decay was estimated: use --method posterior",
        ),
        (VALUES, ["network.layers=[1, 2000, 1]"], "delta", "6,001 parameters are more than the 5,"),
        (VALUES, ["data.n_samples=12"], "delta", "do not determine all 10 parameters"),
    ],
)
def test_what_the_linearized_network_cannot_do_is_refused(
    text: str, overrides: list[str], method: Method, why: str
) -> None:
    with pytest.raises(RunError, match=f"no intervals by the (delta method|posterior): .*{why}"):
        calibrated(run_of(built(text, *overrides)), 0.9, method)
