"""The command of a finding, given as it stands, makes the network better."""

from __future__ import annotations

import math
import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from faults import FAULTS, explains, found_in, shipped, trained_on

from bpcli.config.load import load_config
from bpcli.diagnosis import Finding, findings
from bpcli.diagnosis.advice import at_random
from bpcli.diagnosis.evidence import Evidence
from bpcli.experiment import build
from bpcli.runs.store import Run
from bpcli.runs.subject import Subject
from bpcli.workflows.subject import load_subject

IS_FULL = bool(os.environ.get("BPNET_FULL"))
SEEDS = range(5 if IS_FULL else 1)
CLEARLY_LOWER = 0.99

NO_LOSS = {
    "plateau": "it says that time was lost",
    "constant_inputs": "no command: the table must change",
    "imbalance": "the rare class counts more, and the others less",
    "leak": "no command: the table must change",
    "few_rows": "a note, of a network that may be good",
    "few_test_rows": "the score is not better, but surer",
    "disagreement": "the network is as good, but surer",
}
"""Findings whose command is not meant to lower the loss, and the reason."""

JUDGED = [fault for fault in FAULTS if fault.split()[0] not in NO_LOSS]
QUICK = ("dead_units", "diverging", "overfitting", "stuck", "too_few_epochs", "unscaled")


@pytest.mark.parametrize("fault", JUDGED if IS_FULL else QUICK)
def test_the_command_lowers_the_loss(fault: str, tmp_path: Path) -> None:
    for seed in SEEDS:
        before = load_subject(trained_on(FAULTS[fault](seed), tmp_path / "before"), "best", None)
        command = finding_of(fault.split()[0], findings(before)).command
        after = tmp_path / "after"
        left = loss_of(load_subject(trained_by(command, after), "best", None))
        assert left < CLEARLY_LOWER * loss_of(before)


def finding_of(kind: str, found: list[Finding]) -> Finding:
    return next(each for each in found if each.kind == kind or explains(each, kind))


def trained_by(command: str, folder: Path) -> Run:
    _, _, config, *options = shlex.split(command)
    return trained_on(build(load_config(Path(config), options[1::2])), folder)


def loss_of(subject: Subject) -> float:
    """The loss of the last split as a fraction of that of a constant, which any loss has."""
    evidence = Evidence(subject)
    remaining = evidence.remaining(evidence.last_split)
    return math.inf if remaining is None else remaining


def alarms(config: str, *overrides: str, folder: Path) -> list[Finding]:
    found = found_in(shipped(config, *overrides)(0), folder)
    return [each for each in found if each.severity != "note"]


@pytest.mark.parametrize(
    ("epochs", "title"),
    [
        (0, "The network is not trained: `training.epochs` is 0."),
        (1, "The training ended after 1 epoch."),
        (3, "The training ended after 3 epochs."),
    ],
)
def test_a_training_of_hardly_any_steps_needs_more(epochs: int, title: str, tmp_path: Path) -> None:
    (found,) = alarms("softmax_iris", f"training.epochs={epochs}", folder=tmp_path)
    assert (found.kind, found.title) == ("too_few_epochs", title)
    assert found.remedy == f"Use more `training.epochs` than {epochs}."
    assert found.command.endswith("--set training.epochs=40")


def test_units_that_the_steps_have_broken_need_shorter_ones(tmp_path: Path) -> None:
    settings = ("training.learning_rate=1e6", "training.epochs=12", "training.stop={}")
    (found,) = alarms("mazur", *settings, folder=tmp_path)
    assert found.kind == "dead_units"
    assert found.command.endswith("--set training.learning_rate=100000")


def test_a_loss_of_zero_is_no_plateau(tmp_path: Path) -> None:
    settings = ("training.learning_rate=1e6", "training.epochs=12", "training.stop={}")
    assert alarms("gate_and", *settings, folder=tmp_path) == []


def test_weight_decay_that_is_too_strong_is_to_be_weaker(tmp_path: Path) -> None:
    settings = ("training.l2=500", "training.learning_rate=0.05", "training.epochs=200")
    (found,) = alarms("moons", *settings, folder=tmp_path)
    assert found.kind == "underfitting"
    assert found.command.endswith("--set training.l2=50")


def test_validation_rows_of_another_rule_are_told_from_steps_that_are_too_long(
    tmp_path: Path,
) -> None:
    """The training rows are learned, though the initial weights are kept."""
    found = finding_of("never_fell", found_in(FAULTS["never_fell"](0), tmp_path))
    assert found.cause.startswith("What was learned from the training rows does not generalize")
    assert found.command.endswith("--set data.split.order=random")


def test_the_test_rows_of_a_fold_are_not_called_few(tmp_path: Path) -> None:
    split = "data.split={folds: 3, fold: 1}"
    found = found_in(shipped("softmax_iris", split, "training.epochs=60")(0), tmp_path)
    assert "few_test_rows" not in {each.kind for each in found}


def test_a_class_without_training_rows_needs_some(tmp_path: Path) -> None:
    settings = ("data.split={folds: 3, fold: 1, order: blocks}", "training.epochs=60")
    found = finding_of("imbalance", found_in(shipped("softmax_iris", *settings)(0), tmp_path))
    assert found.title.endswith("50 training rows of `versicolor`, 0 of `setosa`.")
    assert found.command == ""


def test_folds_that_disagree_are_all_trained_again_at_random(tmp_path: Path) -> None:
    found = finding_of("disagreement", found_in(FAULTS["disagreement folds"](0), tmp_path))
    settings = "--set data.split.order=random --set data.split.fold=null"
    assert found.command.endswith(settings)


def test_a_split_at_random_needs_no_column_to_order_by(tmp_path: Path) -> None:
    subject = load_subject(
        trained_on(shipped("xor", "training.epochs=1")(0), tmp_path), "best", None
    )
    config = {"data.split.order": "time", "data.split.order_by": "date"}
    ordered = Evidence(replace(subject, record=replace(subject.record, config=config)))
    assert at_random(ordered) == ["data.split.order=random", "data.split.order_by=null"]
    assert at_random(Evidence(subject)) == []
