"""What looks wrong with a run, for the banner and the section on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bpcli.report.once import once
from bpcli.report.words import Words
from bpcli.runs.subject import Subject

if TYPE_CHECKING:
    from bpcli.diagnosis import Finding


@once
def findings_of(subject: Subject) -> Sequence[Finding]:
    """The findings of a run, the most severe first."""
    from bpcli.diagnosis import findings

    return findings(subject)


def title_of(finding: Finding, words: Words) -> str:
    """The title of a finding; in another language than English, that of its kind."""
    return words.get(f"finding.{finding.kind}", finding.title)
