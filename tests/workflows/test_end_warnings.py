"""What is told at the end of a training, and the next step that it names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builds import built
from systems import CONFIGS

from bpcli.config.load import load_config
from bpcli.errors import Diverged
from bpcli.experiment import build
from bpcli.terminal.progress import SilentView
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.train import train

RNG = np.random.default_rng(5)
X = RNG.normal(size=(120, 3))
NOISE = RNG.normal(size=120)
LINE = X @ [1.0, -2.0, 0.5]


def outcome_of(
    folder: Path, inputs: np.ndarray, targets: np.ndarray, *overrides: str, output: str = "identity"
) -> Outcome:
    """A network trained on three quarters of the rows, and tested on the others."""
    text = f"""\
name: t
data: {{inputs: {inputs.tolist()}, targets: {targets.tolist()}, split: {{test: 0.25}}}}
network: {{layers: [auto, 4, auto], activations: [tanh, {output}]}}
loss: mse
training: {{epochs: 300}}
"""
    return train(built(text, *overrides), folder, SilentView())


def end_of(folder: Path, *arguments: np.ndarray, overrides: tuple[str, ...] = ()) -> list[str]:
    return list(outcome_of(folder, *arguments, *overrides).warnings)


def test_a_network_that_learns_is_not_warned_of(tmp_path: Path) -> None:
    assert end_of(tmp_path, X, LINE) == []


def test_what_was_learnt_by_heart_needs_fewer_units(tmp_path: Path) -> None:
    options = ("network.layers=[3, 40, 1]", "training.optimizer=levenberg_marquardt")
    outcome = outcome_of(tmp_path, X, NOISE, *options)
    (warning,) = outcome.warnings
    found, record = outcome.record.metrics, outcome.record
    assert found["test.loss"] > np.var(NOISE) / 2
    assert warning.startswith(f"the test loss is {found['test.loss']:.4g}, and that of a constant ")
    assert warning.endswith(
        ": the network overfits the training rows: use fewer units, more rows, other inputs or "
        "`training.l2`"
    )
    assert record.warnings[-1] == warning
    assert outcome.run.record().warnings == record.warnings


def test_a_loss_that_still_falls_needs_more_epochs(tmp_path: Path) -> None:
    # Large first outputs, which fall slowly towards the targets.
    slow = (
        "training.epochs=20",
        "training.learning_rate=0.002",
        "network.init={name: normal, std: 9}",
    )
    (warning,) = end_of(tmp_path, X, LINE, overrides=slow)
    assert warning.startswith("the test loss is ")
    assert warning.endswith(
        ": the loss was still falling: use more `training.epochs` than 20, or a larger "
        "`training.learning_rate` than 0.002"
    )


def test_steps_that_are_far_too_short_are_told_from_inputs_that_tell_nothing(
    tmp_path: Path,
) -> None:
    stuck = ("training.learning_rate=1e-9", "training.epochs=10")
    (warning,) = end_of(tmp_path, X, NOISE + 5, overrides=stuck)
    assert warning.endswith(", or a larger `training.learning_rate` than 1e-09")


def test_inputs_that_tell_nothing_are_to_be_replaced(tmp_path: Path) -> None:
    even, halves = np.tile([-1.0, 1.0], 60), np.repeat([-1.0, 1.0], 60)
    stuck = ("network={layers: [1, 1], activations: [identity]}", "training.learning_rate=0.1")
    (warning,) = end_of(tmp_path, even[:, np.newaxis], halves, overrides=stuck)
    assert warning.startswith("the test loss is ")
    assert warning.endswith(": use hidden units, or other inputs")


def test_a_scale_that_does_not_suit_is_the_first_step(tmp_path: Path) -> None:
    wide = X * 1e5
    (warning,) = end_of(tmp_path, wide, NOISE + 9, overrides=("training.epochs=5",))
    assert "that of a constant prediction" in warning
    assert warning.endswith(": set `data.scale: {inputs: standard}`")


def test_targets_beyond_the_outputs_are_the_next_step(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, X, LINE * 60 + 400, output="sigmoid")
    (warning,) = outcome.warnings
    assert "but `sigmoid` outputs are between 0 and 1: set `data.scale: {targets: " in warning


def unbalanced(tmp_path: Path, *overrides: str) -> Outcome:
    """A class of one row in five, which even where x1 > 0 has less than one row in two."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 1))
    labels = np.where(rng.random(600) < np.where(x[:, 0] > 0, 0.38, 0.02), "rare", "usual")
    data = f"{{inputs: {x.tolist()}, targets: {labels.tolist()}, split: {{test: 0.3}}}}"
    text = f"""\
name: t
data: {data}
network: {{layers: [1, 3, 1], activations: [tanh, sigmoid]}}
loss: binary_cross_entropy
training: {{optimizer: rprop, epochs: 40}}
"""
    return train(built(text, *overrides), tmp_path, SilentView())


def test_better_probabilities_count_although_the_accuracy_is_no_better(tmp_path: Path) -> None:
    outcome = unbalanced(tmp_path)
    record = outcome.record
    assert record.metrics["test.accuracy"] <= record.baselines["constant"]["test.accuracy"]
    assert record.metrics["test.log_loss"] < record.baselines["constant"]["test.log_loss"]
    assert outcome.warnings == []


def test_with_class_weights_the_weighted_loss_decides(tmp_path: Path) -> None:
    outcome = unbalanced(tmp_path, "training.class_weights=balanced")
    record = outcome.record
    for metric, sign in (("accuracy", -1), ("log_loss", 1)):
        path = f"test.{metric}"
        assert sign * (record.metrics[path] - record.baselines["constant"][path]) > 0
    assert outcome.warnings == []


def test_a_single_row_has_no_better_constant(tmp_path: Path) -> None:
    experiment = build(load_config(CONFIGS / "mazur.yaml", ["training.epochs=3"]))
    assert train(experiment, tmp_path, SilentView()).warnings == []


# Scales and the end of a training.

COLUMNS = np.random.default_rng(2).normal(size=(150, 5)) * [30, 6, 35, 1, 0.5] + [
    189,
    26,
    115,
    4,
    5,
]
RESPONSE = 150 + 40 * np.tanh((COLUMNS - COLUMNS.mean(axis=0)) / COLUMNS.std(axis=0)).sum(axis=1)


def test_after_divergence_on_an_unscaled_table_scales_come_first_and_help(tmp_path: Path) -> None:
    options = (
        "training.epochs=600",
        "training.learning_rate=0.05",
        "network.activations.0=identity",
    )
    outcome = outcome_of(tmp_path, COLUMNS, RESPONSE, *options)
    assert isinstance(outcome.failure, Diverged)
    text = str(outcome.failure)
    setting = "set `data.scale: {inputs: standard, targets: standard}` first, then try a smaller"
    assert f"{setting} `training.learning_rate`, such as 0.005 instead of 0.05." in text
    scaled = outcome_of(
        tmp_path, COLUMNS, RESPONSE, *options, "data.scale={inputs: standard, targets: standard}"
    )
    slower = outcome_of(tmp_path, COLUMNS, RESPONSE, *options, "training.learning_rate=0.005")
    assert scaled.failure is None
    assert scaled.record.metrics["test.rmse"] < 0.7 * np.std(RESPONSE)
    assert slower.failure is not None or (
        slower.record.metrics["test.rmse"] > 1.2 * scaled.record.metrics["test.rmse"]
    )


def test_where_no_step_lowers_the_loss_of_unscaled_inputs_their_scale_is_told(
    tmp_path: Path,
) -> None:
    options = ("training.optimizer=levenberg_marquardt", "training.epochs=200")
    outcome = outcome_of(tmp_path, X * 1e12, LINE, *options)
    assert outcome.record.stop_reason == "max_damping"
    warning = outcome.warnings[0]
    assert warning.startswith("no step was found that lowers the loss (`max_damping`): `x")
    assert warning.endswith("set `data.scale: {inputs: standard}`")
    scaled = outcome_of(tmp_path, X * 1e12, LINE, *options, "data.scale.inputs=standard")
    assert not [each for each in scaled.warnings if "no step" in each]


def test_where_the_rate_fell_to_its_end_that_is_not_said_of_a_step(tmp_path: Path) -> None:
    rate = (
        "training.learning_rate={schedule: plateau, start: 0.01, factor: 0.01, epochs: 1, tol: 1}"
    )
    outcome = outcome_of(tmp_path, X * 1e12, LINE, rate)
    assert outcome.record.stop_reason == "smallest_rate"
    warning = outcome.warnings[0]
    assert warning.startswith("the loss no longer fell (`smallest_rate`): `x")
    assert warning.endswith("set `data.scale: {inputs: standard}`")


@pytest.mark.parametrize("optimizer", ["bfgs", "levenberg_marquardt"])
def test_a_minimum_that_is_reached_is_no_reason_for_a_warning(
    optimizer: str, tmp_path: Path
) -> None:
    options = ("network={layers: [3, 1], activations: [identity]}", "training.epochs=500")
    outcome = outcome_of(tmp_path, X, LINE, f"training.optimizer={optimizer}", *options)
    assert outcome.record.stop_reason != "epochs"
    assert outcome.warnings == []


# A gradient that vanishes.


def saturated(folder: Path, *overrides: str) -> Outcome:
    """XOR with `mse` and a start so far out that the outputs lie at the flat ends."""
    options = ("loss=mse", "training.optimizer=rprop", "training.learning_rate=null")
    return train(
        build(load_config(CONFIGS / "xor.yaml", [*options, *overrides])), folder, SilentView()
    )


def test_outputs_at_the_flat_ends_need_another_loss(tmp_path: Path) -> None:
    far = "network.init={name: normal, std: 100}"
    outcome = saturated(tmp_path, far)
    assert (outcome.record.stop_reason, outcome.record.epochs) == ("zero_gradient", 16)
    (warning,) = outcome.warnings
    assert warning == (
        "the gradient has vanished: the outputs are at the flat ends of `sigmoid`, where `mse` has "
        "no slope: use `loss: binary_cross_entropy`, targets inside the range of the outputs, such "
        "as 0.1 and 0.9, another `seed`, or smaller initial weights (`network.init`)"
    )


def test_dead_hidden_units_need_another_start(tmp_path: Path) -> None:
    dead = "network.parameters=[{weights: [[-1, -1]], bias: [-1]}, {weights: [[1]], bias: [0.25]}]"
    one = ("network.layers=[2, 1, 1]", "network.activations=[relu, identity]", dead)
    outcome = saturated(tmp_path, *one, "data.generator=and")
    assert outcome.record.stop_reason == "zero_gradient"
    (warning,) = [each for each in outcome.warnings if "vanished" in each]
    assert "1 of 1 unit in layer 1 is dead: use `leaky_relu`, smaller initial weights" in warning


def test_a_perfect_fit_is_no_fault(tmp_path: Path) -> None:
    outcome = saturated(tmp_path)
    assert outcome.record.stop_reason == "zero_gradient"
    assert outcome.record.metrics["train.loss"] < 1e-20
    assert outcome.warnings == []
