"""The validation set of a training: its mean loss, and the score of the predictions for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bpcli.engine.passes import Tally
from bpcli.nn.arrays import Vector
from bpcli.training.objective import NetworkObjective


class Score(Tally, Protocol):
    """A score of predictions, from sums over rows; greater is better."""

    def value(self, total: Vector) -> float:
        """The score, from the sums over all rows."""


@dataclass(frozen=True)
class Validation:
    """The rows of the validation set, as an objective without L2, and what scores them.

    If `loss` is called before `score` at the same parameters, they take one forward pass, unless
    the rows are streamed.
    """

    objective: NetworkObjective
    scorer: Score

    def loss(self, params: Vector) -> float:
        """The mean loss, without L2."""
        return self.objective.mean_loss(params)

    def score(self, params: Vector) -> float:
        """The score of the predictions."""
        return self.scorer.value(self.objective.tally(params, self.scorer))
