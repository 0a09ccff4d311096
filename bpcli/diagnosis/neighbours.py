"""Whether the nearest training rows predict a row's target better than the network does.

Predictions of the k nearest neighbours assume nothing about a network's size, so that rows on which
they are better have a structure that the network misses (Cover & Hart 1967, Nearest neighbor
pattern classification). They need enough rows for their inputs, so that they are seldom better than
a good network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.data.types import Labels
from bpcli.diagnosis.evidence import Evidence
from bpcli.nn.arrays import Array
from bpcli.nn.propagation import predict
from bpcli.runs.subject import some_rows

NEIGHBOURS = 5
"""k; the mean of five targets has a fifth of the variance of their noise."""

FEWEST_ROWS = 50
"""The fewest rows that are judged: with fewer, a difference is seldom significant."""

MOST_ROWS = 1000
"""The most rows that are compared with each other: 10⁶ distances take some milliseconds."""

STANDARD_ERRORS = 3.0
"""Neighbours are clearly better if the mean difference of the errors of rows is larger than this
many of its standard errors: by chance alone, in one of 700 networks."""

BETTER = 0.1
"""… and if they lower the error by at least this fraction of the constant baseline's error."""


@dataclass(frozen=True)
class Neighbours:
    """The error of each row, by the neighbours and by the network; the constant baseline's mean."""

    by_neighbours: Array
    by_network: Array
    constant: float
    are_classes: bool

    @property
    def are_clearly_better(self) -> bool:
        difference = self.by_network - self.by_neighbours
        mean, n = float(difference.mean()), len(difference)
        error = float(difference.std()) / math.sqrt(n)
        return mean > BETTER * self.constant and mean > STANDARD_ERRORS * error

    @property
    def title(self) -> str:
        what = "classify more rows right" if self.are_classes else "predict the targets better"
        return f"{NEIGHBOURS} nearest neighbours {what}"

    @property
    def evidence(self) -> str:
        near, own = float(self.by_neighbours.mean()), float(self.by_network.mean())
        noun = "error rate" if self.are_classes else "mean squared error"
        return (
            f"over {len(self.by_network):,} training rows, each predicted from the others, their "
            f"{noun} is {near:.3g}, that of the network {own:.3g}, that of the constant baseline "
            f"{self.constant:.3g}"
        )


def neighbours(evidence: Evidence) -> Neighbours | None:
    """The errors over some training rows; None if the rows are too few, or not to be compared."""
    split = evidence.experiment.splits["train"]
    if len(split) < FEWEST_ROWS or split.table.is_autoencoder or split.table.words:
        return None
    rows = replace(split, index=split.index[some_rows(len(split), MOST_ROWS)])
    X, Y = rows.X, rows.Y
    estimates = Y[_nearest(X)].mean(axis=1)
    outputs = predict(evidence.experiment.network, evidence.subject.params, X)
    if rows.labels is None:
        near, own = (((each - Y) ** 2).mean(axis=1) for each in (estimates, outputs))
        return Neighbours(near, own, float(Y.var(axis=0).mean()), are_classes=False)
    near, own = (_wrong(rows, rows.labels, each) for each in (estimates, outputs))
    usual = float(np.bincount(rows.labels).max() / len(X))
    return Neighbours(near, own, 1 - usual, are_classes=True)


def _wrong(rows: Split, labels: Labels, outputs: Array) -> Array:
    """1 for each row whose class is predicted wrongly by outputs (n, K), else 0."""
    classes = rows.preprocessor.classes(outputs)
    assert classes is not None, "the targets are classes"
    wrong: Array = (classes != labels).astype(np.float64)
    return wrong


def _nearest(X: Array) -> Labels:
    """The indices (n, k) of the nearest other rows of X (n, inputs), by Euclidean distance."""
    squares = (X * X).sum(axis=1)
    distances = squares[:, np.newaxis] - 2 * X @ X.T + squares
    np.fill_diagonal(distances, np.inf)
    nearest: Labels = np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return nearest
