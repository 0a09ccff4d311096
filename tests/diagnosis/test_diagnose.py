"""Rules are applied to what is known of a run, and consequences are left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from faults import FAULTS, shipped, trained_on

from bpcli.diagnosis import Finding, findings
from bpcli.diagnosis.diagnose import (
    EXPLAINS,
    RULES,
    diagnose,
    findings_at_end,
    without_consequences,
)
from bpcli.diagnosis.finding import SEVERITIES
from bpcli.runs.layout import METRICS, WEIGHTS
from bpcli.runs.store import Run
from bpcli.workflows.subject import load_subject


def finding(kind: str, severity: str = "warning") -> Finding:
    return Finding.of(kind, severity, f"{kind} is found", "1 of 2", "", "change it")  # type: ignore[arg-type]


def test_what_follows_from_another_finding_is_named_there() -> None:
    stuck, dead, leak = finding("stuck", "error"), finding("dead_units"), finding("leak")
    first, second = without_consequences([stuck, dead, leak])
    assert (first.kind, first.severity, first.explains) == (
        "dead_units", "error", ("Stuck is found.",),
    )  # fmt: skip
    assert second == leak


def test_a_chain_of_causes_ends_at_the_first_cause() -> None:
    kinds = ("worse_than_constant", "stuck", "dead_units", "unscaled")
    (root,) = without_consequences([finding(kind) for kind in kinds])
    assert root.kind == "unscaled"
    assert len(root.explains) == 3


def test_a_note_neither_explains_nor_is_repeated() -> None:
    stuck, note = finding("stuck"), finding("dead_units", "note")
    assert without_consequences([stuck, note]) == [stuck, note]
    (root,) = without_consequences([finding("unscaled"), finding("plateau", "note")])
    assert root.explains == ()


def test_causes_come_before_what_they_explain() -> None:
    order = [*EXPLAINS]
    for kind, follows in EXPLAINS.items():
        later = [each for each in follows if each in order and each != kind]
        before = [each for each in later if order.index(each) < order.index(kind)]
        assert not before, (kind, before)


def test_the_most_severe_come_first(tmp_path: Path) -> None:
    run = trained_on(FAULTS["overfitting"](0), tmp_path)
    severities = [each.severity for each in findings(load_subject(run, "best", None))]
    assert severities[0] == "error"
    assert severities == sorted(severities, key=SEVERITIES.index)
    assert len(severities) > 1


def diverged(folder: Path) -> Run:
    rate = "training.learning_rate=3"
    return trained_on(shipped("linear_regression", rate, "training.epochs=600")(0), folder)


def test_a_diverged_run_is_diagnosed_from_its_log_alone(tmp_path: Path) -> None:
    run = diverged(tmp_path)
    run.path(WEIGHTS).unlink()
    found = diagnose(load_subject(run, "best", None))
    (only,) = found.findings
    assert only.kind == "diverging"
    assert only.command.endswith("--set training.learning_rate=0.3")
    assert "a plateau" in found.checked
    assert "no weights" in found.unchecked["underfitting"]
    assert {*found.checked, *found.unchecked} == {rule.title for rule in RULES}


def test_without_a_log_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    run = trained_on(FAULTS["unscaled"](0), tmp_path)
    run.path(METRICS).unlink()
    found = diagnose(load_subject(run, "best", None))
    assert [each.kind for each in found.findings if each.severity != "note"] == ["unscaled"]
    assert METRICS in found.unchecked["a plateau"]


def test_a_training_that_is_not_learned_is_known_from_the_log_alone(tmp_path: Path) -> None:
    run = trained_on(FAULTS["stuck"](0), tmp_path)
    run.path(WEIGHTS).unlink()
    assert [each.kind for each in findings(load_subject(run, "best", None))] == ["stuck"]


def test_an_interrupted_run_without_an_end_has_findings(tmp_path: Path) -> None:
    subject = load_subject(trained_on(FAULTS["stuck"](0), tmp_path), "best", None)
    record = replace(
        subject.record,
        status="running",
        ended="",
        stop_reason="",
        metrics={},
        baselines={},
        epochs=99,
    )
    cut = replace(subject, record=record, rebuilt=None, errors={"network": "It has no weights."})
    assert [each.kind for each in findings(cut)] == ["stuck"]


def test_rules_at_the_end_of_a_training_are_fewer(tmp_path: Path) -> None:
    run = trained_on(FAULTS["few_test_rows"](0), tmp_path)
    subject = load_subject(run, "best", None)
    assert findings(subject)
    assert findings_at_end(subject) == []


@pytest.mark.parametrize(("order", "is_found"), [("blocks", True), ("random", False)])
def test_two_explanations_of_folds(order: str, is_found: bool, tmp_path: Path) -> None:
    """Folds in blocks of sorted rows differ; folds at random do not."""
    split = f"data.split={{folds: 5, fold: 1, order: {order}}}"
    run = trained_on(shipped("softmax_iris", split, "training.epochs=100")(0), tmp_path)
    found = findings(load_subject(run, "best", None))
    assert ("disagreement" in {each.kind for each in found}) == is_found


@pytest.mark.parametrize("name", ["a\x1b[31m", "a\nb"])
def test_names_cannot_control_a_terminal(name: str) -> None:
    found = Finding.of("leak", "note", f"`{name}` is found", name, "", "")
    assert "\x1b" not in found.title
    assert "\n" not in found.evidence
