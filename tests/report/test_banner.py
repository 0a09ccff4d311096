"""The head of a report says the same as the sections below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from systems import trained

from bpcli.diagnosis import Finding, findings, rules_scores
from bpcli.report import banner as banners
from bpcli.report.banner import banner
from bpcli.report.sections.quality import section
from bpcli.report.words import words_of
from bpcli.runs.subject import Subject
from bpcli.workflows.subject import load_subject


def subject_of(folder: Path, config: str, **overrides: object) -> Subject:
    return load_subject(trained(folder, config, **overrides).run, "best", None)


def text_of(subject: Subject, language: str = "en") -> str:
    return re.sub(r"<[^>]+>", "", str(banner(subject, words_of(language))))


@pytest.mark.parametrize(
    ("most", "gap", "said"),
    [
        (None, None, "It does not overfit: that would be a difference of 50 % or more."),
        (None, 0.01, "It overfits: the difference is 1 % or more."),
        (0.0, None, "so the kept weights do not overfit; those of the last epochs did."),
    ],
)
def test_the_verdict_on_overfitting_is_that_of_the_rule(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most: float | None,
    gap: float | None,
    said: str,
) -> None:
    subject = subject_of(tmp_path, "moons", training__epochs=40)
    if gap is not None:
        monkeypatch.setattr(rules_scores, "GAP", gap)
    if most is not None:
        monkeypatch.setattr(rules_scores, "ROSE", most)
    text, scores = text_of(subject), subject.record.metrics
    losses = [f"{scores[f'{name}.loss']:.4g}" for name in ("train", "test")]
    assert f"The loss is {losses[0]} on the training set and {losses[1]} on the test set" in text
    assert said in text
    kinds = {each.kind for each in findings(subject)}
    assert ("overfitting" in kinds) is (gap is not None or most is not None)


def test_without_held_out_rows_nothing_is_said_of_overfitting(tmp_path: Path) -> None:
    assert "overfit" not in text_of(subject_of(tmp_path, "xor", training__epochs=40))


@pytest.mark.parametrize(
    ("config", "said"), [("moons", "with the lowest validation loss"), ("xor", "the last one")]
)
def test_the_epoch_that_was_kept_is_named_with_the_reason(
    tmp_path: Path, config: str, said: str
) -> None:
    subject = subject_of(tmp_path, config, training__epochs=9)
    best = subject.record.best_epoch
    assert f"epoch kept, {said}{best}" in text_of(subject)
    scores = section(subject, words_of("en"))
    assert scores is not None
    assert f"those of epoch {best}, " in str(scores.body)
    averaged = replace(subject, record=replace(subject.record, stop_reason="averaged"))
    assert "epoch kept: none, as the network is an average–" in text_of(averaged)


def finding(kind: str, severity: str) -> Finding:
    return Finding.of(kind, severity, f"the {kind}", "", "", "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "No problems found."),
        ([finding("hint", "note")], "No problems; 1 note: The hint. See the diagnosis"),
        (
            [finding("hint", "note"), finding("other", "note")],
            "No problems; 2 notes: The hint; The other. See the diagnosis",
        ),
        (
            [finding("fault", "error"), finding("hint", "note")],
            "1 likely problem: The fault. See the diagnosis",
        ),
    ],
)
def test_notes_are_named_if_nothing_looks_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Sequence[Finding], said: str
) -> None:
    monkeypatch.setattr(banners, "findings_of", lambda _: found)
    assert said in text_of(subject_of(tmp_path, "xor", training__epochs=2))
