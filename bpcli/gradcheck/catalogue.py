"""Prove the derivatives of a config, of a run, or of everything that a config can ask for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bpcli.experiment import Experiment
from bpcli.gradcheck.cases import (
    CORRUPTIONS,
    Case,
    all_cases,
    check_objective,
    explain,
)
from bpcli.gradcheck.derivatives import TensorCheck
from bpcli.nn.activations import ACTIVATIONS
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
"""The objective on which wrong backward passes are shown: two hidden layers of equal width."""


@dataclass(frozen=True)
class Proof:
    """The checks of one objective, and what a failure means."""

    checks: list[TensorCheck]
    rows: int
    explanation: str | None
    corruption: str | None
    network: str

    @property
    def harmless(self) -> str | None:
        """What a corruption would need to do harm, where it did none."""
        if self.corruption is None or not self.passed or self.blind:
            return None
        return CORRUPTIONS[self.corruption].needs

    @property
    def unchecked(self) -> list[str]:
        """Tensors of which every entry was skipped."""
        return [check.tensor for check in self.checks if not check.checked]

    @property
    def blind(self) -> list[str]:
        """Tensors whose gradient is so small that a wrong one would pass, with their terms."""
        return [f"{check.term} {check.tensor}" for check in self.checks if check.is_blind]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "rows": self.rows,
            "explanation": self.explanation,
            "tensors": [_check_record(check) for check in self.checks],
        }


@dataclass
class CatalogueRow:
    """All cases of one loss on one output activation, summed up."""

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


@dataclass(frozen=True)
class Rejection:
    """Whether the check rejects a wrong backward pass, and which tensors gave it away."""

    kind: str
    meaning: str
    rejected: bool
    tensors: tuple[str, ...]


def prove_experiment(
    experiment: Experiment, params: Vector, *, rows: int, entries: int, corruption: str | None
) -> Proof:
    """Check an experiment's objective in float64, on at most so many rows, evenly chosen."""
    objective = experiment.objective(dtype=np.dtype(np.float64))
    count = min(rows, len(objective.data))
    chosen = np.linspace(0, len(objective.data) - 1, count).astype(np.intp)
    return _prove(objective.rows(chosen), params.astype(np.float64), entries, corruption)


def prove_demonstration(corruption: str | None) -> Proof:
    """Check the small objective on which wrong passes are shown."""
    objective, params = DEMONSTRATION.objective()
    return _prove(objective, params, None, corruption)


def _prove(
    objective: NetworkObjective, params: Vector, entries: int | None, corruption: str | None
) -> Proof:
    if corruption is not None:
        objective = CORRUPTIONS[corruption].corrupt(objective)
    checks = check_objective(objective, params, most_entries=entries)
    rows = len(objective.data)
    explanation = explain(checks, rows, objective.network.outputs)
    return Proof(checks, rows, explanation, corruption, _described(objective))


def _described(objective: NetworkObjective) -> str:
    """The network and its loss in a few words."""
    network = objective.network
    layers = [f"{layer.units} {name_of(ACTIVATIONS, layer.activation)}" for layer in network.layers]
    penalty = f", L2 {objective.l2:g}" if objective.l2 else ""
    penalty += ", weighted rows" if objective.data.weight is not None else ""
    loss = name_of(LOSSES, network.loss)
    return f"{network.inputs} - {' - '.join(layers)}, {loss}{penalty}"


def prove_catalogue(seed: int = 0) -> list[CatalogueRow]:
    """Check every legal combination of loss, output and hidden activation."""
    rows: dict[tuple[str, str], CatalogueRow] = {}
    for number, case in enumerate(all_cases()):
        objective, params = case.objective(seed + number)
        row = rows.setdefault((case.loss, case.output), CatalogueRow(case.loss, case.output))
        row.add(check_objective(objective, params))
    return list(rows.values())


def self_test() -> list[Rejection]:
    """Try every wrong backward pass on the demonstration; each should be rejected."""
    return [_try(kind) for kind in CORRUPTIONS]


def _try(kind: str) -> Rejection:
    proof = prove_demonstration(kind)
    failed = tuple(
        check.tensor + _MARKS.get(check.term, "") for check in proof.checks if not check.passed
    )
    return Rejection(kind, CORRUPTIONS[kind].meaning, not proof.passed, failed)


_MARKS = {"l2": " (L2)", "jacobian": " (J)"}


def _check_record(check: TensorCheck) -> dict[str, Any]:
    record = asdict(check) | {"passed": check.passed}
    return {
        key: None if isinstance(value, float) and not np.isfinite(value) else value
        for key, value in record.items()
    }
