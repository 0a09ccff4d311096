"""Gradient descent with momentum: back-propagation's own rule.

    v ← μ v - η ∂objective/∂params          params ← params + v

Rumelhart, Hinton, Williams 1986, Nature 323, 533, eq. 9. Nesterov's variant looks ahead along the
velocity, params ← params + μ v - η ∂objective/∂params with the new v (Sutskever et al. 2013,
eq. 3 and 4, in the variables of the look-ahead point).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Lt

from bpcli.nn.arrays import Vector
from bpcli.training.objective import Objective
from bpcli.training.optimizers.base import Optimizer, State


@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """Steepest descent, optionally with momentum.

    `update: simultaneous` moves all layers along one gradient. `layerwise` moves the last layer
    first and takes the gradient anew for each layer before it.
    """

    momentum: Annotated[float, Ge(0), Lt(1)] = 0.0
    nesterov: bool = False
    update: Literal["simultaneous", "layerwise"] = "simultaneous"

    def init(self, params: Vector) -> State:
        return {"velocity": np.zeros_like(params)} if self.momentum else {}

    def step(
        self, objective: Objective, params: Vector, state: State, learning_rate: float
    ) -> tuple[Vector, State]:
        for where in self._order_of_update(objective):
            grad = objective.value_and_grad(params).grad
            params, state = self._move(params, state, -learning_rate * grad, where)
        return params, state

    def _order_of_update(self, objective: Objective) -> list[slice]:
        if self.update == "simultaneous":
            return [slice(None)]
        return list(reversed(objective.network.layer_slices))

    def _move(
        self, params: Vector, state: State, descent: Vector, where: slice
    ) -> tuple[Vector, State]:
        """Move the entries `where`, given -η times the gradient of all."""
        moved = params.copy()
        if not self.momentum:
            moved[where] += descent[where]
            return moved, state
        velocity = state["velocity"].copy()
        velocity[where] = self.momentum * velocity[where] + descent[where]
        ahead = self.momentum * velocity + descent if self.nesterov else velocity
        moved[where] += ahead[where]
        return moved, {"velocity": velocity}
