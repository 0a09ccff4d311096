"""JᵀJ layer by layer, from products of deltas and products of activations.

A row of the Jacobian has the entry delta_k[l]_u a[l-1]_j for W[l]_uj. So for two layers l and m,

    (JᵀJ)_(l,u,j),(m,v,h) = Σ_i D_uv,i A_jh,i
    D_uv,i = Σ_k delta_k[l]_ui delta_k[m]_vi          A_jh,i = a[l-1]_ji a[m-1]_hi

is one matrix product of D, a row for each pair of units, with A, a row for each pair of inputs. Its
time hardly grows with the number of outputs. For l = m both D and A are symmetric: half of the
pairs of units and half of the pairs of inputs give a quarter of the block, where J itself would
give half of it. (Sample by sample, a column of J is a Kronecker product of deltas and activations,
and the outer product of Kronecker products is that of their outer products.)

A layer of few units with many inputs, such as the output layer, has far more pairs of inputs than
parameters. There the products D_uv,i a_ji are multiplied with a_hi instead.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations_with_replacement, pairwise

import numpy as np

from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.rows import Block
from bpcli.engine.shards import SECONDS_PER_ENTRY, SECONDS_PER_FLOP
from bpcli.engine.strips import MOST_STRIPS, strip_height
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.jacobian import OutputSweep, weighted_residuals
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace


@dataclass(frozen=True)
class _Pair:
    """Two layers by number, the upper one first, with their rows and columns.

    What each strip of each product asks of it is computed once.
    """

    upper: int
    lower: int
    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def is_one_layer(self) -> bool:
        return self.upper == self.lower

    @cached_property
    def height_of_D(self) -> int:  # noqa: N802  # a matrix
        return self.first_row(self.rows[0])

    @cached_property
    def height_of_A(self) -> int:  # noqa: N802  # a matrix
        above, below = self.columns
        return _count(above) if self.is_one_layer else above * below

    @cached_property
    def is_narrow(self) -> bool:
        """Whether it is one layer with so few units that pairs of inputs do not pay."""
        return self.is_one_layer and self._seconds_of_narrow < self._seconds_of_pairs

    @cached_property
    def shape_of_sums(self) -> tuple[int, ...]:
        """A number for each pair of units and each pair of inputs, all of these if it is narrow."""
        inputs = self.columns if self.is_narrow else (self.height_of_A,)
        return (self.height_of_D, *inputs)

    @property
    def seconds_per_row(self) -> float:
        """The estimated time to write A, and to multiply with it."""
        return self._seconds_of_narrow if self.is_narrow else self._seconds_of_pairs

    @property
    def _seconds_of_pairs(self) -> float:
        D, A = self.height_of_D, self.height_of_A
        return A * SECONDS_PER_ENTRY + 2 * D * A * SECONDS_PER_FLOP

    @property
    def _seconds_of_narrow(self) -> float:
        rows, inputs = self.height_of_D * self.columns[0], self.columns[0]
        return rows * SECONDS_PER_ENTRY + 2 * rows * inputs * SECONDS_PER_FLOP

    def first_row(self, unit: int) -> int:
        """The row of D at which the pairs of a unit of the upper layer begin."""
        return _count(unit) if self.is_one_layer else unit * self.rows[1]


@dataclass(frozen=True)
class _Strip:
    """Some units of the upper layer of a pair."""

    pair: _Pair
    start: int
    stop: int

    @property
    def rows(self) -> slice:
        """Their rows of D."""
        return slice(self.pair.first_row(self.start), self.pair.first_row(self.stop))


@lru_cache(maxsize=16)
def _pairs(network: Network) -> list[_Pair]:
    layers = list(enumerate(network.layers))
    return [
        _Pair(upper, lower, (above.rows, below.rows), (above.columns, below.columns))
        for (lower, below), (upper, above) in combinations_with_replacement(layers, 2)
    ]


def _strips(network: Network) -> list[_Strip]:
    """All pairs cut into strips of about as many rows, at least one unit each."""
    pairs = _pairs(network)
    height = strip_height(sum(pair.height_of_D for pair in pairs))
    return [strip for pair in pairs for strip in _cut(pair, height)]


def _cut(pair: _Pair, height: int) -> list[_Strip]:
    firsts = [pair.first_row(unit) for unit in range(pair.rows[0] + 1)]
    count = -(-pair.height_of_D // height)
    edges = np.searchsorted(firsts, [pair.height_of_D * i // count for i in range(count + 1)])
    units = np.unique(edges).tolist()
    return [_Strip(pair, *range_) for range_ in pairwise(units)]


class _Scratch(threading.local):
    """D of a strip, and a summand of it, per thread."""

    def __init__(self, height: int, samples: int, dtype: np.dtype) -> None:
        self.D, self.summand = (np.empty((height, samples), dtype) for _ in range(2))


class LayerPairs:
    """Deltas, activations and the A of each pair for some rows, and the sums of their products."""

    def __init__(self, network: Network, samples: int, dtype: np.dtype, pool: WorkerPool) -> None:
        self._network = network
        self._strips = _strips(network)
        self._pairs = _pairs(network)
        allocate = pool.allocate_shared
        layers, K = network.layers, network.outputs
        self._deltas = [allocate((K, layer.rows, samples), dtype) for layer in layers]
        self._pulled = [allocate((layer.rows, samples), dtype) for layer in layers]
        self._below = [allocate((layer.columns, samples), dtype) for layer in layers]
        self._A = {
            pair: allocate((pair.height_of_A, samples), dtype)
            for pair in self._pairs
            if not pair.is_narrow
        }
        self._sums = {pair: allocate(pair.shape_of_sums, dtype) for pair in self._pairs}
        self._JTr = allocate((network.n_params,), dtype)
        self._JTJ = allocate((network.n_params, network.n_params), dtype)
        height = max(strip.rows.stop - strip.rows.start for strip in self._strips)
        self._scratch = _Scratch(height, samples, dtype)
        self.strips = self.strips_of(network)

    @staticmethod
    def strips_of(network: Network) -> int:
        """The number of tasks that multiply the factors."""
        return min(MOST_STRIPS, len(_strips(network)) + len(network.layers))

    @staticmethod
    def entries_per_row(network: Network) -> int:
        """The size of the factors of a row."""
        layers = sum((network.outputs + 1) * layer.rows + layer.columns for layer in network.layers)
        return layers + sum(pair.height_of_A for pair in _pairs(network) if not pair.is_narrow)

    @staticmethod
    def seconds(network: Network, rows: int) -> float:
        """The estimated time to write and multiply the factors of some rows."""
        pairs = _pairs(network)
        entries = network.outputs * sum(pair.height_of_D for pair in pairs)
        per_row = entries * SECONDS_PER_ENTRY + sum(pair.seconds_per_row for pair in pairs)
        # In the end each entry of JᵀJ is copied about four times.
        return rows * per_row + 4 * network.n_params**2 * SECONDS_PER_ENTRY

    def clear(self) -> None:
        self._JTr[...] = 0
        for total in self._sums.values():
            total[...] = 0

    def write(self, work: Workspace, block: Block, where: slice, sweep: OutputSweep) -> None:
        residuals, root = weighted_residuals(work, block.targets, block.weight)
        for pulled in self._pulled:
            pulled[:, where] = 0
        for k, residual in enumerate(residuals):
            sweep(work, k, root)
            for layer, deltas, pulled in zip(work.layers, self._deltas, self._pulled, strict=True):
                deltas[k, :, where] = layer.delta
                pulled[:, where] += layer.delta * residual
        for layer, below in zip(work.layers, self._below, strict=True):
            below[:, where] = layer.below
        for pair, A in self._A.items():
            above = self._below[pair.upper][:, where]
            if pair.is_one_layer:
                _write_lower(above, 0, len(above), A[:, where])
            else:
                _write_outer(above, self._below[pair.lower][:, where], A[:, where])

    def multiply(self, strip: int, samples: int) -> None:
        for one in self._strips[strip :: self.strips]:
            self._add_strip(one, samples)
        for layer in range(len(self._network.layers))[strip :: self.strips]:
            self._add_gradient(layer, samples)

    def _add_strip(self, strip: _Strip, samples: int) -> None:
        rows = strip.rows
        D, summand = (
            array[: rows.stop - rows.start, :samples]
            for array in (self._scratch.D, self._scratch.summand)
        )
        for k in range(self._network.outputs):
            out = summand if k else D
            upper = self._deltas[strip.pair.upper][k, :, :samples]
            if strip.pair.is_one_layer:
                _write_lower(upper, strip.start, strip.stop, out)
            else:
                lower = self._deltas[strip.pair.lower][k, :, :samples]
                _write_outer(upper[strip.start : strip.stop], lower, out)
            if k:
                D += summand
        self._sums[strip.pair][rows] += self._product(strip.pair, D)

    def _product(self, pair: _Pair, D: Array) -> Array:
        samples = D.shape[1]
        right = self._below[pair.upper] if pair.is_narrow else self._A[pair]
        right = right[:, :samples]
        left = (D[:, np.newaxis] * right).reshape(-1, samples) if pair.is_narrow else D
        product: Array = left.dot(right.T)
        return product.reshape(len(D), *pair.shape_of_sums[1:])

    def _add_gradient(self, number: int, samples: int) -> None:
        pulled, below = (array[number][:, :samples] for array in (self._pulled, self._below))
        self._network.matrices(self._JTr)[number][...] += pulled.dot(below.T)

    def totals(self) -> tuple[Array, Vector]:
        where = self._network.layer_slices
        for pair, total in self._sums.items():
            upper, lower = where[pair.upper], where[pair.lower]
            entries = self._JTJ[upper, lower].reshape(  # a view
                pair.rows[0], pair.columns[0], pair.rows[1], pair.columns[1]
            )
            if pair.is_one_layer:
                _unfold(total, entries)
            else:
                entries[...] = total.reshape(*pair.rows, *pair.columns).swapaxes(1, 2)
                self._JTJ[lower, upper] = self._JTJ[upper, lower].T
        return self._JTJ, self._JTr


def _unfold(total: Array, entries: Array) -> None:
    """Write the sums over the pairs of one layer to entries[u, j, v, h]."""
    units, inputs = entries.shape[:2]
    j, h = np.indices((inputs, inputs))
    high, low = np.maximum(j, h), np.minimum(j, h)  # symmetric to the bit
    index = (high, low) if total.ndim == 3 else (high * (high + 1) // 2 + low,)
    for u in range(units):
        pairs = total[(slice(_count(u), _count(u + 1)), *index)]  # (v, j, h) for v ≤ u
        entries[u, :, : u + 1] = pairs.swapaxes(0, 1)
        entries[:u, :, u] = pairs[:u]


def _count(rows: int) -> int:
    """The number of pairs (u, v) with v ≤ u < rows; also that of the pair (rows, 0)."""
    return rows * (rows + 1) // 2


def _write_lower(x: Array, start: int, stop: int, out: Array) -> None:
    """Write x_u x_v for start ≤ u < stop and v ≤ u to the first rows of `out`, elementwise."""
    row = 0
    for u in range(start, stop):
        np.multiply(x[: u + 1], x[u], out=out[row : row + u + 1])
        row += u + 1


def _write_outer(x: Array, y: Array, out: Array) -> None:
    """Write x_u y_v for all u and v to the rows of `out`, elementwise."""
    np.multiply(x[:, np.newaxis], y, out=out.reshape(len(x), *y.shape))
