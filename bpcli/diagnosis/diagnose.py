"""Apply all rules to a run, and leave out what only follows from another finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcli.diagnosis import rules_data, rules_ends, rules_loss, rules_scores, rules_units
from bpcli.diagnosis.evidence import Evidence
from bpcli.diagnosis.finding import SEVERITIES, Finding
from bpcli.diagnosis.rule import Rule
from bpcli.diagnosis.rules_scores import OVERFITTING, Gap, gap_of
from bpcli.runs.subject import Subject

RULES: Sequence[Rule] = (
    *rules_scores.RULES,
    *rules_ends.RULES,
    *rules_loss.RULES,
    *rules_units.RULES,
    *rules_data.RULES,
)
"""All rules. Those whose findings a user notices first come first: a line at the end of a training
begins with the first consequence of what it names."""

_UNLEARNED = ("stuck", "worse_than_constant", "underfitting")
_SLOW = ("rate_too_small", "too_few_epochs", "plateau", "no_step", "never_fell")
_GRADIENTS = ("vanishing_gradients", "vanished_gradient", "exploding_gradients")
_UNITS = ("dead_units", "saturated_units", "saturated_outputs")

EXPLAINS: Mapping[str, Sequence[str]] = {
    "unscaled": ("diverging", "oscillating", *_SLOW, *_UNITS, *_GRADIENTS, *_UNLEARNED),
    "out_of_range": (*_SLOW, *_UNITS, *_GRADIENTS, *_UNLEARNED, "overfitting"),
    "diverging": ("oscillating", *_SLOW, *_UNITS, *_GRADIENTS, *_UNLEARNED, "overfitting"),
    "saturated_outputs": (*_UNITS, *_SLOW, *_GRADIENTS, *_UNLEARNED),
    "dead_units": ("plateau", "too_few_epochs", "rate_too_small", *_GRADIENTS, *_UNLEARNED),
    "saturated_units": ("plateau", "rate_too_small", *_GRADIENTS, *_UNLEARNED),
    "exploding_gradients": ("oscillating", *_UNLEARNED),
    "vanishing_gradients": ("vanished_gradient", *_SLOW, *_UNLEARNED),
    "vanished_gradient": _UNLEARNED,
    "oscillating": ("never_fell", *_UNLEARNED),
    "rate_too_small": ("plateau", *_UNLEARNED),
    "too_few_epochs": ("plateau", *_UNLEARNED),
    "overfitting": ("worse_than_constant",),
    "stuck": ("worse_than_constant", "underfitting", "plateau", "never_fell"),
    "plateau": ("underfitting",),
    "never_fell": ("worse_than_constant", "underfitting"),
}
"""For each kind of finding, those that follow from it. A kind comes before those that it explains:
causes first."""


@dataclass(frozen=True)
class Diagnosis:
    """The findings, the most severe first; what was looked for; and why some rules could not be."""

    findings: Sequence[Finding]
    checked: Sequence[str]
    unchecked: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        return {
            "findings": [finding.to_json() for finding in self.findings],
            "checked": list(self.checked),
            "unchecked": [
                {"rule": rule, "reason": reason} for rule, reason in self.unchecked.items()
            ],
        }


def diagnose(subject: Subject) -> Diagnosis:
    """Apply all rules to what is known of a run; its network is that before any calibration."""
    evidence = Evidence(subject.as_trained)
    obstacles = {rule.title: rule.obstacle(evidence) for rule in RULES}
    return Diagnosis(
        _findings(evidence, RULES),
        [title for title, obstacle in obstacles.items() if obstacle is None],
        {title: obstacle for title, obstacle in obstacles.items() if obstacle is not None},
    )


def findings(subject: Subject) -> list[Finding]:
    """What looks wrong with a run, the most severe first."""
    return _findings(Evidence(subject), RULES)


def overfitting_gap(subject: Subject) -> Gap | None:
    """What the rule on overfitting judges by; None if it cannot be applied to the run."""
    evidence = Evidence(subject)
    with np.errstate(all="ignore"):
        return None if OVERFITTING.obstacle(evidence) else gap_of(evidence)


def findings_at_end(subject: Subject) -> list[Finding]:
    """What looks wrong at the end of a training, by the rules that take hardly any time."""
    return _findings(Evidence(subject), [rule for rule in RULES if rule.at_end])


def _findings(evidence: Evidence, rules: Iterable[Rule]) -> list[Finding]:
    with np.errstate(all="ignore"):
        findings = [
            finding
            for rule in rules
            if rule.obstacle(evidence) is None
            for finding in rule.check(evidence)
        ]
    return sorted(without_consequences(findings), key=lambda each: SEVERITIES.index(each.severity))


def without_consequences(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that follow from no other; each names those that follow from it.

    A note explains nothing, because it does not report an error.
    """
    rest = list(findings)
    for cause, follows in EXPLAINS.items():
        causes = [each for each in rest if each.kind == cause and each.severity != "note"]
        consequences = [each for each in rest if each.kind in follows and each.kind != cause]
        if causes and consequences:
            rest = [each for each in rest if each not in consequences]
            rest[rest.index(causes[0])] = causes[0].explaining(consequences)
    return rest
