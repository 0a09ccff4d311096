from __future__ import annotations

import numpy as np
import pytest

from bpcli.engine.passes import RecordedPass
from bpcli.engine.rows import Rows
from bpcli.engine.shards import ShardPlan, estimated_seconds
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.training.objective import NetworkObjective

WIDE = Network((Layer(10, 32, Tanh()), Layer(32, 3, Identity())), HalfSquaredError())
ROWS = 20_000
FLOAT = np.dtype(float)


@pytest.fixture(scope="module")
def wide_rows() -> Rows:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(ROWS, 10)), rng.normal(size=(ROWS, 3))
    return Rows.of(WIDE, X, Y, np.dtype(float))


def test_large_work_is_cut_into_equal_shards_and_small_work_is_not(wide_rows: Rows) -> None:
    plan = ShardPlan.of(ROWS, wide_rows, WIDE)
    assert 2 <= len(plan.shards) <= 64
    assert min(b - a for a, b in plan.shards) >= 500
    assert [row for a, b in plan.shards for row in (a, b)] == sorted(
        row for shard in plan.shards for row in shard
    )
    assert plan.shards[0][0] == 0
    assert plan.shards[-1][1] == ROWS
    assert all(start % wide_rows.block_size == 0 for start, _ in plan.shards)
    assert len({b - a for a, b in plan.shards[:-1]}) == 1
    assert len(ShardPlan.of(50, wide_rows, WIDE).shards) == 1


def test_partial_gradients_are_bounded_in_memory() -> None:
    big = Network((Layer(2000, 4000, Tanh()), Layer(4000, 1, Identity())), HalfSquaredError())
    plan = ShardPlan.of(100_000, Rows.of(big, np.zeros((9, 2000)), np.zeros((9, 1)), FLOAT), big)
    assert len(plan.shards) * big.n_params * 8 <= 128 * 2**20
    assert estimated_seconds(100_000, big) > 1


def test_shards_are_an_even_number() -> None:
    for units in range(1500, 2600, 100):
        network = Network((Layer(units, units, Tanh()),), HalfSquaredError())
        data = Rows.of(network, np.zeros((9, units)), np.zeros((9, units)), FLOAT)
        count = len(ShardPlan.of(100_000, data, network).shards)
        assert count == 1 or count % 2 == 0


def test_shards_have_as_many_blocks_each_where_memory_allows_fewer_shards_than_blocks() -> None:
    network = Network((Layer(784, 300, Tanh()), Layer(300, 10, Identity())), HalfSquaredError())
    for dtype, shards in ((np.dtype("f4"), 20), (np.dtype("f8"), 16)):
        data = Rows.of(network, np.zeros((60_000, 784), "f4"), np.zeros((60_000, 10), "f4"), dtype)
        plan = ShardPlan.of(len(data), data, network)
        assert len(plan.shards) == shards  # 80 blocks; partial gradients of 32 MiB hold 34 or 17
        assert {-(-(b - a) // plan.block) for a, b in plan.shards} == {80 // shards}


def test_shards_add_up_to_one_pass_over_all_rows(wide_rows: Rows) -> None:
    params = np.random.default_rng(1).normal(size=WIDE.n_params)
    sharded = NetworkObjective(WIDE, wide_rows).value_and_grad(params)
    halves = [
        NetworkObjective(WIDE, wide_rows).rows(np.arange(*half)).value_and_grad(params)
        for half in ((0, ROWS // 2), (ROWS // 2, ROWS))
    ]
    assert sharded.value == pytest.approx(np.mean([half.value for half in halves]), rel=1e-12)
    mean = (halves[0].grad + halves[1].grad) / 2
    np.testing.assert_allclose(sharded.grad, mean, rtol=1e-9, atol=1e-13)


def test_outputs_are_those_of_the_vector_asked_for_whatever_was_evaluated_before(
    wide_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, WIDE.n_params))
    expected = [
        NetworkObjective(WIDE, wide_rows).outputs(params).copy() for params in (first, second)
    ]
    passes: list[RecordedPass] = []
    forward = RecordedPass.forward
    monkeypatch.setattr(RecordedPass, "forward", lambda one: (passes.append(one), forward(one)))
    for evaluate in (NetworkObjective.value_and_grad, NetworkObjective.mean_loss):
        objective = NetworkObjective(WIDE, wide_rows)
        evaluate(objective, first)
        passes.clear()
        np.testing.assert_array_equal(objective.outputs(first), expected[0])
        assert not passes  # the loss went over all rows already
        objective.grad(second)
        objective.rows(np.arange(ROWS // 2)).value(second)
        np.testing.assert_array_equal(objective.outputs(first), expected[0])
        np.testing.assert_array_equal(objective.outputs(second), expected[1])


def small(**options: object) -> tuple[NetworkObjective, np.ndarray]:
    rng = np.random.default_rng(0)
    network = Network((Layer(2, 2, Tanh()), Layer(2, 1, Identity())), HalfSquaredError())
    rows = Rows.of(network, rng.normal(size=(6, 2)), rng.normal(size=(6, 1)), np.dtype(float))
    return NetworkObjective(network, rows, **options), rng.normal(size=network.n_params)


def test_value_and_gradient_agree_on_the_value() -> None:
    objective, params = small(l2=0.4, reduction="sum")
    assert objective.value(params) == objective.value_and_grad(params).value


def test_value_and_mean_loss_are_those_of_value_and_grad() -> None:
    objective, params = small(l2=0.4)
    evaluation = objective.value_and_grad(params)
    assert objective.value(params) == evaluation.value
    assert objective.mean_loss(params) == evaluation.mean_loss
    assert evaluation.mean_loss == objective.like().mean_loss(params)


def test_l2_of_a_mini_batch_uses_the_rows_of_the_whole_split() -> None:
    objective, params = small(l2=0.6)
    batch = objective.rows(np.array([0, 1]))
    W = np.concatenate([t.ravel() for n, t in objective.network.tensors(params) if n[0] == "W"])
    assert batch.penalty(params) == pytest.approx(0.6 / (2 * 6) * W @ W)
    assert objective.like(reduction="sum").penalty(params) == pytest.approx(0.6 / 2 * W @ W)


def test_an_evaluation_owns_its_gradient() -> None:
    objective, params = small()
    kept = objective.value_and_grad(params).grad
    before = kept.copy()
    objective.value_and_grad(params + 1)
    np.testing.assert_array_equal(kept, before)


def test_rows_keep_their_weights() -> None:
    rng = np.random.default_rng(0)
    network = Network((Layer(2, 1, Identity()),), HalfSquaredError())
    X, Y, weight = rng.normal(size=(5, 2)), rng.normal(size=(5, 1)), np.arange(1.0, 6)
    params, index = rng.normal(size=3), np.array([3, 0])

    def of(rows: np.ndarray) -> NetworkObjective:
        dtype = np.dtype(float)
        return NetworkObjective(network, Rows.of(network, X[rows], Y[rows], dtype, weight[rows]))

    assert of(np.arange(5)).rows(index).value(params) == of(index).value(params)
