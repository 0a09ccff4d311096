"""Likely problems of a run, for the banner and the section on them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bpcli.report.once import once
from bpcli.report.words import Words
from bpcli.runs.subject import Subject

if TYPE_CHECKING:
    from bpcli.diagnosis import Finding


@once
def findings_of(subject: Subject) -> Sequence[Finding]:
    """The findings of a run, the most severe first.

    Their commands name its folder from that which has the folder `runs`, not from the root.
    """
    from bpcli.diagnosis import findings

    all_findings = findings(subject)
    if subject.folder is None:
        return all_findings
    above = f"{subject.folder.parent.parent}{os.sep}"
    return [replace(each, command=each.command.replace(above, "")) for each in all_findings]


def title_of(finding: Finding, words: Words) -> str:
    """The title of a finding; in another language than English, that of its kind."""
    return words.get(f"finding.{finding.kind}", finding.title)
