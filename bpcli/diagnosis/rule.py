"""A rule: what it checks, what it must know, and how it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from bpcli.diagnosis.evidence import Evidence
from bpcli.diagnosis.finding import Finding
from bpcli.runs.subject import Need

Check: TypeAlias = Callable[[Evidence], Iterator[Finding]]


class Rule(NamedTuple):
    """One rule. `check` yields its findings, and is only called if all that it needs is known.

    `title` says what is looked for. With `at_end`, the rule is so cheap that every training ends
    with it.
    """

    title: str
    check: Check
    needs: tuple[Need, ...] = ("log",)
    at_end: bool = True

    def obstacle(self, evidence: Evidence) -> str | None:
        """Why the rule cannot be applied to a run; None if it can."""
        errors = evidence.subject.errors
        missing = [errors[need] for need in self.needs if need in errors]
        if missing:
            return missing[0]
        if "log" in self.needs and not evidence.loss:
            return f"The log of {evidence.subject.run_id} has no finite loss."
        if "network" in self.needs and not evidence.has_rows:
            return f"The rows of {evidence.subject.run_id} are not kept with it."
        return None
