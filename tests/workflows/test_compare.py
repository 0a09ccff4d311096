from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path
from statistics import median
from typing import Any

import local_optimizers
import numpy as np
import pytest
from systems import CONFIGS, trained

from bpcli.config.alternatives import load_alternatives
from bpcli.config.load import load_config
from bpcli.errors import ConfigError
from bpcli.experiment import build
from bpcli.terminal.progress import SilentView
from bpcli.training import metered
from bpcli.training.loop import train_epochs
from bpcli.workflows import compare as module
from bpcli.workflows.compare import (
    Comparison,
    Trial,
    begin,
    compare,
    experiment_of,
    points,
)


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    local_optimizers.install(monkeypatch)


def compared(
    optimizers: str, *overrides: str, config: str = "moons", seeds: int = 1, callback: Any = None
) -> Comparison:
    alternatives = load_alternatives(CONFIGS / f"{config}.yaml", overrides, optimizers)
    comparison = begin(alternatives, seeds)
    compare(comparison, callback or SilentView())
    return comparison


SHORT = ("training.epochs=30", "training.stop={}")


def test_each_seed_has_one_start_and_one_split_for_all_optimizers() -> None:
    first, second = load_alternatives(CONFIGS / "moons.yaml", ["seed=4"], "sgd,looking")

    def made(alternative: Any, seed: int) -> list[bytes]:
        experiment = experiment_of(alternative, seed)
        arrays = [experiment.initial_params]
        for split in experiment.splits.values():
            arrays += [split.X, split.Y, split.index]
        return [np.ascontiguousarray(array).tobytes() for array in arrays]

    for seed in (4, 5):
        assert made(first, seed) == made(second, seed)
    assert not set(made(first, 4)) & set(made(first, 5))


def test_a_trial_ends_where_train_does(tmp_path: Path) -> None:
    overrides = ("training.stop={max_fail: 20}", "metrics=[log_loss]")
    comparison = compared("{name: sgd, momentum: 0.9},sgd", *overrides, seeds=2)
    for trial in comparison.trials:
        momentum = 0.9 if "momentum" in trial.optimizer else 0
        record = trained(
            tmp_path, "moons", seed=trial.seed, training__stop="{max_fail: 20}",
            training__optimizer__momentum=momentum, metrics="[log_loss]",
        ).record  # fmt: skip
        assert (trial.stop_reason, trial.epochs) == (record.stop_reason, record.epochs)
        assert trial.metric == record.metrics["test.log_loss"]
        rule = {rule.name: rule.now for rule in record.stop}
        assert rule["epochs"] == trial.epochs == trial.gradient_evaluations


def test_all_of_a_seed_comes_before_the_next_seed() -> None:
    comparison = compared("sgd,traingdm", *SHORT, "seed=7", seeds=2)
    order = [(trial.optimizer, trial.seed) for trial in comparison.trials]
    assert order == [("sgd", 7), ("traingdm", 7), ("sgd", 8), ("traingdm", 8)]


def test_a_curve_runs_from_the_start_to_the_end() -> None:
    (trial,) = compared("sgd", "training.epochs=300", "training.stop={}").trials
    curve = trial.curve
    assert curve.epochs == points(300)
    assert curve.gradient_evaluations == curve.epochs
    assert (curve.seconds[0], curve.seconds[-1]) == (0, trial.seconds)
    assert sorted(curve.seconds) == curve.seconds
    assert curve.loss[0] > curve.loss[-1] == trial.loss


def test_a_curve_ends_with_the_last_epoch_wherever_that_is() -> None:
    (stopped,) = compared("sgd", "training.stop.goal=0.05", config="xor").trials
    assert stopped.epochs not in points(5000)
    assert stopped.curve.epochs[-2:] == [max(e for e in points(5000) if e < stopped.epochs),
                                         stopped.epochs]  # fmt: skip
    assert stopped.curve.loss[-1] == stopped.loss <= 0.05


def test_a_curve_of_what_diverged_ends_with_the_last_finite_loss_once() -> None:
    (trial,) = compared("sgd", "training.learning_rate=0.02", config="linear_two_layer").trials
    assert trial.diverged
    assert trial.curve.epochs == [*range(trial.epochs + 1)]
    assert np.isfinite(trial.curve.loss).all()


@pytest.mark.parametrize("size", ["full", 100])
def test_a_rate_on_a_plateau_falls_as_in_a_training_alone(size: str | int) -> None:
    rate = "{schedule: plateau, start: 0.5, factor: 0.1, epochs: 1, tol: 0.01, end: 0.01}"
    overrides = (f"training.learning_rate={rate}", f"training.batch_size={size}", *SHORT)
    (trial,) = compared("sgd", *overrides).trials
    experiment = build(load_config(CONFIGS / "moons.yaml", ["training.optimizer=sgd", *overrides]))
    *_, last = train_epochs(experiment.training(experiment.objective()), 30)
    assert trial.stop_reason == "smallest_rate"
    assert trial.message == str(last.ended)
    assert (trial.epochs, trial.loss) == (last.number, last.loss)
    assert trial.gradient_evaluations == trial.epochs < 30


def test_points_are_dense_at_first_and_few_in_all() -> None:
    assert points(0) == [0]
    assert points(41) == [*range(41), 41]
    assert points(100)[41:44] == [42, 44, 46]
    long = points(10**12)
    assert (long[-1], len(long) < 550) == (10**12, True)
    assert max(b - a for a, b in itertools.pairwise(long)) <= 10**12 / 20


def test_losses_alone_are_counted_apart_and_a_search_that_fails_ends_by_its_name() -> None:
    comparison = compared("halving", "training.epochs=100000", config="linear_regression")
    (trial,) = comparison.trials
    assert trial.stop_reason == "line_search"
    assert trial.message == "30 lengths were tried."
    assert trial.gradient_evaluations == trial.epochs
    assert trial.loss_evaluations >= trial.epochs + 29


def test_a_summary_has_medians_and_reasons() -> None:
    goal = ("training.epochs=300", "training.stop={goal: 0.2}")
    document = compared("sgd,traingdm", *goal, seeds=4).to_json()
    for row in document["optimizers"]:
        trials = [each for each in document["trainings"] if each["optimizer"] == row["label"]]
        assert row["trainings"] == len(trials) == 4
        for measure in ("epochs", "gradient_evaluations", "seconds", "loss", "metric"):
            assert row[measure] == median(trial[measure] for trial in trials)
        reasons = [trial["stop_reason"] for trial in trials]
        assert row["stop_reason"] == {reason: reasons.count(reason) for reason in set(reasons)}
    assert {"goal"} <= {reason for row in document["optimizers"] for reason in row["stop_reason"]}
    assert document["metric"] == "test.accuracy"
    assert document["seeds"] == [0, 1, 2, 3]


def test_a_training_that_diverges_is_a_row_without_a_loss() -> None:
    comparison = compared(
        "sgd,halving", "training.learning_rate=1e9", *SHORT, config="linear_two_layer", seeds=2
    )
    diverged, fine = comparison.to_json()["optimizers"]
    assert diverged["stop_reason"] == {"diverged": 2}
    assert (diverged["loss"], diverged["metric"]) == (None, None)
    assert "diverged" not in fine["stop_reason"]
    assert fine["loss"] > 0
    assert comparison.failure is None


def test_medians_leave_out_what_diverged_where_others_did_not() -> None:
    comparison = compared("sgd", *SHORT, seeds=3)
    *_, last = comparison.trials
    diverged = {"loss": None, "metric": None, "epochs": 4, "stop_reason": "diverged"}
    for place in (0, 1):
        comparison.trials[place] = Trial(**{**vars(last), **diverged})
    (row,) = comparison.to_json()["optimizers"]
    assert row["stop_reason"] == {"diverged": 2, "epochs": 1}
    assert (row["epochs"], row["loss"]) == (30, last.loss)
    comparison.trials[2] = comparison.trials[0]
    (row,) = comparison.to_json()["optimizers"]
    assert (row["epochs"], row["loss"]) == (4, None)


def test_where_all_diverge_the_comparison_fails() -> None:
    diverging = ("training.learning_rate=1e9", *SHORT)
    one = compared("sgd", *diverging, config="linear_two_layer")
    several = compared("sgd,traingdm", *diverging, config="linear_two_layer")
    assert str(one.failure) == one.trials[0].message
    assert str(several.failure).startswith("All 2 trainings diverged. The first one: Training")


def test_a_start_without_a_finite_loss_has_no_curve() -> None:
    init = "network.init={name: constant, value: 1e200}"
    comparison = compared("sgd", init, *SHORT, config="linear_two_layer")
    (trial,) = comparison.trials
    assert (trial.stop_reason, trial.epochs, trial.seconds) == ("diverged", 0, 0)
    assert trial.curve.epochs == []
    assert "initial parameters" in str(comparison.failure)


def test_the_rule_of_seconds_goes_by_the_time_of_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(metered, "clock", lambda: float(next(ticks)))
    (trial,) = compared("sgd", "training.stop={max_seconds: 12}").trials
    assert (trial.stop_reason, trial.epochs, trial.seconds) == ("max_seconds", 12, 12)


def test_a_signal_keeps_what_is_finished() -> None:
    class Impatient(SilentView):
        def on_trial_start(self, label: str, seed: int, epochs: int) -> None:
            if label == "traingdm":
                os.kill(os.getpid(), signal.SIGINT)

    comparison = compared("sgd,traingdm,looking", *SHORT, seeds=2, callback=Impatient())
    assert [trial.optimizer for trial in comparison.trials] == ["sgd"]
    assert comparison.signal_number == signal.SIGINT
    document = comparison.to_json()
    assert document["interrupted"]
    assert [row["trainings"] for row in document["optimizers"]] == [1, 0, 0]


def test_what_does_not_fit_the_data_is_found_before_any_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_trial", None)
    with pytest.raises(ConfigError, match="layers") as caught:
        compared("sgd,looking", "network.layers=[3, 16, 8, 1]")
    assert str(caught.value).count("1 error in") == 1
    assert [issue.key for issue in caught.value.issues] == ["network.layers.0"]


def test_any_number_of_workers_leads_to_the_same_losses() -> None:
    big = ("data={generator: moons, n_samples: 40000}", "training.epochs=3", "training.stop={}")
    losses = {
        compared("traingdm", *big, f"training.workers={workers}").trials[0].loss
        for workers in (1, 2)
    }
    assert len(losses) == 1
