"""Passes over streamed rows: they are read block by block, and give the bits of rows in memory."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field

import numpy as np
import pytest

from bpcli.engine import rows as engine_rows
from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.rows import PieceReader, Rows, StreamedRows
from bpcli.nn.activations import Identity, Sigmoid, Tanh
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.training.objective import NetworkObjective

WIDE = Network((Layer(10, 32, Tanh()), Layer(32, 3, Identity())), HalfSquaredError())
NARROW = Network((Layer(10, 3, Tanh()), Layer(3, 3, Identity(), "none")), HalfSquaredError())


@dataclass(frozen=True)
class Reader:
    """Reads from arrays, and remembers how many rows it read at once."""

    X: np.ndarray
    Y: np.ndarray
    counts: list[int] = field(default_factory=list)

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        self.counts.append(stop - start)
        return self.X[start:stop], self.Y[start:stop]

    def prepare(
        self, inputs: np.ndarray, targets: np.ndarray, X: np.ndarray, Y: np.ndarray
    ) -> None:
        X[...], Y[...] = inputs.T, targets.T

    def read_at(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert (np.diff(index) > 0).all()
        self.counts.append(len(index))
        return self.X[index], self.Y[index]


@dataclass(frozen=True)
class SumsOfZ:
    """The number of rows, Σ z of each output, and Σ row number · z of the first."""

    width: int = 5

    def sums(self, start: int, stop: int, Z: np.ndarray) -> np.ndarray:
        return np.array([stop - start, *Z.sum(axis=1), np.arange(start, stop) @ Z[0]])


SUMS = SumsOfZ()


def both(network: Network, count: int, dtype: str) -> tuple[Rows, StreamedRows]:
    rng = np.random.default_rng(count)
    X, Y = rng.normal(size=(count, network.inputs)), rng.normal(size=(count, network.outputs))
    streamed = StreamedRows.of(network, Reader(X, Y), count, np.dtype(dtype))
    return Rows.of(network, X, Y, np.dtype(dtype)), streamed


ONE = Network((Layer(3, 1, Sigmoid()),), HalfSquaredError())


def params_of(network: Network, dtype: str) -> np.ndarray:
    return np.random.default_rng(1).normal(size=network.n_params).astype(dtype)


@pytest.mark.parametrize("network", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("count", [1, 100, 9_000, 60_001])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_streamed_rows_give_the_bits_of_rows_in_memory(
    network: Network, count: int, dtype: str, some_pool: WorkerPool
) -> None:
    stored, streamed = both(network, count, dtype)
    ours = NetworkObjective(network, streamed, l2=0.1, pool=some_pool, tallies=[SUMS])
    theirs = NetworkObjective(network, stored, l2=0.1)
    params = params_of(network, dtype)
    for _ in range(2):
        np.testing.assert_array_equal(ours.grad(params), theirs.grad(params))
        assert ours.value(params) == theirs.value(params)
        assert ours.value_and_grad(params).value == theirs.value_and_grad(params).value
        params = params * 0.5
    some = np.random.default_rng(2).integers(count, size=max(1, count // 3))
    np.testing.assert_array_equal(ours.rows(some).grad(params), theirs.rows(some).grad(params))


@dataclass(frozen=True)
class SumOfSquares:
    """Σ z², a single number."""

    width: int = 1

    def sums(self, start: int, stop: int, Z: np.ndarray) -> np.ndarray:
        return np.array([(Z**2).sum()], np.float64)


@pytest.mark.parametrize("count", [1, 100, 9_000, 60_001])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_tallies_have_the_bits_of_rows_in_memory(
    count: int, dtype: str, some_pool: WorkerPool
) -> None:
    stored, streamed = both(WIDE, count, dtype)
    tallies = [SUMS, SumOfSquares()]
    ours = NetworkObjective(WIDE, streamed, pool=some_pool, tallies=tallies)
    theirs, params = NetworkObjective(WIDE, stored), params_of(WIDE, dtype)
    for _ in range(2):
        for tally in tallies:
            np.testing.assert_array_equal(ours.tally(params, tally), theirs.tally(params, tally))
        ours.grad(params)
        params = params * 0.5
    expected = SUMS.sums(0, count, theirs.outputs(params).astype(float))
    np.testing.assert_allclose(ours.tally(params, SUMS), expected, rtol=1e-4, atol=1e-3 * count)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_the_gauss_newton_matrix_and_its_products_have_the_same_bits(
    dtype: str, some_pool: WorkerPool
) -> None:
    stored, streamed = both(WIDE, 9_000, dtype)
    shared = {"shares_jacobian": True, "shares_products": True}
    ours = NetworkObjective(WIDE, streamed, pool=some_pool, **shared)  # type: ignore[arg-type]
    theirs, params = NetworkObjective(WIDE, stored), params_of(WIDE, dtype)
    np.testing.assert_array_equal(
        ours.gauss_newton(params).hessian, theirs.gauss_newton(params).hessian
    )
    np.testing.assert_array_equal(
        ours.gauss_newton_product(params, params), theirs.gauss_newton_product(params, params)
    )


def test_pieces_of_several_blocks_are_read_once_and_in_order() -> None:
    _, streamed = both(NARROW, 200_000, "f8")
    objective = NetworkObjective(NARROW, streamed)
    objective.grad(params_of(NARROW, "f8"))
    counts = streamed.reader.counts  # type: ignore[attr-defined]
    most = engine_rows._NUMBERS_PER_PIECE // (NARROW.inputs + NARROW.outputs)
    assert streamed.block_size < max(counts) <= most
    assert 200_000 <= sum(counts) <= 200_000 + len(objective.plan.shards) * most


def test_rows_that_could_not_be_read_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    _, streamed = both(NARROW, 200_000, "f8")
    reader, block = PieceReader(streamed), streamed.empty_block(streamed.block_size)
    size = streamed.block_size
    reader.load(0, size, block)
    with monkeypatch.context() as patch:
        patch.setattr(Reader, "read", raise_gone)
        with pytest.raises(OSError, match="gone"):
            reader.load(30 * size, 31 * size, block)
    reader.load(30 * size, 31 * size, block)
    expected = streamed.reader.X[30 * size : 31 * size].T  # type: ignore[attr-defined]
    np.testing.assert_array_equal(block.inputs[: NARROW.inputs], expected)


def raise_gone(*_: object) -> None:
    raise OSError("gone")


def test_streamed_rows_can_be_pickled() -> None:
    stored, streamed = both(WIDE, 3_000, "f8")
    params = params_of(WIDE, "f8")
    again = pickle.loads(pickle.dumps(streamed))
    np.testing.assert_array_equal(
        NetworkObjective(WIDE, again).grad(params), NetworkObjective(WIDE, stored).grad(params)
    )


@pytest.mark.parametrize("network", [ONE, NARROW], ids=["one", "narrow"])
@pytest.mark.parametrize("batch", [1, 16, 37])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_mini_batches_of_streamed_rows_have_the_same_bits(
    network: Network, batch: int, dtype: str
) -> None:
    """A product with one row is one with a vector, whose bits depend on strides."""
    stored, streamed = both(network, 5_000, dtype)
    ours, theirs = NetworkObjective(network, streamed), NetworkObjective(network, stored)
    params, rng = params_of(network, dtype), np.random.default_rng(5)
    for _ in range(20):
        some = rng.integers(5_000, size=batch)
        np.testing.assert_array_equal(ours.rows(some).grad(params), theirs.rows(some).grad(params))


def test_streamed_rows_can_be_taken_into_memory() -> None:
    stored, streamed = both(WIDE, 3_000, "f4")
    index = np.array([5, 2_999, 5, 0])
    for one, other in zip(streamed.take(index).columns, stored.take(index).columns, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(streamed.some()[:2], stored.some()[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(streamed.columns, stored.columns, strict=True):
        np.testing.assert_array_equal(one, other)
