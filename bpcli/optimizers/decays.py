"""Schedules that lower the learning rate: each a frozen dataclass, a formula of the epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Self

from annotated_types import Ge, Gt, Le, Lt, doc

from bpcli.optimizers.schedules import EpochSchedule


@dataclass(frozen=True)
class Step(EpochSchedule):
    """Multiplied by `factor` every `every` epochs.

        rate(e) = start · factor^⌊e / every⌋

    "Predetermined piecewise constant" in Senior et al. 2013, ICASSP, 6724.
    """

    factor: Annotated[float, Gt(0), Lt(1), doc("Factor on the rate at each step.")]
    every: Annotated[int, Ge(1), doc("Epochs between steps.")]

    def rate(self, epoch: int) -> float:
        return self.start * math.pow(self.factor, epoch // self.every)


@dataclass(frozen=True)
class Exponential(EpochSchedule):
    """Multiplied by `decay` after every epoch.

        rate(e) = start · decay^e

    Senior et al. 2013, ICASSP, 6724, where decay is 10^(-1/r).
    """

    decay: Annotated[float, Gt(0), Lt(1), doc("Factor on the rate after every epoch.")]

    def rate(self, epoch: int) -> float:
        return self.start * math.pow(self.decay, epoch)


@dataclass(frozen=True)
class Cosine(EpochSchedule):
    """From `start` to `end` along half a cosine wave, then constant.

        rate(e) = end + (start - end) (1 + cos(π e / epochs)) / 2,   e ≤ epochs

    Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5, without restarts. `epochs` defaults to the
    epochs of the training.
    """

    end: Annotated[float, Ge(0), doc("The final rate.")] = 0.0
    epochs: Annotated[
        Annotated[int, Ge(1), Le(10**12)] | None,
        doc("Epochs until the final rate; null: all epochs of the training."),
    ] = None

    def rate(self, epoch: int) -> float:
        assert self.epochs is not None, "set by `over`"
        fraction = min(1.0, epoch / self.epochs)
        return self.end + (self.start - self.end) * ((1 + math.cos(math.pi * fraction)) / 2)

    def over(self, epochs: int) -> Self:
        return self if self.epochs is not None else replace(self, epochs=max(1, epochs))


@dataclass(frozen=True)
class InverseTime(EpochSchedule):
    """Half of `start` after 1/decay epochs, a third after twice as many, if `power` is 1.

        rate(e) = start / (1 + decay · e)^power

    The "search then converge" schedule of Darken & Moody 1990, NIPS 3, 832, with decay = 1/τ, where
    power is 1. With decay = n, the rows of an epoch, it is scikit-learn's "invscaling".
    """

    decay: Annotated[
        float, Gt(0), doc("1 / (epochs until the rate is half of `start`, if `power` is 1).")
    ]
    power: Annotated[float, Gt(0), doc("Exponent: 0.5 lowers the rate more slowly.")] = 1.0

    def rate(self, epoch: int) -> float:
        try:
            return self.start / math.pow(1 + self.decay * epoch, self.power)
        except OverflowError:
            return 0.0
