"""The training loop: a generator of `Epoch` records; its consumer decides when to stop.

Record e describes the state after e epochs. Its values are computed when they are first read, from
parameters that never change, so the consumer pays only for what it reads. Epochs that are not due
need no record.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import repeat
from operator import mul
from time import perf_counter as clock
from typing import TypeAlias

import numpy as np

from bpcli.errors import Diverged
from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers import Optimizer, StepFailed
from bpcli.optimizers.base import Evaluation, Losses, Point, norm
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
from bpcli.training.validation import Validation
from bpcli.training.vanishing import next_check, unless_vanished


class Epoch:
    """The state of training after `number` epochs."""

    def __init__(
        self,
        state: TrainState,
        seconds: float,
        training: Training,
        validation: Validation | None,
    ) -> None:
        self._state = state
        self.number = state.number
        self.params = state.params
        self.seconds = seconds
        self.diagnostics = training.diagnostics(state)
        self.ended = state.ended
        self.objective = training.objective
        self.validation = validation

    @property
    def state(self) -> TrainState:
        """The state of training, to be saved or to resume with."""
        return self._state.without_evaluation()

    @property
    def _losses(self) -> Losses | Evaluation:
        """The objective, computed once until the state is handed on."""
        self._state = self._state.evaluated(self.objective)
        return self._state.point.losses(self.objective)

    @property
    def _evaluation(self) -> Evaluation:
        """The objective with its gradient, computed once until the state is handed on."""
        self._state = self._state.with_gradient(self.objective)
        return self._state.point.evaluate(self.objective)

    def hand_on(self) -> TrainState:
        """Return the state with its evaluation, and drop the evaluation here to save memory."""
        state, self._state = self._state, self._state.without_evaluation()
        return state

    @property
    def is_evaluated(self) -> bool:
        """Whether the loss is known, so that reading it costs nothing."""
        return "loss" in vars(self)

    @cached_property
    def loss(self) -> float:
        """The objective over the whole training set; not finite if training has diverged."""
        return self._losses.value

    @cached_property
    def mean_loss(self) -> float:
        """The mean loss of the training set: the objective without L2, whatever the reduction."""
        return self._losses.mean_loss

    @cached_property
    def grad_norm(self) -> float:
        """The Euclidean norm of the objective's gradient."""
        return norm(self._evaluation.grad)

    @cached_property
    def grad_norms(self) -> list[float]:
        """The norm of each layer's part of the gradient, first layer first."""
        grad = self._evaluation.grad
        return [norm(grad[where]) for where in self.objective.network.layer_slices]

    def release(self) -> None:
        """Release the objectives, most of a training's memory; values read so far stay."""
        del self.objective
        self.validation = None

    @cached_property
    def val_loss(self) -> float | None:
        """The mean loss of the validation set, without L2; None if there is no such split."""
        if self.validation is None:
            return None
        return self.validation.loss(self.params)

    @cached_property
    def val_score(self) -> float | None:
        """The score on the validation set, greater is better; None if there is no such split.

        The forward pass of `val_loss` gives it too.
        """
        if self.val_loss is None or self.validation is None:  # the loss first, for its pass
            return None
        return self.validation.score(self.params)


NextDue: TypeAlias = Callable[[int], int]
"""Given an epoch, the next one that needs a record."""


def every_epoch(number: int) -> int:
    """All epochs are due."""
    return number + 1


def always(number: int) -> bool:
    """All epochs are checked."""
    return True


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
                here = Point(point.params, evaluation)
                point, state = self._optimizer.step(batch, here, state, rate)
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


def train_epochs(
    training: Training,
    epochs: int,
    *,
    validation: Validation | None = None,
    next_due: NextDue = every_epoch,
    is_checked: Callable[[int], bool] = always,
    seconds: float = 0.0,
) -> Iterator[Epoch]:
    """Yield records of the initial state, of epochs that are due, of the last one, and of others.

    An epoch in which the optimizer finds no step is the last, and one at which the gradient has
    vanished. A resumed training starts after epoch 0, with the `seconds` that it has taken so far.

    Between two records training takes a hundredth of a second, or one epoch if that is longer, so
    that a consumer can check the time; where a gradient seems to have vanished, 100 epochs longer.
    Raises `Diverged` if the parameters are not finite, or the loss of a checked epoch; the record
    before is of the last epoch with a finite loss. To find it, the epochs after the last checked
    one are trained again: it does not depend on which epochs had a record. Checked epochs must be
    due.
    """
    began = clock() - seconds

    def record(state: TrainState) -> Epoch:
        return Epoch(state, clock() - began, training, validation)

    state = _evaluated_start(training)
    stride, last_finite = 1, state.without_evaluation()
    epoch = record(state)
    yield epoch
    while state.number < epochs and state.ended is None:
        count = _count_until(min(next_due(state.number), epochs), stride, training, state)
        left = clock()
        state = training.advance(epoch.hand_on(), count)
        is_evaluated = is_checked(state.number) or state.number == epochs
        finite = _finite(training, state, is_evaluated)
        if finite is None:
            last = _last_of_finite_loss(training, last_finite, state.number)
            yield record(last)
            raise Diverged(_divergence(last.number + 1, training))
        state = _unless_vanished(training, finite)
        last_finite = state.without_evaluation() if is_evaluated else last_finite
        stride = _stride(stride, count, clock() - left)
        epoch = record(state)
        yield epoch


def _evaluated_start(training: Training) -> TrainState:
    """The first state. Raises `Diverged` if its loss is not finite."""
    state = training.start.evaluated(training.objective)
    if not state.has_finite_loss:
        raise Diverged(_divergence(state.number, training))
    return state


def _finite(training: Training, state: TrainState, is_evaluated: bool) -> TrainState | None:
    """The state, evaluated if `is_evaluated`; None if its parameters or its loss are not finite."""
    if not np.isfinite(state.params).all():
        return None
    if not is_evaluated:
        return state
    state = state.evaluated(training.objective)
    return state if state.has_finite_loss else None


def _last_of_finite_loss(training: Training, last: TrainState, end: int) -> TrainState:
    """The last state before epoch `end` whose loss is finite; `last` is an earlier one."""
    state = last
    for _ in range(last.number + 1, end):
        state = training.advance(state, 1)
        if not np.isfinite(state.params).all():
            break
        state = state.evaluated(training.objective)
        if state.has_finite_loss:
            last = state
    return last


def _count_until(end: int, most: int, training: Training, state: TrainState) -> int:
    """The epochs to train, from 1 to `most`: until `end`, or until the gradient is looked at."""
    end = min(end, _next_check(training, state.number))
    return max(1, min(most, end - state.number))


def _unless_vanished(training: Training, state: TrainState) -> TrainState:
    """The state, or one that has ended if its gradient is looked at and has vanished."""
    number = state.number
    if state.ended is not None or _next_check(training, number - 1) != number:
        return state
    return unless_vanished(training.objective, state, training.advance)


def _next_check(training: Training, number: int) -> int:
    """The next epoch at which the gradient is looked at; with mini-batches, none."""
    return next_check(number) if training.batches.is_full else sys.maxsize


_SECONDS_BETWEEN_RECORDS = 0.01


def _stride(stride: int, count: int, seconds: float) -> int:
    """The epochs that take the time between two records, if `count` epochs took `seconds`.

    At most twice the last stride, since the first epochs are slower than the rest.
    """
    return max(1, min(2 * stride, int(count * _SECONDS_BETWEEN_RECORDS / max(seconds, 1e-9))))


def _divergence(number: int, training: Training) -> str:
    """The failure and what to change: first the scale of the data, then the learning rate."""
    advice = training.scale_advice()
    if number == 0:
        look = advice or "check the scale of the data (`data.scale`) and `network.init`"
        return f"The loss of the initial parameters is not finite: {look}."
    failure = f"Training diverged: the loss is no longer finite after epoch {number}."
    rate = training.learning_rate
    if rate is None:
        return f"{failure} {_begun(advice or 'check the scale of the data (`data.scale`)')}."
    key = "training.learning_rate"
    if isinstance(rate, Schedule):
        key, rate = f"{key}.start", rate.start
    smaller = f"a smaller `{key}`, such as {rate / 10:g} instead of {rate:g}"
    if advice is None:
        return f"{failure} Try {smaller}."
    return f"{failure} {_begun(advice)} first, then try {smaller}."


def _begun(sentence: str) -> str:
    """A sentence with a capital at its beginning."""
    return sentence[0].upper() + sentence[1:]
