"""The training loop: a generator of `Epoch` records; its consumer decides when to stop.

Record e describes the state after e epochs. Its values are computed when they are first read, from
parameters that never change, so the consumer pays only for what it reads. Epochs that are not due
need no record.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from time import perf_counter as clock
from typing import TypeAlias

import numpy as np

from bpcli.errors import Diverged
from bpcli.optimizers.schedules import Schedule
from bpcli.training.epoch import Epoch
from bpcli.training.state import TrainState
from bpcli.training.steps import Training
from bpcli.training.validation import Validation
from bpcli.training.vanishing import next_check, unless_vanished

NextDue: TypeAlias = Callable[[int], int]
"""Given an epoch, the next one that needs a record."""


def every_epoch(number: int) -> int:
    """All epochs are due."""
    return number + 1


def always(number: int) -> bool:
    """All epochs are checked."""
    return True


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
