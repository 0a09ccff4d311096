"""The score of predictions, one number that is greater for better ones: accuracy, or R².

They are those of scikit-learn's `accuracy_score` and `r2_score`, which its estimators report.
Unlike the metrics, it has the weights of the rows, as the loss has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.metrics.metrics import original_outputs, some_rows, split_pieces
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network


@dataclass(frozen=True)
class Scorer:
    """Scores predictions for the rows of a split, many times.

    The accuracy for classes; for labels, the fraction of rows whose labels are all right; R² in
    original units for values. `width` is the length of the vector of sums. It is known before any
    row is summed, and so is the shift of the targets, which is made of a few rows: read it before
    other processes are forked.
    """

    network: Network
    split: Split

    def __call__(self, Z: Array) -> float:
        """The score, from the output layer's z (rows, n) of the split."""
        return self.value(self.sums(0, len(self.split), Z))

    @property
    def width(self) -> int:
        return 2 if self.split.preprocessor.answers else 1 + 3 * len(self._shift)

    def sums(self, start: int, stop: int, Z: Array) -> Vector:
        """The sums (width,) over the rows at the positions from `start` to `stop` of the split.

        `Z` (rows, stop - start) is the output layer's z of these rows.
        """
        total = np.zeros(self.width)
        for rows, z in split_pieces(self.split, start, stop, Z):
            total += self._sums(rows, z)
        return total

    def value(self, total: Vector) -> float:
        """The score, from the sums over all rows of the split."""
        if self.split.preprocessor.answers:
            return float(total[0] / total[1])
        return _r2(total)

    def _sums(self, rows: Split, Z: Array) -> Vector:
        outputs = original_outputs(self.network, Z, rows.preprocessor)
        if not rows.preprocessor.answers:
            return _r2_sums(_truth(rows), outputs, _weights(rows), self._shift)
        right = np.equal(rows.preprocessor.answered(outputs), _truth(rows)).all(axis=1)
        weight = rows.weight
        if weight is None:
            return np.array([right.sum(), len(rows)], np.float64)
        return np.array([(right * weight).sum(), weight.sum()])

    @cached_property
    def _shift(self) -> Array:
        """The mean (k,) of each target over some rows; if these are all equal, exactly their value.

        So Σ_i w_i (y_i - shift)² of a constant target is exactly 0.
        """
        rows = some_rows(self.split)
        Y, w = _truth(rows), _weights(rows)
        shift: Array = np.where((Y[0] == Y).all(axis=0), Y[0], w @ Y / w.sum())
        return shift


def _truth(rows: Split) -> Array:
    """The targets (n, k), in original units."""
    labels, values = rows.labels, rows.values
    truth = labels[:, np.newaxis] if labels is not None else values
    assert truth is not None, "a split to score has targets"
    return truth


def _weights(rows: Split) -> Array:
    weight = rows.weight
    return np.ones(len(rows)) if weight is None else weight


def _r2_sums(Y: Array, outputs: Array, w: Array, shift: Array) -> Vector:
    """Σ w_i, and of each target Σ w_i (y_i - a_i)², Σ w_i d_i² and Σ w_i d_i with d = y - shift."""
    sums = np.empty(1 + 3 * len(shift))
    residual, squares, linear = sums[1:].reshape(3, -1)
    d = Y - shift
    sums[0] = w.sum()
    np.dot(w, d**2, out=squares)
    np.dot(w, d, out=linear)
    with np.errstate(over="ignore", invalid="ignore"):  # outputs may be infinite
        np.dot(w, (Y - outputs) ** 2, out=residual)
    return sums


def _r2(total: Vector) -> float:
    """The mean over targets k of 1 - Σ_i w_i (y_ik - a_ik)² / Σ_i w_i (y_ik - mean y_k)².

    The mean of y_k has the weights, too. The shift is near it, so that little cancels in
    Σ w_i d_i² - (Σ w_i d_i)² / Σ w_i. A target whose values are all equal counts 1 if all
    residuals are 0, else 0.
    """
    residual, squares, linear = total[1:].reshape(3, -1)
    deviation = squares - linear**2 / total[0]
    ratio = np.where(residual == 0, 0.0, 1.0)
    with np.errstate(over="ignore"):
        np.divide(residual, deviation, out=ratio, where=deviation > 0)
        return float((1 - ratio).mean())
