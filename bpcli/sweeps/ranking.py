"""What the trainings of one config are ranked by: the number that is best for new rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bpcli.experiment import Experiment
from bpcli.metrics.metrics import greater_is_better
from bpcli.sweeps.training import TrainingResult

EVIDENCE = "log_evidence"
OBJECTIVE = "objective"


@dataclass(frozen=True)
class Criterion:
    """A number of a training, and whether a greater one is better."""

    name: str

    @property
    def greater_is_better(self) -> bool:
        return self.name == EVIDENCE or greater_is_better(self.name.partition(".")[2])

    def value_of(self, result: TrainingResult) -> float | None:
        """The number; None if training failed or diverged, or the number is not finite."""
        if result.has_failed:
            return None
        if self.name == OBJECTIVE:
            value = result.objective
        else:
            value = result.metrics.get(self.name, result.diagnostics.get(self.name))
        return value if value is not None and math.isfinite(value) else None

    def cost_of(self, result: TrainingResult) -> float:
        """The number with the sign of a loss; infinite if there is none."""
        return self.as_cost(self.value_of(result))

    def as_cost(self, value: float | None) -> float:
        """A value of the criterion with the sign of a loss; infinite if there is none."""
        if value is None:
            return math.inf
        return -value if self.greater_is_better else value

    def ranked(self, results: Sequence[TrainingResult]) -> list[TrainingResult]:
        """The trainings that have the number, the best first; equal ones keep their order."""
        known = [result for result in results if self.value_of(result) is not None]
        return sorted(known, key=self.cost_of)


def criterion_for(experiment: Experiment) -> Criterion:
    """The evidence with Bayesian regularization, else the validation loss, else the objective."""
    if experiment.spec.training.optimizer.finds_l2:
        return Criterion(EVIDENCE)
    return Criterion("val.loss" if len(experiment.splits["val"]) else OBJECTIVE)
