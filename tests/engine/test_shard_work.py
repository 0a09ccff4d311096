"""The sums of single shards are those that a pool adds up, also in another process."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from bpcli.engine.pool.base import SerialPool
from bpcli.engine.rows import Rows
from bpcli.engine.shard_work import ShardWork
from bpcli.engine.sums import RowSums
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network

WIDE = Network((Layer(10, 32, Tanh()), Layer(32, 3, Identity())), HalfSquaredError())


class Counter:
    width = 2

    def sums(self, start: int, stop: int, Z: np.ndarray) -> np.ndarray:
        return np.array([stop - start, Z.sum()])


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_the_sums_of_all_shards_are_those_of_a_pool(dtype: str) -> None:
    rng = np.random.default_rng(0)
    data = Rows.of(WIDE, rng.normal(size=(9_000, 10)), rng.normal(size=(9_000, 3)), np.dtype(dtype))
    params = rng.normal(size=WIDE.n_params).astype(dtype)
    sums = RowSums(WIDE, data, data.dtype, SerialPool(), tallies=[Counter()])
    work = ShardWork(WIDE, data, data.dtype, (Counter(),))
    work.sums(0, params, loss=True, grad=True)  # makes its buffers, which are not pickled
    work = pickle.loads(pickle.dumps(work))
    numbers = range(len(work.plan.shards))
    assert len(numbers) > 4
    shards = {
        number: work.sums(number, params, loss=True, grad=True) for number in reversed(numbers)
    }
    loss, grad = sums.loss_and_grad(params)
    assert sum(shards[number].loss for number in numbers) == loss
    np.testing.assert_array_equal(np.add.reduce([shards[n].grad for n in numbers], axis=0), grad)
    groups = range(len(work.tally_plan.groups))
    counts = {group: work.counts(group, params, 0) for group in reversed(groups)}
    tallies = np.add.reduce(np.concatenate([counts[group] for group in groups]), axis=0)
    np.testing.assert_array_equal(tallies, sums.tally(params, 0))
    only = work.sums(1, params, loss=True, grad=False)
    assert only.loss == shards[1].loss
    assert only.grad is None
