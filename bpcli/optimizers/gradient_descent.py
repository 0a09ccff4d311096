"""Gradient descent with momentum, the classic rule of back-propagation.

    v ← μ v - η ∂objective/∂params          params ← params + v

Rumelhart, Hinton, Williams 1986, Nature 323, 533, eq. 9. Nesterov's variant looks ahead along the
velocity, params ← params + μ v - η ∂objective/∂params with the new v (Sutskever et al. 2013,
eq. 3 and 4, in the variables of the look-ahead point).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Lt, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import Objective, Optimizer, Point, State


@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """Steepest descent, optionally with momentum.

    `update: simultaneous` moves all layers along one gradient. `layerwise` moves the last layer
    first and recomputes the gradient for each layer before it.
    """

    default_learning_rate: ClassVar[float | None] = 0.1
    full_batch_because: ClassVar[str | None] = None

    momentum: Annotated[float, Ge(0), Lt(1), doc("Momentum coefficient.")] = 0.0
    nesterov: Annotated[
        bool, doc("Use Nesterov's momentum, which looks ahead along the velocity.")
    ] = False
    update: Annotated[
        Literal["simultaneous", "layerwise"],
        doc("Update all layers at once, or one layer at a time, from the last to the first."),
    ] = "simultaneous"

    def init(self, params: Vector) -> State:
        return {"velocity": np.zeros_like(params)} if self.momentum else {}

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        if self.update == "simultaneous":
            params, state = self._moved(point.params, state, point.grad(objective) * learning_rate)
            return Point(params), state
        for where in reversed(objective.network.layer_slices):
            change = point.grad(objective) * learning_rate
            params, state = self._moved_in(where, point.params, state, change)
            point = Point(params)
        return point, state

    def _moved(self, params: Vector, state: State, change: Vector) -> tuple[Vector, State]:
        """Move against `change`, η times the gradient, whose memory may be overwritten."""
        if not self.momentum:
            return np.subtract(params, change, change), state  # as a keyword, `out` takes 0.2 µs
        velocity = self.momentum * state["velocity"]
        velocity -= change
        ahead = self.momentum * velocity - change if self.nesterov else velocity
        return params + ahead, {"velocity": velocity}

    def _moved_in(
        self, where: slice, params: Vector, state: State, change: Vector
    ) -> tuple[Vector, State]:
        """Move only the entries `where`."""
        slots: State = {name: slot[where] for name, slot in state.items()}
        moved, slots = self._moved(params[where], slots, change[where])
        return _with(params, where, moved), {
            name: _with(state[name], where, slot) for name, slot in slots.items()
        }


def _with(vector: Vector, where: slice, entries: Vector) -> Vector:
    """A copy of the vector with some of its entries replaced."""
    copy = vector.copy()
    copy[where] = entries
    return copy
