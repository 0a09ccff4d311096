"""What is known of an epoch; its values are computed when they are first read."""

from __future__ import annotations

from functools import cached_property

from bpcli.optimizers.base import Evaluation, Losses, norm
from bpcli.training.state import TrainState
from bpcli.training.steps import Training
from bpcli.training.validation import Validation


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
