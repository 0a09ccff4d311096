"""What a diagram of a network shows: which units, in which order, and which weights.

Wide layers show the units with the largest weights, and a layer with many weights the largest of
them. Hidden units are ordered so that few lines cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network

MOST_UNITS = 16
"""The most units of a layer that are all shown."""

_SHOWN_UNITS = 14
"""The units shown of a layer with more, so that there is room to say how many are left out."""

_MOST_LINES, _FEWEST_LINES = 80, 12
"""The most lines of a diagram, and of one layer where that would leave fewer."""

MOST_NUMBERS = 24
"""The most parameters of which all is shown, with values, and in the order of the numbers."""

_SWEEPS = 8


@dataclass(frozen=True)
class Column:
    """The inputs or the units of a layer: those that are shown, from top to bottom."""

    units: tuple[int, ...]
    count: int
    has_bias: bool
    """Whether the layer to the right has biases: +1 stands below the units, as another one."""

    @property
    def left_out(self) -> int:
        return self.count - len(self.units)

    @property
    def rows(self) -> int:
        """The rows of the column: units, a mark if some are left out, and +1."""
        return len(self.units) + (self.left_out > 0) + self.has_bias

    def height(self, row: int) -> float:
        """The y of a row, counted from 0 at the top; the middle row has 0."""
        return (self.rows - 1) / 2 - row

    def heights(self) -> dict[int, float]:
        """The y of every unit that is shown; +1 has the index `count`."""
        below = {self.count: self.height(self.rows - 1)} if self.has_bias else {}
        return {unit: self.height(row) for row, unit in enumerate(self.units)} | below


class Line(NamedTuple):
    """A weight from unit `start` (the bias: the number of inputs) to unit `end` of a layer."""

    start: int
    end: int
    value: float


@dataclass(frozen=True)
class Layout:
    """The columns from the inputs to the outputs, and the lines of each layer between them."""

    columns: list[Column]
    lines: list[list[Line]]
    counts: list[int]
    """The number of parameters of each layer."""
    is_ordered: bool
    """Whether hidden units are in another order than that of their numbers."""

    @property
    def drawn(self) -> int:
        return sum(map(len, self.lines))


def layout_of(network: Network, params: Vector) -> Layout:
    """The layout of a network without maxout."""
    matrices = network.matrices(np.asarray(params, np.float64))
    is_small = network.n_params <= MOST_NUMBERS
    columns = _columns(network, matrices)
    most = _most_lines([matrix.size for matrix in matrices])
    lines = [
        _largest(matrix, columns[number], columns[number + 1], count)
        for number, (matrix, count) in enumerate(zip(matrices, most, strict=True))
    ]
    ordered = columns if is_small else _with_few_crossings(columns, lines)
    sizes = [matrix.size for matrix in matrices]
    return Layout(ordered, lines, sizes, is_ordered=ordered != columns)


def _columns(network: Network, matrices: Sequence[Array]) -> list[Column]:
    """The columns with their units in the order of the numbers."""
    counts = [network.inputs, *(layer.units for layer in network.layers)]
    biases = [*(layer.has_bias for layer in network.layers), False]
    return [
        Column(_shown_units(matrices, number, count), count, has_bias)
        for number, (count, has_bias) in enumerate(zip(counts, biases, strict=True))
    ]


def _shown_units(matrices: Sequence[Array], number: int, count: int) -> tuple[int, ...]:
    """All units of a column, or those with the largest weights, by number.

    The size of a unit is the norm of its weights from the left, times that of its weights to the
    right, if it has both.
    """
    sizes = []
    if number > 0:
        sizes.append(np.linalg.norm(matrices[number - 1], axis=1))
    if number < len(matrices):
        sizes.append(np.linalg.norm(matrices[number][:, :count], axis=0))
    size = np.prod(sizes, axis=0)
    if count <= MOST_UNITS:
        return tuple(range(count))
    return tuple(sorted(np.argsort(-size, kind="stable")[:_SHOWN_UNITS].tolist()))


def _most_lines(sizes: Sequence[int]) -> list[int]:
    """How many lines each layer may have: all alike, with what small layers leave to the others."""
    most, left = [0] * len(sizes), _MOST_LINES
    for position, number in enumerate(sorted(range(len(sizes)), key=lambda number: sizes[number])):
        share = max(_FEWEST_LINES, left // (len(sizes) - position))
        most[number] = min(sizes[number], share)
        left = max(0, left - most[number])
    return most


def _largest(matrix: Array, left: Column, right: Column, most: int) -> list[Line]:
    """The largest weights and biases between shown units, by unit and input."""
    starts = [*left.units, *([left.count] if left.has_bias else [])]
    lines = [Line(start, end, float(matrix[end, start])) for end in right.units for start in starts]
    sizes = np.array([abs(line.value) for line in lines])
    kept = np.sort(np.argsort(-sizes, kind="stable")[:most])
    return [lines[index] for index in kept]


def _with_few_crossings(columns: list[Column], lines: Sequence[Sequence[Line]]) -> list[Column]:
    """The columns with their hidden units in an order with few crossings.

    Every unit moves to the weighted mean height of the units that its lines reach, again and again
    (Sugiyama, Tagawa & Toda 1981); the best of all orders that are met is taken.
    """
    best, fewest, current = columns, crossings(columns, lines), list(columns)
    for _ in range(_SWEEPS):
        for number in range(1, len(columns) - 1):
            current[number] = _at_means(current, lines, number)
        count = crossings(current, lines)
        if count < fewest:
            best, fewest = list(current), count
    return best


def _at_means(columns: Sequence[Column], lines: Sequence[Sequence[Line]], number: int) -> Column:
    """A column with its units sorted by the mean height of what they are connected with."""
    column = columns[number]
    pull: dict[int, list[tuple[float, float]]] = {unit: [] for unit in column.units}
    left, right = columns[number - 1].heights(), columns[number + 1].heights()
    for line in lines[number - 1]:
        pull[line.end].append((left[line.start], abs(line.value)))
    for line in lines[number]:
        if line.start in pull:
            pull[line.start].append((right[line.end], abs(line.value)))
    own = column.heights()
    means = {unit: _mean(pairs, own[unit]) for unit, pairs in pull.items()}
    order = sorted(column.units, key=lambda unit: -means[unit])
    return Column(tuple(order), column.count, column.has_bias)


def _mean(pairs: Sequence[tuple[float, float]], otherwise: float) -> float:
    """The weighted mean of (height, weight)."""
    total = sum(weight for _, weight in pairs)
    return sum(height * weight for height, weight in pairs) / total if total else otherwise


def crossings(columns: Sequence[Column], lines: Sequence[Sequence[Line]]) -> float:
    """The sum over all crossings of two lines of the smaller of their weights."""
    total = 0.0
    for left, right, between in zip(columns, columns[1:], lines, strict=False):
        total += _crossings(left.heights(), right.heights(), between)
    return total


def _crossings(left: dict[int, float], right: dict[int, float], lines: Sequence[Line]) -> float:
    start = np.array([left[line.start] for line in lines])
    end = np.array([right[line.end] for line in lines])
    size = np.array([abs(line.value) for line in lines])
    is_crossing: Labels = np.subtract.outer(start, start) * np.subtract.outer(end, end) < 0
    return float((np.minimum.outer(size, size) * is_crossing).sum() / 2)
