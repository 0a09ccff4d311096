"""The optimizer's steps of one or more epochs, with the learning rate of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from operator import mul

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers import Optimizer, StepFailed
from bpcli.optimizers.base import Point
from bpcli.optimizers.schedules import (
    EpochSchedule,
    LearningRate,
    LossSchedule,
    Schedule,
    first_state,
    rate_at,
)
from bpcli.training.batches import Batches
from bpcli.training.objective import NetworkObjective
from bpcli.training.state import TrainState


class Training:
    """The steps of an optimizer through an objective, epoch by epoch."""

    def __init__(
        self,
        objective: NetworkObjective,
        optimizer: Optimizer,
        params: Vector,
        *,
        learning_rate: LearningRate | None,
        batches: Batches,
        rng: np.random.Generator,
        scale_advice: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.objective = objective
        self.learning_rate = learning_rate
        self.batches = batches
        self.scale_advice = scale_advice
        self._optimizer = optimizer
        self._rng = rng
        self.start = TrainState(
            0,
            Point(params),
            optimizer.init(params),
            rng.bit_generator.state,
            rate_state=first_state(learning_rate),
        )

    def advance(self, start: TrainState, count: int) -> TrainState:
        """Train `count` epochs, with nothing else between them, since small networks are fast.

        If the optimizer finds no step, the parameters stay the same and this epoch is the last.
        """
        if isinstance(self.learning_rate, LossSchedule):
            return self._advance_by_losses(start, count, self.learning_rate)
        if self.batches.is_full:  # draws nothing, and reading the random state takes 10 µs
            return self._advance_by_all_rows(start, count)
        point, state = Point(start.params), start.optimizer_state
        self._rng.bit_generator.state = start.random_state
        for rate in self._rates(start, count):
            for batch in self.batches.of_epoch(self.objective, self._rng):
                # A new point each time: an evaluation on another batch does not apply.
                point, state = self._optimizer.step(batch, Point(point.params), state, rate)
        random_state = self._rng.bit_generator.state
        return TrainState(start.number + count, Point(point.params), state, random_state)

    def _advance_by_all_rows(self, start: TrainState, count: int) -> TrainState:
        step, objective = self._optimizer.step, self.objective
        point, state = start.point, start.optimizer_state
        done, ended = 0, None
        try:
            for done, rate in enumerate(self._rates(start, count), 1):  # noqa: B007
                point, state = step(objective, point, state, rate)
        except StepFailed as error:
            ended = error
        return TrainState(start.number + done, point, state, start.random_state, ended)

    def _advance_by_losses(
        self, start: TrainState, count: int, schedule: LossSchedule
    ) -> TrainState:
        """Train with learning rates that depend on the losses; the schedule may end training.

        The losses cost no pass of their own: they are evaluated with the gradients of the steps.
        """
        state, is_full = start, self.batches.is_full
        if not is_full:
            self._rng.bit_generator.state = start.random_state
        for _ in range(count):
            state = self._advanced_by_losses(state, schedule)
            if state.ended is not None:
                break
        random_state = start.random_state if is_full else self._rng.bit_generator.state
        return state._replace(random_state=random_state)

    def _advanced_by_losses(self, start: TrainState, schedule: LossSchedule) -> TrainState:
        """The state one epoch later, except for its random state."""
        rate = np.asarray(schedule.rate_in(start.rate_state), start.params.dtype)
        point, state, rate_state, ended = start.point, start.optimizer_state, start.rate_state, None
        losses, rows = [], []
        try:
            for batch in self.batches.of_epoch(self.objective, self._rng):
                # A new point for a mini-batch: an evaluation on another batch does not apply.
                known = point if self.batches.is_full else Point(point.params)
                evaluation = known.evaluate(batch)
                losses.append(evaluation.value)
                rows.append(batch.n_rows)
                evaluated = Point(point.params, evaluation)
                point, state = self._optimizer.step(batch, evaluated, state, rate)
            rate_state = schedule.update(rate_state, _weighted_mean(losses, rows))
        except StepFailed as error:
            ended = error
        if not self.batches.is_full:
            point = Point(point.params)
        return start._replace(
            number=start.number + 1,
            point=point,
            optimizer_state=state,
            ended=ended,
            rate_state=rate_state,
        )

    def _rates(self, start: TrainState, count: int) -> Iterable[Array]:
        """The learning rate of each epoch, as an array, since numpy would convert a number."""
        learning_rate, dtype = self.learning_rate, start.params.dtype
        if not isinstance(learning_rate, EpochSchedule):
            assert not isinstance(learning_rate, Schedule), "other schedules need the losses"
            return repeat(np.asarray(learning_rate or np.nan, dtype), count)
        epochs = range(start.number, start.number + count)
        return (np.asarray(learning_rate.rate(epoch), dtype) for epoch in epochs)

    def resume(self, state: TrainState) -> None:
        """Begin with this state; a learning rate without a state in it begins with its first."""
        first = first_state(self.learning_rate)
        self.start = state._replace(rate_state=(state.rate_state or first) if first else first)

    def diagnostics(self, state: TrainState) -> dict[str, float]:
        """The optimizer's diagnostics; a learning rate is that of the next step."""
        rate = rate_at(self.learning_rate, state.number, state.rate_state)
        return self._optimizer.diagnostics(state.optimizer_state, rate)


def _weighted_mean(values: Sequence[float], weights: Sequence[int]) -> float:
    """Σ_i w_i value_i / Σ_i w_i; a single value itself, without rounding."""
    if len(values) == 1:
        return values[0]
    total: float = sum(map(mul, weights, values))
    return total / sum(weights)
