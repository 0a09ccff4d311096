"""Schedules by which the learning rate falls: each a frozen dataclass, a formula of the epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Self

from annotated_types import Ge, Gt, Le, Lt, doc

from bpcli.optimizers.schedules import Schedule


@dataclass(frozen=True)
class Step(Schedule):
    """Less by a factor every so many epochs.

        rate(e) = start · factor^⌊e / every⌋

    "Predetermined piecewise constant" in Senior et al. 2013, ICASSP, 6724.
    """

    factor: Annotated[float, Gt(0), Lt(1), doc("What a step multiplies the rate by.")]
    every: Annotated[int, Ge(1), doc("Epochs between steps.")]

    def rate(self, epoch: int) -> float:
        return self.start * math.pow(self.factor, epoch // self.every)


@dataclass(frozen=True)
class Exponential(Schedule):
    """Less by the same factor after every epoch.

        rate(e) = start · decay^e

    Senior et al. 2013, ICASSP, 6724, where decay is 10^(-1/r).
    """

    decay: Annotated[float, Gt(0), Lt(1), doc("What each epoch multiplies the rate by.")]

    def rate(self, epoch: int) -> float:
        return self.start * math.pow(self.decay, epoch)


@dataclass(frozen=True)
class Cosine(Schedule):
    """From `start` to `end` along half a cosine wave, and `end` from then on.

        rate(e) = end + (start - end) (1 + cos(π e / epochs)) / 2,   e ≤ epochs

    Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5, without restarts. `epochs` is that of the
    training unless given.
    """

    end: Annotated[float, Ge(0), doc("The rate in the end.")] = 0.0
    epochs: Annotated[
        Annotated[int, Ge(1), Le(10**12)] | None, doc("When that is; null: when training ends.")
    ] = None

    def rate(self, epoch: int) -> float:
        assert self.epochs is not None, "`over` says how many"
        way = min(1.0, epoch / self.epochs)
        return self.end + (self.start - self.end) * ((1 + math.cos(math.pi * way)) / 2)

    def over(self, epochs: int) -> Self:
        return self if self.epochs is not None else replace(self, epochs=max(1, epochs))


@dataclass(frozen=True)
class InverseTime(Schedule):
    """Half of `start` after 1/decay epochs, a third after twice as many, and so on.

        rate(e) = start / (1 + decay · e)

    Search, then converge: Darken & Moody 1990, NIPS 3, 832, with decay = 1/τ.
    """

    decay: Annotated[float, Gt(0), doc("One over the epochs that halve the rate.")]

    def rate(self, epoch: int) -> float:
        return self.start / (1 + self.decay * epoch)
