"""What watches a fit: the curve of losses, and callbacks, also those of scikit-learn's protocol."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bpcli.optimizers.line_search import MOST_TRIALS
from bpcli.training.epoch import Epoch

try:  # scikit-learn 1.9 and later
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks
except ImportError:

    class CallbackSupport:  # type: ignore[no-redef]
        """Earlier versions of scikit-learn have no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """The method itself."""
        return method


__all__ = ["CallbackSupport", "EpochTasks", "Evaluations", "History", "with_callbacks"]


class History:
    """Records the losses of each epoch, and its score on a validation set; prints it if asked to.

    `means` are the mean losses without L2, by their paths in a run's log.
    """

    def __init__(self, *, has_val_scores: bool, is_verbose: bool) -> None:
        self.losses: list[float] = []
        self.means: dict[str, list[float]] = {"train.loss": []}
        if has_val_scores:
            self.means["val.loss"] = []
        self.val_scores: list[float] | None = [] if has_val_scores else None
        self._is_verbose = is_verbose
        self._has_begun = False

    def __call__(self, epoch: Epoch) -> None:
        """Record an epoch; the first is the start, which an earlier fit may have recorded."""
        if not self._has_begun:
            self._has_begun = True
            return
        self.losses.append(epoch.loss)
        self.means["train.loss"].append(epoch.mean_loss)
        if self.val_scores is not None and epoch.val_loss is not None:
            self.means["val.loss"].append(epoch.val_loss)
            self.val_scores.append(np.nan if epoch.val_score is None else epoch.val_score)
        if self._is_verbose:
            score = "" if epoch.val_score is None else f", validation score = {epoch.val_score:.6f}"
            sys.stdout.write(f"Iteration {epoch.number}, loss = {epoch.loss:.8f}{score}\n")


class Evaluations:
    """Ends the training of a `Metered` optimizer after a number of evaluations of its objective."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.is_reached = False

    @staticmethod
    def can_reach(most: int, epochs: int) -> bool:
        """Whether an optimizer with a line search may need so many evaluations."""
        return most <= epochs * (MOST_TRIALS + 1)

    def __call__(self, epoch: Epoch) -> bool:
        """Whether the evaluations are used up."""
        counts = epoch.diagnostics
        used = counts["gradient_evaluations"] + counts["loss_evaluations"]
        self.is_reached = used >= self._most
        return self.is_reached


class EpochTasks:
    """Tells scikit-learn's callbacks of each epoch as a task of the fit.

    A task begins where the one before ended, so a last, empty one is left over: `close` ends it.
    """

    def __init__(
        self,
        estimator: Any,
        epochs: int,
        fitted: Callable[[Epoch], Mapping[str, Any]],
        **rows: Any,
    ) -> None:
        self._estimator = estimator
        self._fitted = fitted
        self._rows = rows
        self._fit = estimator._init_callback_context(max_subtasks=epochs + 1)
        self._fit.call_on_fit_task_begin(estimator=estimator, **rows)
        self._epoch: Any = None

    def __call__(self, epoch: Epoch) -> bool:
        """End the task of an epoch, and begin the next; return whether a callback ends the fit."""
        wants_end = False
        fitted = {"reconstruction_attributes": lambda: self._fitted(epoch)}
        if self._epoch is not None:
            wants_end = self._epoch.call_on_fit_task_end(
                estimator=self._estimator, **self._rows, **fitted
            )
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._rows, **fitted)
        return bool(wants_end)

    def close(self) -> None:
        """End the task that is left over, and the fit."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self._estimator)
        self._fit.call_on_fit_task_end(estimator=self._estimator, **self._rows)
