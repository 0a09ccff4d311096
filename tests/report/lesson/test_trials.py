from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plotted import subject_of
from tracing import experiment_of

from bpcli.report.lesson.trials import MOST_EPOCHS, Trials, changed, trained


def test_a_trial_is_the_training_itself(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=25, training__log_every=1)
    epochs, losses = subject.series("loss")
    trial = Trials(subject.experiment).plain
    assert trial.losses.tolist() == losses.tolist()
    assert len(epochs) == 26
    np.testing.assert_array_equal(trial.params, subject.params)


def test_another_rate_is_the_only_difference() -> None:
    trials = Trials(experiment_of("xor", "training.epochs=15"))
    other = experiment_of("xor", "training.epochs=15", "training.learning_rate=10")
    assert trials.with_rate(10).losses.tolist() == trained(other, 15).losses.tolist()
    assert trials.rate == 1


def test_a_schedule_begins_with_the_other_rate() -> None:
    trials = Trials(experiment_of("sine", "training.epochs=5"))
    rate = "{schedule: cosine, start: 0.01}"
    other = experiment_of("sine", "training.epochs=5", f"training.learning_rate={rate}")
    assert trials.rate == 0.1
    expected = trained(other, 5).losses
    np.testing.assert_allclose(trials.with_rate(0.1).losses, expected, rtol=1e-12)


def test_divergence_ends_a_trial_and_is_said() -> None:
    trial = Trials(experiment_of("sine", "training.epochs=40")).with_rate(1e6)
    assert trial.is_diverged
    assert np.isfinite(trial.losses).all()
    assert len(trial.losses) < 41


def test_a_vanished_gradient_keeps_the_loss() -> None:
    experiment = experiment_of("xor", "training.epochs=60")
    trial = Trials(experiment).from_params(np.zeros(experiment.network.n_params))
    assert not trial.is_diverged
    assert len(trial.losses) == 61
    assert trial.losses[-1] == pytest.approx(np.log(2))


def test_without_hidden_layers_inputs_lead_to_outputs() -> None:
    experiment = experiment_of("moons", "training.epochs=30")
    trial = Trials(experiment).without_hidden_layers()
    assert len(trial.params) == 3
    expected = experiment_of(
        "moons", "training.epochs=30", "network.layers=[2, 1]", "network.activations=[sigmoid]"
    )
    assert trial.losses.tolist() == trained(expected, 30).losses.tolist()


def test_seeds_differ_and_repeat() -> None:
    trials = Trials(experiment_of("xor", "training.epochs=3"))
    one, again, other = (trials.from_seed(seed) for seed in (1, 1, 2))
    assert one.losses.tolist() == again.losses.tolist() != other.losses.tolist()


def test_rises_are_counted() -> None:
    trial = trained(experiment_of("xor", "training.learning_rate=60"), 40)
    assert trial.rises == sum(b > a for a, b in zip(trial.losses, trial.losses[1:], strict=False))


def test_costly_trainings_are_shorter_and_very_costly_ones_are_not_made() -> None:
    quick = Trials(experiment_of("xor", "training.epochs=5000"))
    assert quick.epochs == MOST_EPOCHS
    assert quick.are_affordable
    batches = Trials(experiment_of("sine", "training.epochs=5000"))
    assert 10 <= batches.epochs < MOST_EPOCHS, "30 updates in each epoch"
    second_order = Trials(experiment_of("two_spirals", "training.epochs=5000"))
    assert second_order.epochs < 50
    huge = Trials(experiment_of("digits", "network.layers=[64, 4000, 10]"))
    assert not huge.are_affordable


def test_a_change_leaves_the_experiment_alone() -> None:
    experiment = experiment_of("xor")
    other = changed(experiment, learning_rate=7.0)
    assert other.spec.training.learning_rate == 7
    assert experiment.spec.training.learning_rate == 1
    assert other.table is experiment.table
