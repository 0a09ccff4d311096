"""A finding: a likely problem of a training, its cause, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from bpcli.text import visible

Severity: TypeAlias = Literal["error", "warning", "note"]
"""error: the network is of no use as it is; warning: a likely mistake; note: worth knowing."""

SEVERITIES: Sequence[Severity] = ("error", "warning", "note")
"""The most severe first."""


@dataclass(frozen=True)
class Finding:
    """One finding in plain text.

    `title`, `evidence`, `cause` and `remedy` are whole sentences, or empty; `command` is a shell
    command, or empty. `explains` are the titles of findings that follow from this one.
    """

    kind: str
    severity: Severity
    title: str
    evidence: str
    cause: str
    command: str
    remedy: str = ""
    explains: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        kind: str,
        severity: Severity,
        title: str,
        evidence: str,
        cause: str,
        remedy: str,
        command: str = "",
    ) -> Finding:
        """A finding from clauses, which become sentences."""
        title, evidence, cause, remedy = map(sentence, (title, evidence, cause, remedy))
        return cls(kind, severity, title, evidence, cause, command, remedy)

    def explaining(self, others: Sequence[Finding]) -> Finding:
        """Return this finding with those that follow from it, as severe as the worst of them.

        Notes are not repeated.
        """
        problems = [each for each in others if each.severity != "note"]
        titles = (*self.explains, *(title for each in problems for title in _titles(each)))
        worst = min((self, *problems), key=lambda each: SEVERITIES.index(each.severity))
        return replace(self, severity=worst.severity, explains=tuple(dict.fromkeys(titles)))

    @property
    def line(self) -> str:
        """The finding in a line, for the end of a training.

        If it explains others, the line begins with the first of these.
        """
        parts = [self.title, self.cause, self.remedy]
        if self.explains:
            parts = [self.explains[0], self.title, self.remedy]
        return ": ".join(clause(part) for part in parts if part)

    def to_json(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "severity": self.severity,
            "title": self.title,
            "evidence": self.evidence,
            "cause": self.cause,
            "remedy": self.remedy,
            "command": self.command,
            "explains": list(self.explains),
        }


def _titles(finding: Finding) -> tuple[str, ...]:
    return (finding.title, *finding.explains)


def sentence(text: str) -> str:
    """A clause as a sentence, with a capital and a period; empty if it is empty.

    Signs in names that could control a terminal are escaped.
    """
    return visible(f"{text[0].upper()}{text[1:]}.") if text else ""


def clause(text: str) -> str:
    """A sentence as a clause: the inverse of `sentence`, for clauses that begin with a word."""
    return f"{text[0].lower()}{text[1:]}".removesuffix(".") if text else ""
