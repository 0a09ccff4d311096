"""The score of predictions, one number that is greater for better ones: accuracy, or R².

They are those of scikit-learn's `accuracy_score` and `r2_score`, which its estimators report.
Unlike the metrics, it has the weights of the rows, as the loss has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.metrics.metrics import original_outputs
from bpcli.nn.arrays import Array
from bpcli.nn.network import Network


@dataclass(frozen=True)
class Scorer:
    """Scores predictions for the rows of a split, many times.

    The accuracy for classes; for labels, the fraction of rows whose labels are all right; R² in
    original units for values.
    """

    network: Network
    split: Split

    def __call__(self, Z: Array) -> float:
        """The score, from the output layer's z (rows, n) of the split."""
        outputs = original_outputs(self.network, Z, self.split.preprocessor)
        if self.split.preprocessor.answers:
            predicted = self.split.preprocessor.answered(outputs)
            right = np.equal(predicted, self._truth).all(axis=1)
            return float(np.average(right, weights=self._weight))
        return r2(self._truth, outputs, self._weight)

    @cached_property
    def _truth(self) -> Array:
        """The targets (n, k), in original units."""
        labels, values = self.split.labels, self.split.values
        truth = labels[:, np.newaxis] if labels is not None else values
        assert truth is not None, "a split to score has targets"
        return truth

    @cached_property
    def _weight(self) -> Array | None:
        return self.split.weight


def r2(Y: Array, outputs: Array, weight: Array | None) -> float:
    """The mean over targets k of 1 - Σ_i w_i (y_ik - a_ik)² / Σ_i w_i (y_ik - mean y_k)².

    The mean of y_k has the weights, too. A target whose values are all equal counts 1 if all
    residuals are 0, else 0.
    """
    w = np.ones(len(Y)) if weight is None else weight
    mean = w @ Y / w.sum()
    with np.errstate(over="ignore", invalid="ignore"):  # outputs may be infinite: -inf or NaN
        residual, deviation = w @ (Y - outputs) ** 2, w @ (Y - mean) ** 2
        ratio = np.where(residual == 0, 0.0, 1.0)
        np.divide(residual, deviation, out=ratio, where=(Y[0] != Y).any(axis=0))
        return float((1 - ratio).mean())
