"""How rows are cut into shards."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.engine.rows import Rows, StreamedRows
from bpcli.engine.shards import (
    SERIAL_BELOW_SECONDS,
    ShardPlan,
    TallyPlan,
    estimated_seconds,
    shards_needed,
)
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network

SMALL = Network((Layer(3, 4, Tanh()), Layer(4, 1, Identity())), HalfSquaredError())
WIDE = Network((Layer(10, 32, Tanh()), Layer(32, 3, Identity())), HalfSquaredError())
DOUBLE = np.dtype(float)


def rows_of(network: Network, count: int) -> Rows:
    X, Y = np.zeros((count, network.inputs)), np.zeros((count, network.outputs))
    return Rows.of(network, X, Y, DOUBLE)


@pytest.mark.parametrize("network", [SMALL, WIDE])
@pytest.mark.parametrize("rows", [1, 7, 999, 5_003, 40_000])
def test_shards_are_whole_blocks_that_cover_every_row_once(network: Network, rows: int) -> None:
    data = rows_of(network, rows)
    for count in {rows, max(1, rows // 3)}:
        plan = ShardPlan.of(count, data, network)
        assert plan.block == data.block_size
        assert plan.shards[0][0] == 0
        assert plan.shards[-1][1] == count
        for (_, end), (start, _) in pairwise(plan.shards):
            assert end == start
            assert start % plan.block == 0
        assert all(start < end for start, end in plan.shards)


def test_small_work_is_one_shard_and_more_work_more() -> None:
    block = 128
    counts = [shards_needed(rows, WIDE, DOUBLE, block) for rows in (100, 10_000, 10**6, 10**8)]
    assert counts[0] == 1
    assert 1 < counts[1] <= 32
    assert all(32 < count <= 64 for count in counts[2:])


def test_a_plan_is_serial_just_below_a_millisecond() -> None:
    fastest = SERIAL_BELOW_SECONDS / estimated_seconds(1, WIDE)
    assert shards_needed(math.floor(fastest), WIDE, DOUBLE, 16) == 1
    assert shards_needed(math.ceil(fastest), WIDE, DOUBLE, 16) > 1


def test_the_estimate_counts_products_and_elements() -> None:
    one = estimated_seconds(1, WIDE)
    assert one == pytest.approx(6 * WIDE.n_params * 3e-11 + 35 * 6e-9)
    assert estimated_seconds(1000, WIDE) == pytest.approx(1000 * one)


@pytest.mark.parametrize("blocks", [2, 3, 4, 6, 7, 8, 12, 50, 64, 78, 100])
def test_shards_are_equal_or_at_least_even_in_number(blocks: int) -> None:
    count = shards_needed(10**7, WIDE, DOUBLE, -(-(10**7) // blocks))
    assert count <= min(blocks, 64)
    assert count % 2 == 0
    equal = [n for n in range(2, min(blocks, 64) + 1, 2) if blocks % n == 0]
    if equal and max(equal) > min(blocks, 64) // 2:
        assert count == max(equal)
    else:  # rather unequal than half as many
        assert count >= min(blocks, 64) - 1


def test_gradients_of_shards_take_no_more_memory_than_is_bearable() -> None:
    megabyte = 2**20
    for units, most in ((10_000, 128 * megabyte), (10**6, 128 * megabyte), (10**8, None)):
        network = Network(
            (Layer(1, units, Tanh()), Layer(units, 1, Identity())), HalfSquaredError()
        )
        count = shards_needed(10**6, network, DOUBLE, 100)
        if most is None:
            assert count == 1
        else:
            assert count * network.n_params * 8 <= most
            assert count > 1


@given(count=st.integers(1, 2_000_000), width=st.sampled_from([1, 30, 300]))
def test_pieces_of_a_tally_are_whole_blocks_of_all_rows_in_groups(count: int, width: int) -> None:
    network = Network((Layer(2, width, Tanh()), Layer(width, 1, Identity())), HalfSquaredError())
    data = StreamedRows.of(network, None, count, np.dtype("f8"))  # type: ignore[arg-type]
    plan = TallyPlan.of(data)
    starts, stops = zip(*plan.pieces, strict=True)
    assert (starts[0], stops[-1]) == (0, count)
    assert starts[1:] == stops[:-1]
    assert all(start % plan.block == 0 for start in starts)
    assert plan.piece_rows <= max(8192, plan.block)
    assert [end for _, end in plan.groups][-1] == len(plan.pieces)
    assert [start for start, _ in plan.groups] == [0, *(end for _, end in plan.groups[:-1])]
    assert 1 <= len(plan.groups) <= 64
