"""The rows of a fit, and their split, as a config takes them."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_array

from bpcli.data.split import split_rows
from bpcli.data.types import Labels
from bpcli.estimators.validity import ParameterError
from bpcli.experiment import stream
from bpcli.nn.arrays import Array

_FEWEST_TO_VALIDATE = 2


@dataclass(frozen=True, eq=False)
class FitRows:
    """Inputs X (n, d), targets y (n,) or (n, k), their weights (n,), and the rows of validation.

    `strata` (n,) are the classes by which a random split is stratified; None for a plain one.
    """

    X: Array
    y: Array
    weight: Array | None = None
    strata: Labels | None = None
    val: Labels | None = None

    def without_weight_0(self) -> FitRows:
        """The rows that count: a weight of 0 is the same as no row."""
        if self.weight is None or self.weight.all():
            return self
        kept = self.weight > 0
        if not kept.any():
            raise ParameterError(
                "`sample_weight`: all weights are zero, so there is no row to fit."
            )
        strata = None if self.strata is None else self.strata[kept]
        return FitRows(self.X[kept], self.y[kept], self.weight[kept], strata)

    def with_validation(self, other: FitRows) -> FitRows:
        """The rows, and below them the rows of a validation set.

        Raises `ParameterError` if their targets have other columns.
        """
        if other.y.shape[1:] != self.y.shape[1:]:
            raise ParameterError(
                f"`y_val` has the shape {other.y.shape}, but `y` has {self.y.shape}: give targets "
                "with the same columns."
            )
        count, weight = len(self.X), self.weight
        if weight is not None:
            weight = np.concatenate([weight, np.ones(len(other.X))])
        return FitRows(
            np.concatenate([self.X, other.X]),
            np.concatenate([self.y, other.y]),
            weight,
            None,
            np.arange(count, count + len(other.X)),
        )

    def held_out(self, fraction: float, seed: int) -> FitRows:
        """The rows with a random part held out, the same that `data.split.val` holds out.

        Raises `ParameterError` for fewer than two rows, or classes of one row.
        """
        self._require_rows_of_classes()
        fractions: Any = {"train": 1 - fraction, "val": fraction, "test": 0.0}
        firsts, copies = self._distinct()
        strata = None if self.strata is None else self.strata[firsts]
        drawn = split_rows(fractions, len(firsts), strata, stream(seed, "split"))
        val = np.flatnonzero(np.isin(copies, drawn["val"]))
        if len(val) < _FEWEST_TO_VALIDATE:
            rows = f"n_samples={len(self.X)}"
            if len(firsts) < len(self.X):
                rows += f", of which {len(firsts)} differ; equal rows stay together"
            raise ParameterError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                f"your dataset ({rows})."
            )
        return FitRows(self.X, self.y, self.weight, self.strata, val)

    def _distinct(self) -> tuple[Labels, Labels]:
        """The first of each group of equal rows, and the group of each row (n,).

        Copies of a row must not stand on both sides of a hold-out: it would be scored on rows that
        it was trained on, and a row of weight k would not equal k rows. The order of the groups
        depends on the rows' content only, if there are copies or weights.
        """
        import pandas as pd  # here: only a hold-out needs it

        hashes = pd.util.hash_pandas_object(
            pd.DataFrame(np.column_stack([self.X, self.y])), index=False
        )
        _, firsts, copies = np.unique(hashes, return_index=True, return_inverse=True)
        has_weights = self.weight is not None and bool((self.weight != 1).any())
        if len(firsts) == len(self.X) and not has_weights:
            return np.arange(len(self.X)), np.arange(len(self.X))
        return firsts, copies

    def _require_rows_of_classes(self) -> None:
        """Raises `ParameterError` for a class of one row; one of weight k counts as k rows."""
        if self.strata is None:
            return
        counts = np.bincount(self.strata)
        if self.weight is not None:
            counts = np.maximum(counts, np.bincount(self.strata, self.weight))
        few = np.flatnonzero((counts > 0) & (counts <= 1)).tolist()
        if few:
            raise ParameterError(
                "The least populated classes in y have only 1 member, which is too few: a class "
                "needs at least 2, one for training and one for validation. Classes with too few "
                f"members are those at the places {few} of `classes_` (n_samples={len(self.X)})."
            )

    @property
    def training_rows(self) -> Labels:
        """The rows that are not held out."""
        is_free = np.ones(len(self.X), bool)
        if self.val is not None:
            is_free[self.val] = False
        return np.flatnonzero(is_free)

    @property
    def mean_weight(self) -> float:
        """The mean weight of the training rows."""
        return 1.0 if self.weight is None else float(self.weight[self.training_rows].mean())

    def data(self) -> dict[str, Any]:
        """The config's `data`, without scales."""
        splits = {"train": self.training_rows}
        if self.val is not None:
            splits["val"] = self.val
        return {"inputs": self.X, "targets": self.y, "weight": self.weight, "splits": splits}


def row_weights(sample_weight: Any, X: Array) -> Array | None:
    """The weight of each row (n,). Raises `ParameterError` if there is one below 0."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(len(X), sample_weight)
    given: Array = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if given.shape != (len(X),):
        raise ParameterError(
            f"`sample_weight` has the shape {given.shape}, but X has {len(X)} rows: give one "
            "number for each row."
        )
    if (given < 0).any():
        raise ParameterError("`sample_weight` has negative values: a weight is 0 or more.")
    return given
