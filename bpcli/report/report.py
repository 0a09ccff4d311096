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
    "sections.data", "sections.network", "sections.history", "scrubber", "lesson",
    "sections.quality", "sections.diagnosis", "sections.repeat",
)  # fmt: skip
"""The modules of the sections, in their order on the page."""

_OF_TRAINING = ("sections.network", "sections.history", "scrubber", "lesson")
"""Those that show the network as it was trained, without a calibration of its probabilities."""


def report_of(subjects: Sequence[Subject], language: str, *, has_lesson: bool = False) -> str:
    """The HTML of a report of one run, with a lesson or without, or of a comparison of several.

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
            head = banner(subjects[0], words)
            sections = sections_of(subjects[0], language, has_lesson=has_lesson)
            title = words("page.title", name=subjects[0].name)
    return page(title, head, sections, words)


def sections_of(subject: Subject, language: str, *, has_lesson: bool = False) -> list[Section]:
    """The sections that a run has."""
    words = words_of(language)
    names = [name for name in SECTIONS if has_lesson or name != "lesson"]
    made = [
        importlib.import_module(f"bpcli.report.{name}").section(
            subject.as_trained if name in _OF_TRAINING else subject, words
        )
        for name in names
    ]
    return [each for each in made if each is not None]
