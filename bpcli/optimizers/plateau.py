"""A learning rate that falls when the loss no longer does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Lt, doc

from bpcli.optimizers.base import COUNT, Bounds, State, StepFailed
from bpcli.optimizers.schedules import LossSchedule

SMALLEST_RATE = "smallest_rate"
"""The stop reason of a rate that is not to be reduced any more."""


@dataclass(frozen=True)
class Plateau(LossSchedule):
    """Multiplied by `factor` after more than `epochs` epochs in a row without a lower loss.

        rate = start · factor^k        after k such reductions

    The loss of an epoch is lower if it is at most the lowest so far minus `tol`. Each reduction
    begins a new count. Instead of a reduction of a rate that is at most `end`, training ends.

    The defaults are those of scikit-learn's `learning_rate="adaptive"`, whose counts it has too.
    """

    bounds: ClassVar[dict[str, Bounds]] = {
        "lowest": (-math.inf, math.inf),
        "count": COUNT,
        "reductions": COUNT,
    }

    factor: Annotated[float, Gt(0), Lt(1), doc("Factor on the rate at each reduction.")] = 0.2
    epochs: Annotated[
        int, Ge(1), doc("The rate is reduced after more than this many epochs in a row.")
    ] = 10
    tol: Annotated[float, Ge(0), doc("The loss is lower if it falls by at least this much.")] = 1e-4
    end: Annotated[float, Ge(0), doc("A rate at or below this ends training.")] = 1e-6

    def init(self) -> State:
        return {
            "lowest": np.asarray(math.inf),
            "count": np.asarray(0),
            "reductions": np.asarray(0),
        }

    def rate_in(self, state: State) -> float:
        return self.start * math.pow(self.factor, int(state["reductions"]))

    def update(self, state: State, loss: float) -> State:
        lowest, reductions = float(state["lowest"]), int(state["reductions"])
        count = int(state["count"]) + 1 if loss > lowest - self.tol else 0
        if count > self.epochs:
            self._refuse_to_reduce(self.rate_in(state))
            count, reductions = 0, reductions + 1
        return {
            "lowest": np.asarray(min(lowest, loss)),  # in this order, it ignores NaN
            "count": np.asarray(count),
            "reductions": np.asarray(reductions),
        }

    def _refuse_to_reduce(self, rate: float) -> None:
        """Raise `StepFailed` for a rate that is not to be reduced any more."""
        if rate <= self.end:
            raise StepFailed(
                SMALLEST_RATE,
                f"The loss did not fall by {self.tol:g} in {self.epochs + 1} epochs in a row, and "
                f"the learning rate {rate:g} is already at or below its `end`, {self.end:g}.",
            )
