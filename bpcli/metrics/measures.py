"""Metrics from sums over rows, which may be added up piece by piece, in any pieces.

Every metric is a function of means of row-wise statistics, so the sums of a split are those of its
pieces added up. No array here grows with the number of rows, except in `Measures.samples`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple, Protocol, Self

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.metrics.metrics import (
    METRICS,
    Metric,
    Piece,
    Predictions,
    Sample,
    mean_of,
    predictions,
    ratio_of,
    shift_of,
    split_pieces,
)
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import PROBABILITIES
from bpcli.nn.network import Network

Scores = dict[str, float | None]
"""Metrics by name; None if one is undefined or not finite."""


class Predictor(Protocol):
    """What is measured: the predictions for some rows, of a network or without one."""

    @property
    def height(self) -> int:
        """The rows of the z that it reads; 0 for predictions without a network."""

    def __call__(self, rows: Split, Z: Array) -> Predictions:
        """The predictions for rows of a split, from the output layer's z (height, n) of these."""


@dataclass(frozen=True)
class NetworkPredictor:
    """The predictions of a network."""

    network: Network

    @property
    def height(self) -> int:
        return self.network.layers[-1].rows

    def __call__(self, rows: Split, Z: Array) -> Predictions:
        return predictions(self.network, Z, rows.preprocessor, rows)


class _Term(NamedTuple):
    """One of the metrics, and where its sums are; None if it does not apply."""

    key: str
    metric: Metric
    where: slice | None

    def value(self, means: Vector) -> float | None:
        if self.where is None:
            return None
        value = float(self.metric.value(means[self.where]))
        return value if math.isfinite(value) else None


@dataclass(frozen=True)
class Measures:
    """The metrics of predictions for a split, by the names of `names`, and `own` ones by theirs.

    With `in_detail`, each of several targets has metrics of its own too, such as `rmse.height`; an
    autoencoder has none: its targets are all its inputs. `width` is the length of the vector of
    sums. It is known before any row is summed, and so is the shift of the targets, which is made
    of a few rows: read it before other processes are forked.
    """

    predictor: Predictor
    split: Split
    names: tuple[str, ...]
    own: tuple[tuple[str, Metric], ...] = ()
    in_detail: bool = True

    @classmethod
    def of_network(
        cls, network: Network, split: Split, names: tuple[str, ...], in_detail: bool = True
    ) -> Self:
        """The metrics of a network; in detail, with its loss in original units."""
        own = tuple(_original_loss(network, split)) if in_detail else ()
        return cls(NetworkPredictor(network), split, names, own, in_detail)

    @property
    def width(self) -> int:
        return sum(self._widths)

    def sums(self, start: int, stop: int, Z: Array) -> Vector:
        """The sums (width,) over the rows at the positions from `start` to `stop` of the split.

        `Z` (height, stop - start) is the output layer's z of these rows.
        """
        total = np.zeros(self.width)
        for piece in self._pieces(start, stop, Z):
            total += _row_sums(self._statistics(piece))
        return total

    def values(self, total: Vector) -> Scores:
        """The metrics, from the sums over all rows of the split."""
        means = total / len(self.split)
        return {term.key: term.value(means) for term in self._terms}

    def of(self, Z: Array) -> Scores:
        """The metrics, from the output layer's z (height, n) of all rows of the split."""
        return self.values(self.sums(0, len(self.split), Z))

    def samples(self, Z: Array) -> dict[str, Sample]:
        """The statistics of each row of the split, without those of single targets."""
        terms = [term for term in self._terms[: len(self._metrics)] if term.where is not None]
        by_output = [
            [statistics for statistics in self._together(piece) if statistics is not None]
            for piece in self._pieces(0, len(self.split), Z)
        ]
        return {
            term.key: Sample(np.concatenate(statistics, axis=1), term.metric.value)
            for term, statistics in zip(terms, zip(*by_output, strict=True), strict=True)
        }

    def _pieces(self, start: int, stop: int, Z: Array) -> Iterator[Piece]:
        return (self._piece(*each) for each in split_pieces(self.split, start, stop, Z))

    def _piece(self, rows: Split, Z: Array) -> Piece:
        return Piece(rows, self.predictor(rows, Z), rows.values, self._shift)

    def _statistics(self, piece: Piece) -> Iterator[Array | None]:
        """The statistics (m, n) of each metric, in the order of their keys."""
        yield from self._together(piece)
        for k in range(len(self._targets)):
            of_target = piece.of_target(k)
            for metric in self._per_target.values():
                yield metric.statistics(of_target)

    def _together(self, piece: Piece) -> Iterator[Array | None]:
        """The statistics of the metrics of all targets together."""
        return (metric.statistics(piece) for metric in self._metrics.values())

    @cached_property
    def _metrics(self) -> dict[str, Metric]:
        """The metrics of all targets together."""
        return dict(self.own) | {name: METRICS[name] for name in self.names}

    @cached_property
    def _per_target(self) -> dict[str, Metric]:
        named = {name: METRICS[name] for name in self.names}
        return {name: metric for name, metric in named.items() if metric.is_per_target}

    @cached_property
    def _targets(self) -> tuple[str, ...]:
        """The names of the targets that have metrics of their own."""
        table = self.split.table
        has_own = self.in_detail and not table.is_autoencoder and len(table.target_names) > 1
        return table.target_names if has_own else ()

    @cached_property
    def _shift(self) -> Array | None:
        return shift_of(self.split) if "r2" in self.names else None

    @cached_property
    def _widths(self) -> list[int]:
        """The number of sums of each metric, as of no rows."""
        none = self._piece(self.split.piece(0, 0), np.empty((self.predictor.height, 0)))
        return [0 if each is None else len(each) for each in self._statistics(none)]

    @cached_property
    def _terms(self) -> list[_Term]:
        metrics = [*self._metrics.items()]
        for target in self._targets:
            metrics += [(f"{name}.{target}", each) for name, each in self._per_target.items()]
        ends = np.cumsum(self._widths).tolist()
        return [
            _Term(key, metric, slice(end - width, end) if width else None)
            for (key, metric), width, end in zip(metrics, self._widths, ends, strict=True)
        ]


def _row_sums(statistics: Iterator[Array | None]) -> Vector:
    """The sums over rows of all statistics, one after another."""
    sums = [each.sum(axis=1) for each in statistics if each is not None]
    return np.concatenate(sums) if sums else np.zeros(0)


def _original_loss(network: Network, split: Split) -> Iterator[tuple[str, Metric]]:
    """The loss in original units, if targets were scaled; cross-entropies have none."""
    scaler = split.preprocessor.targets
    if scaler.changes_units and network.loss.targets not in PROBABILITIES:
        value = mean_of if split.table.weight is None else ratio_of
        yield "loss_original", Metric(partial(_original_losses, network), value)


def _original_losses(network: Network, piece: Piece) -> Array:
    rows = piece.rows
    A, Y = piece.predicted.outputs.T, rows.preprocessor.original(rows.Y).T
    with np.errstate(divide="ignore"):  # an output that was rounded to 0
        losses = network.loss.per_sample(z_of(network, A), A, Y)
    return weighted(losses, rows)


def weighted(losses: Array, rows: Split) -> Array:
    """The statistics of the mean loss: with weights, those of Σ_i w_i loss_i / Σ_i w_i."""
    weight = rows.weight
    return losses[np.newaxis] if weight is None else np.stack([weight * losses, weight])


def z_of(network: Network, A: Array) -> Array:
    """The output layer's z where the loss reads it, from the outputs; other losses read A alone."""
    return network.layers[-1].activation.link(A) if network.loss.is_canonical else A
