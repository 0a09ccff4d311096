from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pruned import Problem, friedman, mixed, monk, run_of

from bpcli.errors import ConfigError, Interrupted, RunError
from bpcli.runs.trained import Trained, load_trained
from bpcli.terminal.progress import SilentView
from bpcli.workflows.prune import How, prune, with_overrides
from bpcli.workflows.prune import Path as Pruned
from bpcli.workflows.pruned_run import KeptRun, save_kept
from bpcli.workflows.verify import verify

SEEDS = 20 if os.environ.get("BPNET_FULL") else 2


def pruned(
    problem: Problem, folder: Path, seed: int = 0, **how: Any
) -> tuple[Trained, Pruned, KeptRun]:
    config = problem.config_for(problem.write(folder / "t.csv"), seed)
    trained = run_of(config, folder / "runs", How(**how))
    path = prune(trained, How(**how), lambda *_: None)
    return trained, path, save_kept(path, folder / "runs", SilentView())


def kept_columns(path: Pruned) -> set[str]:
    return {column.name for column in path.kept.remaining.columns}


@pytest.mark.parametrize("problem_of", [friedman, monk])
def test_inputs_of_noise_are_removed_and_the_test_error_is_no_worse(
    problem_of: Callable[[int], Problem], tmp_path: Path
) -> None:
    removed, errors = 0, []
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        problem = problem_of(seed)
        trained, path, kept = pruned(problem, folder, seed)
        removed += not kept_columns(path) & problem.noise
        errors.append([each.metrics["test.loss"] for each in (trained.record, kept.outcome.record)])
        assert kept.paired is not None
        assert kept.paired.better != "first"
    before, after = np.array(errors, float).T
    assert removed >= 0.9 * SEEDS
    assert (after <= before).mean() >= 0.9
    assert after.mean() < 0.8 * before.mean()


_SOFTMAX = ({"targets": "class"}, {"activations": ["tanh", "softmax"]}, "cross_entropy")
_VALUES = {"activations": ["tanh", "identity"]}
_LABELS = {"targets": ["is_high", "is_odd"], "task": "multilabel"}
_KINDS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any], str]] = {
    "classes": _SOFTMAX,
    "labels": (_LABELS, {"activations": ["tanh", "sigmoid"]}, "binary_cross_entropy"),
    "indicators, two targets": (
        {"targets": ["y", "z"], "indicator": True, "calendar": ["month"]}, _VALUES, "mse",
    ),
    "weights of rows, single precision, frozen biases": (
        {"weight": "w"}, {**_VALUES, "dtype": "float32", "bias": ["frozen", True]}, "mse",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", _KINDS)
def test_the_kept_run_has_the_bits_of_the_path_and_is_one_like_any_other(
    kind: str, tmp_path: Path
) -> None:
    _, path, kept = pruned(mixed(*_KINDS[kind]), tmp_path, patience=2)
    run = kept.outcome.run
    again = load_trained(run)
    assert np.array_equal(again.params, path.kept.params)
    assert again.experiment.network == path.kept.remaining.network
    assert kept.outcome.record.metrics["val.loss"] == pytest.approx(path.kept.val.mean, rel=1e-6)
    assert {column.name for column in again.experiment.table.encoder.inputs} == kept_columns(path)  # type: ignore[union-attr]  # a table has one
    assert 0 < len(kept_columns(path)) < 5
    assert verify(run).is_identical


@pytest.mark.parametrize("data", ["generated", "single array"])
def test_rows_without_named_columns_get_a_file_of_the_inputs_that_are_kept(
    data: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    y = X[:, 0] + 0.1 * rng.normal(size=80)
    np.save(tmp_path / "one.npy", np.column_stack([X, y]))
    sources: dict[str, dict[str, Any]] = {
        "generated": {"generator": "classification", "n_features": 5, "targets": "values"},
        "single array": {"file": str(tmp_path / "one.npy")},
    }
    config = {
        "name": "t",
        "data": {**sources[data], "split": {"val": 0.3, "test": 0.2}},
        "network": {"layers": ["auto", 2, 1], "activations": ["tanh", "identity"]},
        "loss": "mse",
        "training": {"optimizer": "lbfgs", "epochs": 20},
    }
    trained = run_of(config, tmp_path / "runs", How())
    path = prune(trained, How(), lambda *_: None)
    kept = save_kept(path, tmp_path / "runs", SilentView())
    again = load_trained(kept.outcome.run)
    assert np.array_equal(again.params, path.kept.params)
    assert {*again.experiment.table.input_names} == kept_columns(path)
    for name, split in trained.experiment.splits.items():
        assert np.array_equal(split.Y, again.experiment.splits[name].Y)
    assert kept.paired is not None
    assert kept.paired.rows == len(trained.experiment.splits["test"])


def test_the_number_of_workers_changes_no_bit(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.random.default_rng(0).normal(size=(6000, 21)))
    config = {
        "name": "t",
        "data": {"file": str(tmp_path / "t.npy"), "split": {"val": 0.1}},
        "network": {"layers": ["auto", 20, "auto"], "activations": ["tanh", "identity"]},
        "loss": "mse",
        "training": {"optimizer": "lbfgs", "epochs": 3},
    }
    trained = run_of(config, tmp_path / "runs", How())
    assert trained.experiment.tasks > 1
    paths = []
    for workers in (1, 2):
        how = How("magnitude", "units", 1, [f"training.workers={workers}"])
        paths.append(prune(with_overrides(trained, how), how, lambda *_: None))
    one, two = (path.steps for path in paths)
    assert len(one) > 1
    assert [each.to_json() for each in one] == [each.to_json() for each in two]
    assert np.array_equal(one[-1].params, two[-1].params)


def test_only_inputs_or_only_units_are_removed_and_magnitude_is_another_order(
    tmp_path: Path,
) -> None:
    problem = mixed(*_SOFTMAX)
    config = problem.config_for(problem.write(tmp_path / "t.csv"), 0)
    trained = run_of(config, tmp_path / "runs", How())
    whole = trained.experiment.network
    for only, kind, most in (("inputs", "input", 4), ("units", "unit", 2)):
        how = How("magnitude", only, patience=9)  # type: ignore[arg-type]  # both are allowed
        path = prune(trained, how, lambda *_: None)
        assert path.ended == "complete"
        assert len(path.steps) == most + 1
        assert {step.removed.kind for step in path.steps[1:] if step.removed} == {kind}
        assert path.steps[0].remaining.network == whole


def test_a_signal_leaves_nothing_behind(tmp_path: Path) -> None:
    problem = mixed(*_SOFTMAX)
    config = problem.config_for(problem.write(tmp_path / "t.csv"), 0)
    trained = run_of(config, tmp_path / "runs", How())
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Interrupted, match="nothing was saved"):
        prune(trained, How(), lambda *_: signal.raise_signal(signal.SIGINT))
    assert sorted(tmp_path.rglob("*")) == before


def test_other_keys_of_the_training_are_used_and_no_others_allowed(tmp_path: Path) -> None:
    problem = mixed(*_SOFTMAX)
    config = problem.config_for(problem.write(tmp_path / "t.csv"), 0)
    how = How(patience=1, overrides=["training.epochs=3", "training.class_weights=balanced"])
    trained = run_of(config, tmp_path / "runs", how)
    assert trained.experiment.table.weight is not None
    path = prune(trained, how, lambda *_: None)
    assert {step.epochs for step in path.steps[1:]} == {3}
    kept = save_kept(path, tmp_path / "runs", SilentView(), "small")
    assert kept.outcome.run.name == "small"
    assert np.array_equal(load_trained(kept.outcome.run).params, path.kept.params)
    with pytest.raises(ConfigError, match="only keys of `training` can be changed"):
        with_overrides(trained, How(overrides=["network.layers=[5, 2, 3]"]))


@pytest.mark.parametrize(
    ("changes", "how", "why"),
    [
        ({"data.split": {"test": 0.3}}, {}, "has no validation set"),
        ({"data.targets": "same_as_inputs"}, {}, "is an autoencoder"),
        ({"data.inputs": [1], "network.layers": [1, 1, 1]}, {}, "Nothing can be removed"),
        ({"network.layers": [4, 1, 1]}, {"only": "units"}, "of its hidden units, each is the only"),
        ({"training.engine": "stream"}, {}, "are streamed: pruning needs them in memory"),
        ({"network.layers": [4, 900, 1]}, {}, "use --method magnitude"),
    ],
)  # fmt: skip
def test_what_cannot_be_pruned_is_refused_with_a_way_on(
    changes: Mapping[str, Any], how: Mapping[str, Any], why: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "t.npy", np.random.default_rng(0).normal(size=(30, 5)))
    config: dict[str, Any] = {
        "name": "t",
        "data": {"file": str(tmp_path / "t.npy"), "split": {"val": 0.3}},
        "network": {"layers": ["auto", 2, "auto"], "activations": ["tanh", "identity"]},
        "loss": "mse",
        "training": {"epochs": 1},
    }
    for key, value in changes.items():
        group, name = key.split(".")
        config[group][name] = value
    trained = run_of(config, tmp_path / "runs", How(**how))
    with pytest.raises(RunError, match=why):
        prune(trained, How(**how), lambda *_: None)


def test_a_run_whose_loss_is_not_finite_is_refused(tmp_path: Path) -> None:
    problem = mixed(*_SOFTMAX)
    config = problem.config_for(problem.write(tmp_path / "t.csv"), 0)
    trained = run_of(config, tmp_path / "runs", How())
    with pytest.raises(RunError, match="prune a run whose training has not diverged"):
        prune(replace(trained, params=trained.params * np.inf), How(), lambda *_: None)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"method": "brain"}, "`method` is `brain`: expected one of surgeon, magnitude."),
        ({"only": "unit"}, "`only` is `unit`: expected one of inputs, units, None."),
        ({"patience": 0}, "`patience` is 0: expected at least 1."),
    ],
)
def test_a_program_may_ask_only_for_what_there_is(how: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        How(**how)
