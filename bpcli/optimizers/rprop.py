"""RPROP: each parameter has its own step size, which grows or shrinks with its gradient's signs.

With g the gradient, in every step and for every parameter:

    size ← min(η⁺ size, largest)    where g kept its sign, g g_before > 0
    size ← max(η⁻ size, smallest)   where g changed sign, g g_before < 0
    change = -sign(g) size          params ← params + change

Where g changed sign, the last step passed a minimum. The variants differ in what follows:

    rprop_minus    the change is made as above;
    rprop_plus     the last change is undone, and g counts as 0 in the next step;
    irprop_minus   no change is made, and g counts as 0 in the next step;
    irprop_plus    the last change is undone if the loss rose, else no change is made; and g
                   counts as 0 in the next step.

Riedmiller & Braun 1993, IEEE ICNN, 586, eq. 4 to 7 is `rprop_plus` ("weight backtracking"); all
four are in Igel & Hüsken 2003, Neurocomputing 50, 105, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Lt, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import Objective, Optimizer, Point, State


@dataclass(frozen=True)
class Rprop(Optimizer):
    """Steps that depend only on the signs of the gradient, not on the scale of the loss."""

    formulas = (
        "size ← increase size where the sign stays, decrease size where it changes",
        "params ← params - sign(∂objective/∂params) size",
    )
    notation = (
        "Each parameter has its own step size; only the signs of its gradient in this step and in "
        "the last one matter."
    )

    full_batch_because: ClassVar[str | None] = (
        "it compares the signs of successive gradients over the same rows"
    )

    variant: Annotated[
        Literal["irprop_minus", "irprop_plus", "rprop_minus", "rprop_plus"],
        doc(
            "Where a sign changes: `rprop_minus` steps as usual; `rprop_plus` undoes the last "
            "step; `irprop_minus` makes no step; `irprop_plus` undoes the last step if the loss "
            "rose, and else makes no step."
        ),
    ] = "irprop_minus"
    increase: Annotated[float, Gt(1), doc("Factor on the step size where the sign stays.")] = 1.2
    decrease: Annotated[
        float, Gt(0), Lt(1), doc("Factor on the step size where the sign changes.")
    ] = 0.5
    initial_step: Annotated[float, Gt(0), doc("The initial step size of each parameter.")] = 0.07
    max_step: Annotated[float, Gt(0), doc("The largest step size.")] = 50.0
    min_step: Annotated[float, Ge(0), doc("The smallest step size.")] = 0.0

    def __post_init__(self) -> None:
        if not self.min_step <= self.initial_step <= self.max_step:
            raise ValueError(
                f"`initial_step` ({self.initial_step:g}) must lie between `min_step` "
                f"({self.min_step:g}) and `max_step` ({self.max_step:g})"
            )

    def init(self, params: Vector) -> State:
        state = {"sign": np.zeros_like(params), "size": np.full_like(params, self.initial_step)}
        if self.variant in ("rprop_plus", "irprop_plus"):
            state["change"] = np.zeros_like(params)
        if self.variant == "irprop_plus":
            state["loss"] = np.asarray(np.inf)
        return state

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        memory: dict[str, Array] = {}
        if self.variant == "irprop_plus":
            point = Point(point.params, point.evaluate(objective))
            memory["loss"] = np.asarray(point.evaluate(objective).value)
        sign = np.sign(point.grad(objective))
        agreement = sign * state["sign"]  # signs, as a product of small gradients may underflow
        memory["sign"] = sign
        memory["size"] = size = self._resized(state["size"], agreement)
        changed = agreement < 0
        if self.variant != "rprop_minus":
            sign[changed] = 0
        change = sign * size
        np.negative(change, change)
        if "change" in state:
            if self.variant == "rprop_plus" or memory["loss"] > state["loss"]:
                change[changed] = -state["change"][changed]
            memory["change"] = change
        return Point(point.params + change), memory

    def _resized(self, size: Vector, agreement: Vector) -> Vector:
        """Larger where the gradient kept its sign, smaller where it changed."""
        factors = np.array((1.0, self.increase, self.decrease), size.dtype)
        # This takes a third of the time of masks. Index -1 wraps to the last factor. The cast turns
        # NaN into some index, which wraps too.
        resized: Vector = factors.take(agreement.astype(np.int8), mode="wrap")
        resized *= size
        np.minimum(resized, self.max_step, out=resized)
        return np.maximum(resized, self.min_step, out=resized)
