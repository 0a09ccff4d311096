"""Learning rates: constant, or a schedule over the epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeAlias

from annotated_types import Gt, doc

from bpcli.registry import LazyRegistry, as_mapping


@dataclass(frozen=True)
class Schedule:
    """A learning rate that depends on the epoch; `start` is that of the first epoch.

    `rate(epoch)` is the learning rate of every step between that epoch and the next. It depends on
    nothing else, so training can resume at any epoch.
    """

    start: Annotated[float, Gt(0), doc("The rate of the first epoch.")]

    def rate(self, epoch: int) -> float:
        """The learning rate of the steps after `epoch` epochs."""
        raise NotImplementedError

    def over(self, epochs: int) -> Self:
        """The schedule for a training of `epochs` epochs, if it depends on their number."""
        return self


LearningRate: TypeAlias = float | Schedule


def rate_at(learning_rate: LearningRate | None, epoch: int) -> float | None:
    """The learning rate of the steps after `epoch` epochs; None for an optimizer without one."""
    return learning_rate.rate(epoch) if isinstance(learning_rate, Schedule) else learning_rate


def rate_record(rate: LearningRate | None) -> float | dict[str, Any] | None:
    """A learning rate as JSON: the number, or the schedule as a config spells it."""
    return as_mapping(SCHEDULES, rate, "schedule") if isinstance(rate, Schedule) else rate


SCHEDULES: LazyRegistry[Schedule] = LazyRegistry(
    __package__,
    {
        "step": ".decays:Step",
        "exponential": ".decays:Exponential",
        "cosine": ".decays:Cosine",
        "inverse_time": ".decays:InverseTime",
    },
)
