"""The training loop: a generator of `Epoch` records that asks nobody whether to go on.

Record e describes the state after e epochs. Its figures are computed when they are first read,
from parameters that never change, so a reader pays for what it reads and when; and epochs that
nobody is to read of have no record at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import repeat
from time import perf_counter as clock
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from bpcli.errors import Diverged
from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers import Optimizer, StepFailed
from bpcli.optimizers.base import Evaluation, Point, State, norm
from bpcli.optimizers.schedules import LearningRate, Schedule, rate_at
from bpcli.training.batches import Batches
from bpcli.training.objective import NetworkObjective


class Epoch:
    """The state of training after `number` epochs."""

    def __init__(
        self,
        position: TrainState,
        seconds: float,
        training: Training,
        validation: NetworkObjective | None,
    ) -> None:
        self._position = position
        self.number = position.number
        self.params = position.params
        self.seconds = seconds
        self.diagnostics = training.diagnostics(position)
        self.ended = position.ended
        self.objective = training.objective
        self.validation = validation

    @property
    def position(self) -> TrainState:
        """Where training stands, to go on from there or to be saved."""
        return self._position.without_evaluation()

    @property
    def _evaluation(self) -> Evaluation:
        """The objective with its gradient, computed once until it is handed on."""
        self._position = self._position.evaluated(self.objective)
        return self._position.point.evaluate(self.objective)

    def hand_on(self) -> TrainState:
        """Where training stands, with what was found out there: a gradient is not kept here."""
        position, self._position = self._position, self._position.without_evaluation()
        return position

    @property
    def is_evaluated(self) -> bool:
        """Whether the loss is known, so that reading it costs nothing."""
        return "loss" in vars(self)

    @cached_property
    def loss(self) -> float:
        """The objective over the whole training set; not finite where training has diverged."""
        return self._evaluation.value

    @cached_property
    def mean_loss(self) -> float:
        """The mean loss of the training set: the objective without L2, whatever the reduction."""
        return self._evaluation.mean_loss

    @cached_property
    def grad_norm(self) -> float:
        """The Euclidean norm of the objective's gradient."""
        return norm(self._evaluation.grad)

    @cached_property
    def grad_norms(self) -> list[float]:
        """The same for the part of the gradient that is each layer's, first layer first."""
        grad = self._evaluation.grad
        return [norm(grad[where]) for where in self.objective.network.layer_slices]

    def release(self) -> None:
        """Drop the objectives, which hold most of a training's memory; what was read stays."""
        del self.objective
        self.validation = None

    @cached_property
    def val_loss(self) -> float | None:
        """The mean loss of the validation set, without L2; None if there is no such split."""
        if self.validation is None:
            return None
        return self.validation.mean_loss(self.params)


NextDue: TypeAlias = Callable[[int], int]
"""Given an epoch, the next one that somebody wants to see."""


def every_epoch(number: int) -> int:
    """All epochs are due."""
    return number + 1


def always(number: int) -> bool:
    """All epochs are checked."""
    return True


class TrainState(NamedTuple):
    """Where training stands: all it needs to go on from there."""

    number: int
    point: Point
    state: State
    random_state: Mapping[str, Any]
    ended: StepFailed | None = None

    @property
    def params(self) -> Vector:
        return self.point.params

    def evaluated(self, objective: NetworkObjective) -> TrainState:
        """The same, with the objective's value and gradient known."""
        return self._replace(point=Point(self.params, self.point.evaluate(objective)))

    @property
    def has_finite_loss(self) -> bool:
        """Whether the objective, which is known, is finite."""
        assert self.point.evaluation is not None, "asked of an evaluated state alone"
        return math.isfinite(self.point.evaluation.value)

    def without_evaluation(self) -> TrainState:
        """The same without what is known of the objective, a gradient's memory."""
        return self._replace(point=Point(self.params))


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
    ) -> None:
        self.objective = objective
        self.learning_rate = learning_rate
        self.batches = batches
        self._optimizer = optimizer
        self._rng = rng
        self.start = TrainState(0, Point(params), optimizer.init(params), rng.bit_generator.state)

    def advance(self, start: TrainState, count: int) -> TrainState:
        """Go `count` epochs on. Nothing else happens between them: small networks are fast.

        An epoch in which the optimizer finds no step leaves the parameters as they are, and is
        the last.
        """
        if self.batches.is_full:  # draws nothing: minding the random state would take 10 µs
            return self._advance_by_all_rows(start, count)
        point, state = Point(start.params), start.state
        self._rng.bit_generator.state = start.random_state
        for rate in self._rates(start, count):
            for batch in self.batches.of_epoch(self.objective, self._rng):
                # What is known of another batch says nothing of this one.
                point, state = self._optimizer.step(batch, Point(point.params), state, rate)
        random_state = self._rng.bit_generator.state
        return TrainState(start.number + count, Point(point.params), state, random_state)

    def _advance_by_all_rows(self, start: TrainState, count: int) -> TrainState:
        step, objective = self._optimizer.step, self.objective
        point, state = start.point, start.state
        done, ended = 0, None
        try:
            for done, rate in enumerate(self._rates(start, count), 1):  # noqa: B007
                point, state = step(objective, point, state, rate)
        except StepFailed as found:
            ended = found
        return TrainState(start.number + done, point, state, start.random_state, ended)

    def _rates(self, start: TrainState, count: int) -> Iterable[Array]:
        """The learning rate of each epoch, as an array: numpy would convert a number every time."""
        learning_rate, dtype = self.learning_rate, start.params.dtype
        if not isinstance(learning_rate, Schedule):
            return repeat(np.asarray(learning_rate or np.nan, dtype), count)
        epochs = range(start.number, start.number + count)
        return (np.asarray(learning_rate.rate(epoch), dtype) for epoch in epochs)

    def diagnostics(self, position: TrainState) -> dict[str, float]:
        """What the optimizer tells of its state; a learning rate is that of the step to come."""
        return self._optimizer.diagnostics(position.state, self.rate(position.number))

    def rate(self, number: int) -> float | None:
        """The learning rate of the steps after an epoch; None for an optimizer without one."""
        return rate_at(self.learning_rate, number)


def train_epochs(
    training: Training,
    epochs: int,
    *,
    validation: NetworkObjective | None = None,
    next_due: NextDue = every_epoch,
    is_checked: Callable[[int], bool] = always,
    seconds: float = 0.0,
) -> Iterator[Epoch]:
    """Yield the records of the start, the epochs that are due, and `epochs`; others now and then.

    An epoch in which the optimizer found no step is the last. Training that goes on from where it
    once stood has a start later than epoch 0, and `seconds` behind it.

    Between two records training takes a hundredth of a second, or one epoch if that is longer, so
    that a consumer can look at the clock. Raises `Diverged` where the parameters are not finite,
    or the loss of an epoch that is checked; the last record before is that of the last epoch that
    had a finite loss. Which epoch that is depends on `is_checked`, and not on which others had a
    record: checked epochs are due, and the rest is gone through once more.
    """
    began = clock() - seconds

    def record(position: TrainState) -> Epoch:
        return Epoch(position, clock() - began, training, validation)

    here = training.start.evaluated(training.objective)
    if not here.has_finite_loss:
        raise Diverged(_divergence(here.number, training.learning_rate))
    stride, well = 1, here.without_evaluation()
    epoch = record(here)
    yield epoch
    while here.number < epochs:
        count = max(1, min(stride, next_due(here.number) - here.number, epochs - here.number))
        left = clock()
        here = training.advance(epoch.hand_on(), count)
        is_evaluated = is_checked(here.number) or here.number == epochs
        number, found = here.number, _finite(training, here, is_evaluated)
        if found is None:
            last = _last_of_finite_loss(training, well, number)
            yield record(last)
            raise Diverged(_divergence(last.number + 1, training.learning_rate))
        here = found
        well = here.without_evaluation() if is_evaluated else well
        stride = _stride(count, clock() - left)
        epoch = record(here)
        yield epoch
        if here.ended is not None:
            return


def _finite(training: Training, here: TrainState, is_evaluated: bool) -> TrainState | None:
    """The state, evaluated if asked for; None where parameters or loss are not finite."""
    if not np.isfinite(here.params).all():
        return None
    if not is_evaluated:
        return here
    here = here.evaluated(training.objective)
    return here if here.has_finite_loss else None


def _last_of_finite_loss(training: Training, well: TrainState, end: int) -> TrainState:
    """The last epoch before `end` whose loss is finite, on from one whose loss is."""
    here = well
    for _ in range(well.number + 1, end):
        here = training.advance(here, 1)
        if not np.isfinite(here.params).all():
            break
        here = here.evaluated(training.objective)
        if here.has_finite_loss:
            well = here
    return well


_SECONDS_BETWEEN_RECORDS = 0.01


def _stride(count: int, seconds: float) -> int:
    """How many epochs take the time between records, if `count` took so many seconds.

    At most twice as many as before: the first epochs, with everything to prepare, mislead.
    """
    return max(1, min(2 * count, int(count * _SECONDS_BETWEEN_RECORDS / max(seconds, 1e-9))))


def _divergence(number: int, learning_rate: LearningRate | None) -> str:
    if number == 0:
        return (
            "The loss of the initial parameters is not finite: look at the scale of the data "
            "(`data.scale`) and at `network.init`."
        )
    found = f"Training diverged: the loss is no longer finite after epoch {number}."
    if learning_rate is None:
        return f"{found} Look at the scale of the data (`data.scale`)."
    key, rate = "training.learning_rate", learning_rate
    if isinstance(rate, Schedule):
        key, rate = f"{key}.start", rate.start
    return f"{found} Try a smaller `{key}`, such as {rate / 10:g} instead of {rate:g}."
