"""Makes the report of a run, or the comparison of several."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from bpcli.errors import RunError
from bpcli.nn.numerics import repeatable_numerics
from bpcli.report.banner import banner
from bpcli.report.comparison import comparison_banner, comparison_sections
from bpcli.report.page import page
from bpcli.report.section import Section
from bpcli.report.words import words_of
from bpcli.runs.subject import Subject

SECTIONS = (
    "sections.data", "sections.network", "sections.history", "scrubber", "sections.quality",
    "sections.diagnosis", "sections.repeat",
)  # fmt: skip
"""The modules of the sections, in their order on the page."""


def report_of(subjects: Sequence[Subject], language: str) -> str:
    """The HTML of a report of one run, or of a comparison of several runs.

    Raises `RunError` if nothing is known of a run besides its record.
    """
    for subject in subjects:
        if not subject.lines and subject.rebuilt is None and not subject.record.metrics:
            why = " ".join(dict.fromkeys(subject.errors.values()))
            raise RunError(f"{subject.run_id} has nothing to report. {why}")
    words = words_of(language)
    with repeatable_numerics():
        if len(subjects) > 1:
            head, sections = (
                comparison_banner(subjects, words),
                comparison_sections(subjects, words),
            )
            title = words("compare.page", count=len(subjects))
        else:
            head, sections = banner(subjects[0], words), sections_of(subjects[0], language)
            title = words("page.title", name=subjects[0].name)
    return page(title, head, sections, words)


def sections_of(subject: Subject, language: str) -> list[Section]:
    """The sections that a run has."""
    words = words_of(language)
    made = [importlib.import_module(f"bpcli.report.{name}").section for name in SECTIONS]
    return [each for each in (section(subject, words) for section in made) if each is not None]
