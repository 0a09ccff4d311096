"""Shapley values: the difference of one prediction from the mean, divided among the columns.

A coalition S of columns has the values of the row x, the others those of a background row b:

    v(S) = mean over b of f(x_S, b_rest)
    phi_j = Σ_{S without j} |S|! (p - |S| - 1)! / p! · (v(S with j) - v(S))

Shapley 1953, in Contributions to the Theory of Games II, 307. The sum of all phi is f(x) minus the
mean prediction of the background rows. Columns are replaced independently (interventional), as in
Štrumbelj & Kononenko 2014, Knowledge and Information Systems 41, 647, whose sampling by orders of
the columns is used where 2^p coalitions are too many. Every order is used in both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np

from bpcli.explanation.columns import Column
from bpcli.explanation.draws import Outputs, generator
from bpcli.nn.arrays import Array, Vector

MOST_EXACT = 12
"""Up to so many columns, all 2^p coalitions are computed: 4,096 for each background row."""

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Shapley:
    """The values (p, K) of p columns for K outputs, with their standard errors.

    `base` (K,) is the mean prediction of the background rows, `prediction` (K,) that of the row.
    The error is that of the mean over background rows, and over orders if these are sampled.
    """

    values: Array
    errors: Array
    base: Vector
    prediction: Vector
    is_exact: bool
    evaluations: int


def shapley(
    columns: Sequence[Column],
    x: Vector,
    background: Array,
    outputs: Outputs,
    orders: int,
    seed: int,
    done: Callable[[int, int], None],
) -> Shapley:
    """The Shapley values of a row x (d,) against background rows (B, d).

    Beyond `MOST_EXACT` columns, with `orders` pairs of orders for each background row. `done` gets
    how many background rows of how many are finished.
    """
    exact = len(columns) <= MOST_EXACT
    by_row, evaluations = [], 0
    for number, row in enumerate(background):
        if exact:
            shares = _exact(columns, x, row, outputs)
            evaluations += 2 ** len(columns)
        else:
            rng = generator(seed, "orders", number)
            shares = _sampled(columns, x, row, outputs, orders, rng)
            evaluations += 2 * orders * (len(columns) + 1)
        by_row.append(shares)
        done(number + 1, len(background))
    each = np.stack(by_row)
    errors = np.full(each.shape[1:], np.nan)
    if len(each) > 1:
        errors = each.std(axis=0, ddof=1) / np.sqrt(len(each))
    base = np.mean([outputs(row[np.newaxis])[0] for row in background], axis=0)
    prediction = outputs(x[np.newaxis])[0]
    return Shapley(each.mean(axis=0), errors, base, prediction, exact, evaluations)


def _exact(columns: Sequence[Column], x: Vector, row: Vector, outputs: Outputs) -> Array:
    """The values (p, K) against one background row, from all 2^p coalitions."""
    p = len(columns)
    masks = np.arange(2**p)
    worth = _worth(columns, x, row, (masks[:, np.newaxis] >> np.arange(p)) & 1 == 1, outputs)
    sizes = np.array([int(mask).bit_count() for mask in masks])
    weights = np.array([factorial(s) * factorial(p - s - 1) / factorial(p) for s in range(p)])
    values = []
    for j in range(p):
        without = masks[(masks >> j) & 1 == 0]
        gain = worth[without | (1 << j)] - worth[without]
        values.append(weights[sizes[without]] @ gain)
    return np.array(values)


def _sampled(
    columns: Sequence[Column],
    x: Vector,
    row: Vector,
    outputs: Outputs,
    orders: int,
    rng: np.random.Generator,
) -> Array:
    """The mean gain (p, K) of each column when the row becomes x column by column."""
    p = len(columns)
    drawn = [rng.permutation(p) for _ in range(orders)]
    estimates = []
    for order in [each for one in drawn for each in (one, one[::-1])]:
        is_in = np.zeros((p + 1, p), bool)
        is_in[:, order] = np.tri(p + 1, p, -1, dtype=bool)
        gains = np.diff(_worth(columns, x, row, is_in, outputs), axis=0)
        own = np.empty_like(gains)
        own[order] = gains
        estimates.append(own)
    mean: Array = np.mean(estimates, axis=0)
    return mean


def _worth(
    columns: Sequence[Column], x: Vector, row: Vector, is_in: Array, outputs: Outputs
) -> Array:
    """The outputs (c, K) of coalitions (c, p) of the columns of x, the rest from another row."""
    pieces = []
    for start in range(0, len(is_in), _ROWS_AT_ONCE):
        some = is_in[start : start + _ROWS_AT_ONCE]
        rows = np.tile(row, (len(some), 1))
        for j, column in enumerate(columns):
            rows[np.ix_(some[:, j], np.arange(column.where.start, column.where.stop))] = x[
                column.where
            ]
        pieces.append(outputs(rows))
    return np.concatenate(pieces)
