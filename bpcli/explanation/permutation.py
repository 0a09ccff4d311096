"""Permutation importance: how much worse the predictions become if an input is permuted.

The values of one column, or of several correlated ones together, are permuted between the rows;
everything else stays. The importance is the rise of the loss, or of another measure L:

    I = L(permuted) - L(as they are)

Breiman 2001, Machine Learning 45, 5; Fisher, Rudin & Dominici 2019, JMLR 20 (177), eq. 3. The
statistics of each row are averaged over R permutations. The standard error is that of the jackknife
over rows (Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 11): it covers the rows
and the permutations, but no other training of the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from bpcli.engine.pool.base import WorkerPool
from bpcli.explanation.columns import Column
from bpcli.explanation.draws import generator
from bpcli.metrics.metrics import Sample
from bpcli.nn.arrays import Array, Vector

Measured: TypeAlias = Callable[[Array], Mapping[str, Sample]]
"""The measures of predictions for encoded rows X (n, d), as functions of means over the rows."""

Group: TypeAlias = Sequence[Column]
"""Columns that are permuted together."""


class Change(NamedTuple):
    """A rise of a measure, and its standard error; None if they are undefined."""

    value: float | None
    error: float | None


@dataclass(frozen=True)
class Permutation:
    """How importance is measured: rows X (n, d), and `repeats` permutations from a seed."""

    X: Array
    measured: Measured
    repeats: int
    seed: int

    def importances(
        self, groups: Sequence[Group], pool: WorkerPool, done: Callable[[int], None]
    ) -> list[dict[str, Change]]:
        """The rise of every measure for each group of columns; `done` gets how many are finished.

        The workers of the pool share the permutations of a group; each has its own random numbers.
        """
        before = self.measured(self.X)
        plain = _stacked(before)
        results = pool.allocate_shared((self.repeats, *plain.shape), np.float64)
        current = pool.allocate_shared((1,), np.int64)

        def permute(repeat: int) -> None:
            number = int(current[0])
            X = self._permuted(groups[number], number, repeat)
            results[repeat] = _stacked(self.measured(X))

        run, changes = pool.register(permute), []
        for number in range(len(groups)):
            current[0] = number
            run(self.repeats)
            permuted = plain + (results - plain).mean(axis=0)  # exactly `plain` if nothing changed
            changes.append(_changes(before, plain, permuted))
            done(number + 1)
        return changes

    def _permuted(self, group: Group, number: int, repeat: int) -> Array:
        order = generator(self.seed, "permutation", number, repeat).permutation(len(self.X))
        X = self.X.copy()
        for column in group:
            X[:, column.where] = self.X[order, column.where]
        return X


def _stacked(samples: Mapping[str, Sample]) -> Array:
    return np.concatenate([sample.statistics for sample in samples.values()])


def _changes(before: Mapping[str, Sample], plain: Array, permuted: Array) -> dict[str, Change]:
    """The change of each measure from the statistics (m, n) of all, one below the other."""
    changes, start = {}, 0
    for name, sample in before.items():
        own = slice(start, start + len(sample.statistics))
        changes[name] = change(sample.value, plain[own], permuted[own])
        start = own.stop
    return changes


def change(value: Callable[[Array], Array], before: Array, after: Array) -> Change:
    """value(after) - value(before) of means of statistics (m, n), with its jackknife error.

    The error is √((n-1)/n Σ_i (d_i - mean d)²), d_i the difference without row i.
    """
    n = before.shape[1]
    whole = _difference(value, before.mean(axis=1), after.mean(axis=1))
    if n < 2 or not np.isfinite(whole):
        return Change(_finite(whole), None)
    without = _difference(value, _means_without_each(before), _means_without_each(after))
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    return Change(float(whole), _finite(error))


def _difference(value: Callable[[Array], Array], before: Array, after: Array) -> Vector:
    with np.errstate(divide="ignore", invalid="ignore"):
        difference: Vector = value(after) - value(before)
    return difference


def _means_without_each(statistics: Array) -> Array:
    """The means without each row in turn: (n, m)."""
    n = statistics.shape[1]
    means: Array = (statistics.sum(axis=1, keepdims=True) - statistics).T / (n - 1)
    return means


def _finite(value: Vector | float) -> float | None:
    return float(value) if np.isfinite(value) else None
