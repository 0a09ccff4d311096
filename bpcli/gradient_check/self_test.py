"""Test the check itself: it must reject every wrong backward pass."""

from __future__ import annotations

from dataclasses import dataclass

from bpcli.gradient_check.corruptions import CORRUPTIONS
from bpcli.gradient_check.report import check_demonstration


@dataclass(frozen=True)
class Rejection:
    """Whether the check rejects a wrong backward pass, and which tensors fail."""

    kind: str
    meaning: str
    rejected: bool
    tensors: tuple[str, ...]


def self_test() -> list[Rejection]:
    """Try every wrong backward pass on the demonstration."""
    return [_try(corruption) for corruption in CORRUPTIONS]


def _try(corruption: str) -> Rejection:
    report = check_demonstration(corruption)
    failed = tuple(
        check.tensor + _MARKS.get(check.term, "") for check in report.checks if not check.passed
    )
    return Rejection(corruption, CORRUPTIONS[corruption].meaning, not report.passed, failed)


_MARKS = {"l2": " (L2)", "jacobian": " (J)"}
