"""What watches a fit: the curve of losses, and callbacks, also those of scikit-learn's protocol."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from bpcli.estimators.rows import FitRows
from bpcli.experiment import Experiment
from bpcli.training.loop import Epoch

__all__ = ["CallbackSupport", "FitMonitor", "with_callbacks"]

try:  # scikit-learn 1.9 and later
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks
except ImportError:

    class CallbackSupport:  # type: ignore[no-redef]
        """Earlier versions of scikit-learn have no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """The method itself."""
        return method


class FitMonitor:
    """Records the loss, and with a validation set its score, of each epoch after the start."""

    def __init__(
        self, estimator: Any, rows: FitRows, experiment: Experiment, *, has_val_scores: bool
    ) -> None:
        self._estimator = estimator
        self._rows = rows
        self.first_loss = np.nan
        self.losses: list[float] = []
        self.val_scores: list[float] | None = [] if has_val_scores else None

    def __call__(self, epoch: Epoch) -> bool:
        """Record an epoch; return whether a callback ends training."""
        if epoch.number == 0:
            self.first_loss = epoch.loss
            return False
        self.losses.append(epoch.loss)
        if self.val_scores is not None:
            self.val_scores.append(epoch.val_score)  # type: ignore[attr-defined]
        if self._estimator.verbose:
            sys.stdout.write(f"Iteration {epoch.number}, loss = {epoch.loss:.8f}\n")
        callback = self._estimator.callback
        return bool(callback and callback(epoch))
