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
    return [_try(kind) for kind in CORRUPTIONS]


def _try(kind: str) -> Rejection:
    report = check_demonstration(kind)
    failed = tuple(
        check.tensor + _MARKS.get(check.term, "") for check in report.checks if not check.passed
    )
    return Rejection(kind, CORRUPTIONS[kind].meaning, not report.passed, failed)


_MARKS = {"l2": " (L2)", "jacobian": " (J)"}
