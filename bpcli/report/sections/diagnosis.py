"""What looks wrong: each finding with its evidence, its cause and the next command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpcli.report.findings import findings_of, title_of
from bpcli.report.html import Html, joined, paragraph, prose, tag
from bpcli.report.section import Section
from bpcli.report.words import Words
from bpcli.runs.subject import Subject

if TYPE_CHECKING:
    from bpcli.diagnosis import Finding


def section(subject: Subject, words: Words) -> Section | None:
    """The findings, the most severe first, or that there are none."""
    findings = findings_of(subject)
    errors = [tag("li", text) for text in dict.fromkeys(subject.errors.values())]
    missing = None
    if errors:
        missing = joined(paragraph(words("diagnosis.missing")), tag("ul", errors, lang="en"))
    body: Html = paragraph(words("diagnosis.nothing"))
    if findings:
        body = tag("ol", [_finding(each, words) for each in findings], class_="findings")
    return Section("diagnosis", words("diagnosis.title"), joined(missing, body))


def _finding(finding: Finding, words: Words) -> Html:
    """A finding; its texts are in English in every language, its kind is not."""
    command = tag("p", words("diagnosis.next"), tag("code", finding.command))
    texts = [finding.evidence, finding.cause, finding.remedy, *finding.explains]
    return tag(
        "li",
        tag(
            "h3",
            tag("span", words(f"severity.{finding.severity}"), class_="tag"),
            _title(finding, words),
        ),
        tag("div", [paragraph(text) for text in texts if text], lang="en"),
        command if finding.command else None,
        class_=finding.severity,
    )


def _title(finding: Finding, words: Words) -> Html:
    return tag("span", prose(title_of(finding, words)))
