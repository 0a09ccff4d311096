"""The validation set of a training: its mean loss, and the score of the predictions for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bpcli.nn.arrays import Array, Vector
from bpcli.training.objective import NetworkObjective


@dataclass(frozen=True)
class Validation:
    """The rows of the validation set, as an objective without L2.

    `score_of` computes the score from the output layer's z (rows, n) of these rows; greater is
    better. If `loss` is called before `score` at the same parameters, they take one forward pass.
    """

    objective: NetworkObjective
    score_of: Callable[[Array], float]

    def loss(self, params: Vector) -> float:
        """The mean loss, without L2."""
        return self.objective.mean_loss(params)

    def score(self, params: Vector) -> float:
        """The score of the predictions."""
        return self.score_of(self.objective.outputs(params))
