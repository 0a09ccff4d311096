from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.engine.rows import Rows, equal_size
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.arrays import CACHE_LINE
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network

NETWORK = Network((Layer(2, 3, Tanh()), Layer(3, 1, Identity())), HalfSquaredError())
NO_BIAS = Network((Layer(2, 1, Identity(), "none"),), HalfSquaredError())
COUNT = 5003
RNG = np.random.default_rng(0)
X, Y, WEIGHT = RNG.normal(size=(COUNT, 2)), RNG.normal(size=(COUNT, 1)), RNG.uniform(size=COUNT)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return Rows.of(NETWORK, X, Y, np.dtype(float), WEIGHT)


def test_blocks_hold_the_rows_in_order_above_a_row_of_ones(rows: Rows) -> None:
    size = rows.block_size
    assert size < COUNT
    for start in range(0, COUNT, size):
        block = rows.block(start, min(COUNT, start + size))
        np.testing.assert_array_equal(block.inputs[:2].T, X[start : start + size])
        assert (block.inputs[2] == 1).all()
        np.testing.assert_array_equal(block.targets.T, Y[start : start + size])
        np.testing.assert_array_equal(block.weight, WEIGHT[start : start + size])
    assert len(rows) == COUNT
    assert rows.total_weight == pytest.approx(WEIGHT.sum())


@pytest.mark.parametrize("lengths", [[COUNT], [1, COUNT - 1], [2000, 3, 0, 3000]])
def test_rows_may_come_in_any_pieces(rows: Rows, lengths: list[int]) -> None:
    edges = np.cumsum([0, *lengths])
    pieces = [(X[a:b], Y[a:b]) for a, b in pairwise(edges)]
    found = Rows.filled(NETWORK, pieces, COUNT, np.dtype(float))
    np.testing.assert_array_equal(found.inputs, rows.inputs)
    np.testing.assert_array_equal(found.targets, rows.targets)


def test_without_a_bias_there_is_no_row_of_ones() -> None:
    inputs, targets = Rows.of(NO_BIAS, X, Y, np.dtype("f4")).columns
    np.testing.assert_array_equal(inputs, X.T.astype("f4"))
    np.testing.assert_array_equal(targets, Y.T.astype("f4"))


@pytest.mark.parametrize("count", [1, 7, 1500, COUNT, 3 * COUNT])
def test_rows_are_taken_in_the_order_of_the_index(rows: Rows, count: int) -> None:
    index = np.random.default_rng(1).integers(COUNT, size=count)
    taken = rows.take(index)
    inputs, targets = taken.columns
    np.testing.assert_array_equal(inputs[:2].T, X[index])
    np.testing.assert_array_equal(targets.T, Y[index])
    np.testing.assert_array_equal(taken.weight, WEIGHT[index])
    assert len(taken) == count
    assert np.isfinite(taken.inputs).all()


@pytest.mark.parametrize("dtype", [np.dtype("f4"), np.dtype("f8")])
@given(count=st.integers(0, 10**6), most=st.integers(1, 50))
def test_blocks_are_few_equal_and_fit_cache_lines(count: int, most: int, dtype: np.dtype) -> None:
    line = CACHE_LINE // dtype.itemsize
    most *= line
    size = equal_size(count, most, dtype)
    blocks, fewest = -(-count // size), -(-count // most)
    assert 1 <= size <= most
    assert fewest <= blocks <= fewest + 3
    if fewest == 1:
        assert size == count
    if fewest > 2:
        quarters = -(-fewest // 4) * 4
        assert blocks <= quarters
        assert size - 2 * line < count / quarters <= size
    if fewest > 1 and size < most:
        assert size % (2 * line) == line


@pytest.mark.parametrize("dtype", [np.dtype("f4"), np.dtype("f8")])
def test_every_input_of_a_block_begins_at_a_cache_line(dtype: np.dtype) -> None:
    network = Network((Layer(3, 50, Tanh()), Layer(50, 2, Identity())), HalfSquaredError())
    rows = Rows.of(network, np.zeros((4000, 3)), np.zeros((4000, 2)), dtype)
    for start in range(0, 4000, rows.block_size):
        block = rows.block(start, min(4000, start + rows.block_size))
        for array in (block.inputs, block.targets):
            assert array.__array_interface__["data"][0] % CACHE_LINE == 0
            assert array.strides[0] % CACHE_LINE == 0
