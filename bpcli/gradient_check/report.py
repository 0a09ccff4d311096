"""Check the derivatives of a config, of a run, or of the demonstration; explain failures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bpcli.experiment import Experiment
from bpcli.gradient_check.cases import Case
from bpcli.gradient_check.comparison import TensorCheck
from bpcli.gradient_check.corruptions import CORRUPTIONS
from bpcli.gradient_check.hints import explain
from bpcli.gradient_check.objective import check_objective
from bpcli.nn.arrays import Vector
from bpcli.nn.losses import LOSSES
from bpcli.registry import name_of
from bpcli.training.objective import NetworkObjective

DEMONSTRATION = Case(
    loss="half_squared_error",
    output="tanh",
    hidden="sigmoid",
    depth=3,
    bias="trained",
    reduction="mean",
    l2=0.3,
    row_weights=False,
)
"""The objective that demonstrates wrong backward passes: two hidden layers of equal width."""


@dataclass(frozen=True)
class CheckReport:
    """The checks of one objective, with an explanation of failures."""

    checks: list[TensorCheck]
    rows: int
    explanation: str | None
    corruption: str | None
    network: str

    @property
    def harmless(self) -> str | None:
        """What a corruption needs to have an effect, if it had none."""
        if self.corruption is None or not self.passed or self.blind:
            return None
        return CORRUPTIONS[self.corruption].needs

    @property
    def unchecked(self) -> list[str]:
        """The tensors whose entries were all skipped."""
        return [check.tensor for check in self.checks if not check.checked]

    @property
    def blind(self) -> list[str]:
        """The tensors, with their terms, whose gradient is so small that a wrong one would pass."""
        return [f"{check.term} {check.tensor}" for check in self.checks if check.is_blind]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def what_failed(self) -> str:
        """`Jacobian` or `Hessian` if only that failed, else `gradient`."""
        failed = {check.term for check in self.checks if not check.passed}
        for term in ("jacobian", "hessian"):
            if failed == {term}:
                return term.capitalize()
        return "gradient"

    def to_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "rows": self.rows,
            "explanation": self.explanation,
            "tensors": [_check_record(check) for check in self.checks],
        }


def _check_record(check: TensorCheck) -> dict[str, Any]:
    record = asdict(check) | {"passed": check.passed}
    return {
        key: None if isinstance(value, float) and not np.isfinite(value) else value
        for key, value in record.items()
    }


def check_experiment(
    experiment: Experiment, params: Vector, *, rows: int, entries: int, corruption: str | None
) -> CheckReport:
    """Check an experiment's objective in float64, on at most `rows` evenly spaced rows."""
    objective = experiment.objective(dtype=np.dtype(np.float64))
    count = min(rows, len(objective.data))
    chosen = np.linspace(0, len(objective.data) - 1, count).astype(np.intp)
    return _report(objective.rows(chosen), params.astype(np.float64), entries, corruption)


def check_demonstration(corruption: str | None) -> CheckReport:
    """Check the demonstration's objective."""
    objective, params = DEMONSTRATION.objective()
    return _report(objective, params, None, corruption)


def _report(
    objective: NetworkObjective, params: Vector, entries: int | None, corruption: str | None
) -> CheckReport:
    if corruption is not None:
        objective = CORRUPTIONS[corruption].corrupt(objective)
    checks = check_objective(objective, params, most_entries=entries)
    rows = len(objective.data)
    explanation = explain(checks, rows, objective.network.outputs)
    return CheckReport(checks, rows, explanation, corruption, _described(objective))


def _described(objective: NetworkObjective) -> str:
    """The network and its loss in a few words."""
    network = objective.network
    penalty = f", L2 {objective.l2:g}" if objective.l2 else ""
    penalty += ", weighted rows" if objective.data.weight is not None else ""
    return f"{network.summary}, {name_of(LOSSES, network.loss)}{penalty}"
