"""The training loop: a generator of `Epoch` records that asks nobody whether to go on.

Record e describes the state after e epochs, e = 0 … E. Its figures are computed when they are
first read, from parameters that never change, so a reader pays for what it reads and when.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from bpcli.errors import Diverged
from bpcli.nn.arrays import Vector
from bpcli.training.batches import Batches
from bpcli.training.objective import Evaluation, Objective
from bpcli.training.optimizers import Optimizer


class Epoch:
    """The state of training after `number` epochs."""

    def __init__(
        self,
        number: int,
        params: Vector,
        seconds: float,
        learning_rate: float,
        objective: Objective,
        validation: Objective | None,
    ) -> None:
        self.number = number
        self.params = params
        self.seconds = seconds
        self.learning_rate = learning_rate
        self._objective = objective
        self._validation = validation

    @cached_property
    def _evaluation(self) -> Evaluation:
        return self._objective.value_and_grad(self.params)

    @cached_property
    def loss(self) -> float:
        """The objective over the whole training part. Raises `Diverged` where it is not finite."""
        value = self._evaluation.value
        if not math.isfinite(value):
            raise Diverged(_divergence(self.number, self.learning_rate))
        return value

    @property
    def mean_loss(self) -> float:
        """The mean loss of the training part: the objective without L2, whatever the reduction."""
        return self._evaluation.mean_loss

    @cached_property
    def grad_norm(self) -> float:
        """The Euclidean norm of the objective's gradient."""
        return float(np.linalg.norm(self._evaluation.grad))

    @cached_property
    def val_loss(self) -> float | None:
        """The mean loss of the validation part, without L2; None if there is no such part."""
        if self._validation is None:
            return None
        return self._validation.mean_loss(self.params)


def train_epochs(
    objective: Objective,
    optimizer: Optimizer,
    params: Vector,
    *,
    learning_rate: float,
    epochs: int,
    batches: Batches,
    rng: np.random.Generator,
    validation: Objective | None = None,
) -> Iterator[Epoch]:
    """Yield the records of epochs 0 … `epochs`.

    Raises `Diverged` when the parameters, or on the full batch the loss, are no longer finite; in
    mini-batches reading a record's loss does.
    """
    began = time.perf_counter()
    state = optimizer.init(params)
    for number in range(epochs + 1):
        if number:
            for batch in batches.of_epoch(objective, rng):
                params, state = optimizer.step(batch, params, state, learning_rate)
        seconds = time.perf_counter() - began
        if not np.isfinite(params).all():
            raise Diverged(_divergence(number, learning_rate))
        epoch = Epoch(number, params, seconds, learning_rate, objective, validation)
        if batches.is_full:
            epoch.loss  # noqa: B018  # raises; the next step needs this evaluation anyway
        yield epoch


def _divergence(number: int, learning_rate: float) -> str:
    if number == 0:
        return (
            "The loss of the initial parameters is not finite: look at the scale of the data "
            "(`data.scale`) and at `network.init`."
        )
    return (
        f"Training diverged: the loss is no longer finite after epoch {number}. Try a smaller "
        f"`training.learning_rate`, such as {learning_rate / 10:g} instead of {learning_rate:g}."
    )
