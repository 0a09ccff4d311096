"""Learning rates: constant, a schedule over the epochs, or one that follows the losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeAlias

from annotated_types import Gt, doc

from bpcli.optimizers.base import Bounds, State
from bpcli.registry import LazyRegistry, as_mapping


@dataclass(frozen=True)
class Schedule:
    """A learning rate that changes from epoch to epoch; `start` is that of the first epoch."""

    start: Annotated[float, Gt(0), doc("The rate of the first epoch.")]

    def over(self, epochs: int) -> Self:
        """The schedule for a training of `epochs` epochs, if it depends on their number."""
        return self


@dataclass(frozen=True)
class EpochSchedule(Schedule):
    """A learning rate that depends on the epoch alone, so training can resume at any epoch."""

    def rate(self, epoch: int) -> float:
        """The learning rate of every step between `epoch` and the next epoch."""
        raise NotImplementedError


@dataclass(frozen=True)
class LossSchedule(Schedule):
    """A learning rate that depends on the losses so far, of which its state keeps what it needs.

    The state is a flat mapping of arrays of shape (), which a checkpoint can store.
    """

    bounds: ClassVar[dict[str, Bounds]] = {}
    """The bounds of numbers in the state; a saved state is checked against them."""

    def init(self) -> State:
        """The state before the first epoch."""
        raise NotImplementedError

    def rate_in(self, state: State) -> float:
        """The learning rate of every step of the next epoch."""
        raise NotImplementedError

    def update(self, state: State, loss: float) -> State:
        """The state after an epoch.

        `loss` is the mean of the objective over the epoch's updates, each with the weight of its
        rows: that of the parameters before the update. Raises `StepFailed` if training ends.
        """
        raise NotImplementedError


LearningRate: TypeAlias = float | Schedule


def first_rate(learning_rate: LearningRate | None) -> float | None:
    """The learning rate of the first epoch; None for an optimizer without one."""
    return rate_at(learning_rate, 0, first_state(learning_rate))


def first_state(learning_rate: LearningRate | None) -> State:
    """The state of a learning rate before the first epoch; most have none."""
    return learning_rate.init() if isinstance(learning_rate, LossSchedule) else {}


def rate_at(learning_rate: LearningRate | None, epoch: int, state: State) -> float | None:
    """The learning rate of the steps after `epoch` epochs; None for an optimizer without one.

    `state` is that of the learning rate after these epochs.
    """
    if isinstance(learning_rate, EpochSchedule):
        return learning_rate.rate(epoch)
    if isinstance(learning_rate, LossSchedule):
        return learning_rate.rate_in(state)
    assert not isinstance(learning_rate, Schedule), "a schedule is one of the two"
    return learning_rate


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
        "plateau": ".plateau:Plateau",
    },
)
