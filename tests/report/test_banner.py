"""The head of a report says the same as the sections below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from systems import trained

from bpcli.diagnosis import Finding
from bpcli.report import banner as banners
from bpcli.report.banner import banner
from bpcli.report.words import words_of
from bpcli.runs.subject import Subject
from bpcli.workflows.subject import load_subject


def subject_of(folder: Path, config: str, **overrides: object) -> Subject:
    return load_subject(trained(folder, config, **overrides).run, "best", None)


def text_of(subject: Subject, language: str = "en") -> str:
    return re.sub(r"<[^>]+>", "", str(banner(subject, words_of(language))))


def finding(kind: str, severity: str) -> Finding:
    return Finding.of(kind, severity, f"the {kind}", "", "", "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "Nothing looks wrong."),
        ([finding("hint", "note")], "No problems; 1 note: The hint. See the diagnosis"),
        (
            [finding("hint", "note"), finding("other", "note")],
            "No problems; 2 notes: The hint; The other. See the diagnosis",
        ),
        (
            [finding("fault", "error"), finding("hint", "note")],
            "1 thing looks wrong: The fault. See the diagnosis",
        ),
    ],
)
def test_notes_are_named_if_nothing_looks_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Sequence[Finding], said: str
) -> None:
    monkeypatch.setattr(banners, "findings_of", lambda _: found)
    assert said in text_of(subject_of(tmp_path, "xor", training__epochs=2))
