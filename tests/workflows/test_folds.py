from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from systems import CONFIGS

from bpcli.config.load import Config, load_config, validate
from bpcli.errors import ConfigError, Diverged, Interrupted
from bpcli.experiment import build
from bpcli.runs.folds import document_of, siblings
from bpcli.runs.layout import WEIGHTS
from bpcli.runs.run_json import Fold
from bpcli.runs.trained import load_trained
from bpcli.terminal.progress import SilentView
from bpcli.training.epoch import Epoch
from bpcli.workflows.folds import CrossValidation, TrainFold, fold_configs, train_folds
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.resume import resume, resumption
from bpcli.workflows.run_epochs import TrainingCallback
from bpcli.workflows.train import train


def trains_in(runs_dir: Path, view: Callable[[], TrainingCallback] = SilentView) -> TrainFold:
    def train_fold(config: Config, group: str | None) -> Outcome:
        return train(build(config), runs_dir, view(), group)

    return train_fold


def iris(*overrides: str) -> Config:
    settings = ["data.split={folds: 3, val: 0.1}", "training.epochs=30", *overrides]
    return load_config(CONFIGS / "softmax_iris.yaml", settings)


def cross_validated(
    tmp_path: Path, *overrides: str, on_fold_end: Any = lambda _: None
) -> CrossValidation:
    return train_folds(iris(*overrides), trains_in(tmp_path), on_fold_end)


def test_every_row_is_tested_once_by_a_network_that_did_not_see_it(tmp_path: Path) -> None:
    result = cross_validated(tmp_path)
    assert result.failure is None
    right = np.zeros(150)
    for outcome in result.outcomes:
        trained = load_trained(outcome.run)
        splits = trained.experiment.splits
        right[splits["test"].index] += 1
        saved = np.load(outcome.run.path("split.npz"))
        for name in ("train", "val", "test"):
            np.testing.assert_array_equal(saved[name], splits[name].index)
        assert [len(split) for split in splits.values()] == [90, 10, 50]
        # Scales are fitted on the fold's own training rows.
        X = trained.experiment.table.X[splits["train"].index]
        np.testing.assert_allclose(trained.experiment.preprocessor.inputs.shift, X.mean(axis=0))
    assert (right == 1).all()


def test_the_summary_is_of_the_folds_values(tmp_path: Path) -> None:
    records = [outcome.record for outcome in cross_validated(tmp_path).outcomes]
    document = document_of(records)
    values = [record.metrics["test.log_loss"] for record in records]
    assert len(set(values)) == 3
    summary = document["summary"]["test.log_loss"]
    assert summary["values"] == values
    assert summary["mean"] == pytest.approx(np.mean(values), rel=1e-12)
    assert summary["sd"] == pytest.approx(np.std(values, ddof=1), rel=1e-12)
    assert document["baselines"]["constant"]["test.accuracy"]["mean"] <= 0.34
    assert {record.fold.group for record in records} == {records[0].run_id}
    assert [each.run_id for each in siblings(records[1], tmp_path)] == [
        record.run_id for record in records
    ]


def test_a_folds_resolved_config_trains_that_fold_again(tmp_path: Path) -> None:
    second = cross_validated(tmp_path).outcomes[1]
    config = load_config(second.run.path("resolved.yaml"))
    again = train(build(config), tmp_path, SilentView())
    assert again.record.sha256["weights.safetensors"] == second.record.sha256["weights.safetensors"]
    assert again.record.fold == Fold(2, 3, again.run.run_id)
    assert siblings(again.record, tmp_path)[0].run_id == again.run.run_id


def test_an_interrupt_between_folds_keeps_the_finished_ones(tmp_path: Path) -> None:
    def interrupt(outcome: Outcome) -> None:
        if outcome.record.fold.number == 2:
            os.kill(os.getpid(), signal.SIGINT)

    result = cross_validated(tmp_path, on_fold_end=interrupt)
    assert isinstance(result.failure, Interrupted)
    assert "2 of 3 folds were finished" in str(result.failure)
    assert len(list(tmp_path.iterdir())) == 2
    document = document_of([outcome.record for outcome in result.outcomes])
    assert document["finished"] == len(document["summary"]["test.accuracy"]["values"]) == 2


def test_a_fold_that_was_interrupted_can_be_finished(tmp_path: Path) -> None:
    class Interrupts(SilentView):
        def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
            if epoch.number == 12 and len(list(tmp_path.iterdir())) == 2:
                os.kill(os.getpid(), signal.SIGINT)

    settings = ["data.split={folds: 3}", "training.epochs=30", "training.log_every=1"]
    config = load_config(CONFIGS / "softmax_iris.yaml", settings)
    result = train_folds(config, trains_in(tmp_path, Interrupts), lambda _: None)
    second = result.outcomes[-1]
    assert f"bpnet train --resume {second.run.folder}" in result.failure.full_text
    with resumption(second.run, []) as ready:
        again = resume(ready, SilentView())
    assert again.record.fold == second.record.fold
    whole = train_folds(config, trains_in(tmp_path / "whole"), lambda _: None).outcomes[1]
    assert again.run.path(WEIGHTS).read_bytes() == whole.run.path(WEIGHTS).read_bytes()


def test_a_fold_that_diverges_is_left_out_of_the_summary_and_said(tmp_path: Path) -> None:
    def train_one_badly(config: Config, group: str | None) -> Outcome:
        outcome = trains_in(tmp_path)(config, group)
        if config.spec.data.split.fold != 2:
            return outcome
        return Outcome(
            outcome.run, replace(outcome.record, status="diverged"), Diverged("Too fast.")
        )

    result = train_folds(iris(), train_one_badly, lambda _: None)
    assert isinstance(result.failure, Diverged)
    assert str(result.failure) == (
        "Only 2 of 3 folds were finished; the others diverged. The first one: Too fast."
    )
    document = document_of([outcome.record for outcome in result.outcomes])
    assert len(document["folds"]) == 3
    assert len(document["summary"]["test.accuracy"]["values"]) == 2


def test_what_the_data_do_not_allow_leaves_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="150 rows are too few for 200 folds"):
        cross_validated(tmp_path, "data.split={folds: 200}")
    assert not list(tmp_path.iterdir())


def test_the_config_of_a_fold_names_it_in_its_source_too() -> None:
    """A folder of restarts keeps the source, from which they are resumed."""
    for number, config in enumerate(fold_configs(iris()), start=1):
        assert config.source.get(("data", "split")) == {"folds": 3, "val": 0.1, "fold": number}
        assert validate(config.source).spec == config.spec
