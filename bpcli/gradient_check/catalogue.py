"""Check the derivatives of every activation and loss that a config can contain."""

from __future__ import annotations

from dataclasses import dataclass

from bpcli.gradient_check.cases import all_cases
from bpcli.gradient_check.comparison import TensorCheck
from bpcli.gradient_check.objective import check_objective


@dataclass
class CatalogueRow:
    """A summary of all cases of one loss with one output activation."""

    loss: str
    output: str
    cases: int = 0
    checked: int = 0
    skipped: int = 0
    error: float = 0.0
    largest_error: float = 0.0
    central_error: float = 0.0
    passed: bool = True

    def add(self, checks: list[TensorCheck]) -> None:
        self.cases += 1
        for check in checks:
            self.checked += check.checked
            self.skipped += check.skipped
            self.error = max(self.error, check.error)
            self.largest_error = max(self.largest_error, check.largest_error)
            self.central_error = max(self.central_error, check.central_error or 0.0)
            self.passed &= check.passed


def check_catalogue() -> list[CatalogueRow]:
    """Check every legal combination of loss, output and hidden activation."""
    rows: dict[tuple[str, str], CatalogueRow] = {}
    for number, case in enumerate(all_cases()):
        objective, params = case.objective(number)
        row = rows.setdefault((case.loss, case.output), CatalogueRow(case.loss, case.output))
        row.add(check_objective(objective, params))
    return list(rows.values())
