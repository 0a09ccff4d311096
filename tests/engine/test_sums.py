"""Sums over rows: the right ones, and the same bits whoever computes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import Problem, problems

from bpcli.engine import passes
from bpcli.engine.pool.base import SerialPool, WorkerPool
from bpcli.engine.rows import Rows
from bpcli.engine.sums import RowSums
from bpcli.nn import propagation
from bpcli.nn.activations import ACTIVATIONS, Identity, Tanh
from bpcli.nn.losses import LOSSES, HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import Workspace, predict
from bpcli.optimizers import GradientDescent
from bpcli.training.batches import Batches
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training

WIDE = Network((Layer(10, 32, Tanh()), Layer(32, 3, Identity())), HalfSquaredError())


ROWS = 9_000


def rows_of(network: Network, dtype: str = "f8", count: int = ROWS) -> Rows:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(count, network.inputs)), rng.normal(size=(count, network.outputs))
    return Rows.of(network, X, Y, np.dtype(dtype))


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_any_pool_gives_the_same_bits(some_pool: WorkerPool, dtype: str) -> None:
    data = rows_of(WIDE, dtype)
    shared, alone = (
        NetworkObjective(WIDE, data, l2=0.1, pool=who) for who in (some_pool, SerialPool())
    )
    assert len(shared.plan.shards) > 4
    for seed in range(3):
        params = np.random.default_rng(seed).normal(size=WIDE.n_params).astype(dtype)
        np.testing.assert_array_equal(shared.grad(params), alone.grad(params))
        np.testing.assert_array_equal(shared.outputs(params), alone.outputs(params))
        assert shared.value(params) == alone.value(params)
        ours, theirs = shared.value_and_grad(params), alone.value_and_grad(params)
        assert ours.value == theirs.value
        np.testing.assert_array_equal(ours.grad, theirs.grad)
        assert shared.mean_loss(params) == alone.mean_loss(params)


@pytest.mark.parametrize("batches", [Batches(size=4000), Batches(size=2500, sampling="random")])
@pytest.mark.parametrize("update", ["simultaneous", "layerwise"])
def test_mini_batches_and_layerwise_updates_give_the_same_bits(
    some_pool: WorkerPool, batches: Batches, update: str
) -> None:
    def trained(who: WorkerPool) -> np.ndarray:
        training = Training(
            NetworkObjective(WIDE, rows_of(WIDE), pool=who),
            GradientDescent(momentum=0.5, update=update),  # type: ignore[arg-type]
            np.random.default_rng(1).normal(size=WIDE.n_params),
            learning_rate=0.05,
            batches=batches,
            rng=np.random.default_rng(2),
        )
        return training.advance(training.start, 3).params

    np.testing.assert_array_equal(trained(some_pool), trained(SerialPool()))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_gives_the_same_bits(activation: str, some_pool: WorkerPool) -> None:
    network = Network(
        (Layer(10, 32, ACTIVATIONS[activation]()), Layer(32, 3, Identity())), LOSSES["huber"]()
    )
    params = np.random.default_rng(1).normal(size=network.n_params)
    data = rows_of(network)
    np.testing.assert_array_equal(
        NetworkObjective(network, data, pool=some_pool).grad(params),
        NetworkObjective(network, data).grad(params),
    )


def test_partial_gradients_of_a_large_network_are_added_in_slices(some_pool: WorkerPool) -> None:
    network = Network((Layer(300, 100, Tanh()), Layer(100, 10, Identity())), HalfSquaredError())
    params = np.random.default_rng(1).normal(size=network.n_params)
    data = rows_of(network)
    alone = NetworkObjective(network, data)
    np.testing.assert_array_equal(
        NetworkObjective(network, data, pool=some_pool).grad(params), alone.grad(params)
    )
    first, rest = np.arange(2000), np.arange(2000, ROWS)
    halves = alone.rows(first).grad(params) * 2000 + alone.rows(rest).grad(params) * (ROWS - 2000)
    np.testing.assert_allclose(alone.grad(params), halves / ROWS, rtol=1e-9, atol=1e-12)


def test_millions_of_parameters_are_not_too_many(some_pool: WorkerPool) -> None:
    network = Network((Layer(1500, 3000, Tanh()), Layer(3000, 1, Identity())), HalfSquaredError())
    params = np.random.default_rng(1).normal(size=network.n_params).astype("f4")
    data = rows_of(network, "f4", 1600)
    shared, alone = (NetworkObjective(network, data, pool=who) for who in (some_pool, SerialPool()))
    assert len(shared.plan.shards) > 1
    np.testing.assert_array_equal(shared.grad(params), alone.grad(params))


# The sums themselves.


def row_by_row(problem: Problem, index: np.ndarray) -> tuple[float, np.ndarray]:
    """Loss and gradient added up over single rows, by the kernel's own passes."""
    network, params = problem.network, problem.params
    data = Rows.of(network, problem.X, problem.Y, np.dtype(float), problem.weight)
    loss, grad = 0.0, np.zeros(network.n_params)
    for row in index:
        work = Workspace(network, params.copy())
        work.fit(1)
        block = data.empty_block(1)
        data.gather(np.array([row]), block)
        propagation.forward(work, block.inputs)
        loss += propagation.loss_sum(work, block.targets, block.weight)
        propagation.backward(work, block.targets, block.weight)
        grad += work.grad
    return float(loss), grad


@pytest.mark.parametrize("is_recorded", [True, False])
@given(problem=problems())
@settings(max_examples=40)
def test_sums_are_those_of_the_single_rows(is_recorded: bool, problem: Problem) -> None:
    data = Rows.of(problem.network, problem.X, problem.Y, np.dtype(float), problem.weight)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "_RECORDED_BYTES", passes._RECORDED_BYTES if is_recorded else 0)
        row_sums = RowSums(problem.network, data, np.dtype(float), SerialPool())
    n = len(data)
    for index in (None, np.array([n - 1, 0, 0])[:n]):
        loss, grad = row_by_row(problem, np.arange(n) if index is None else index)
        assert row_sums.loss(problem.params, index) == pytest.approx(loss, rel=1e-12, abs=1e-12)
        found = row_sums.grad(problem.params, index)
        np.testing.assert_allclose(found, grad, rtol=1e-9, atol=1e-11)
        both = row_sums.loss_and_grad(problem.params, index)
        assert both[0] == pytest.approx(loss, rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(both[1], grad, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("count", [200, ROWS])
def test_the_outputs_are_those_of_the_latest_parameters(count: int) -> None:
    row_sums = RowSums(WIDE, rows_of(WIDE, count=count), np.dtype(float), SerialPool())
    X = np.random.default_rng(0).normal(size=(count, WIDE.inputs))
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, WIDE.n_params))
    some = np.arange(count)[: -count // 2 : -1]
    for params in (one, other, one):
        for meddle in (row_sums.grad, row_sums.loss_and_grad, lambda p: row_sums.loss(p, some)):
            row_sums.loss(params)
            meddle(other)
            np.testing.assert_allclose(row_sums.Z(params).T, predict(WIDE, params, X), rtol=1e-9)
            row_sums.loss(params, some)
            np.testing.assert_allclose(row_sums.Z(params).T, predict(WIDE, params, X), rtol=1e-9)
            meddle(other)
            np.testing.assert_allclose(row_sums.Z(other).T, predict(WIDE, other, X), rtol=1e-9)


def test_the_loss_of_some_rows_has_nothing_of_a_loss_before() -> None:
    params, index = np.ones(WIDE.n_params), np.arange(4000)
    used, fresh = (RowSums(WIDE, rows_of(WIDE), np.dtype(float), SerialPool()) for _ in range(2))
    assert used.loss(params) != used.loss(params, index) == fresh.loss(params, index)


def test_outputs_that_are_there_are_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    row_sums = RowSums(WIDE, rows_of(WIDE), np.dtype(float), SerialPool())
    params = np.ones(WIDE.n_params)
    row_sums.loss(params)
    calls: list[int] = []
    monkeypatch.setattr(row_sums, "_pass_over_shards", calls.append)
    row_sums.Z(params)
    assert not calls
    row_sums.Z(params.copy())
    assert len(calls) == 1


def test_a_wrong_backward_pass_is_not_recorded() -> None:
    called: list[int] = []

    def wrong(work: Workspace, y: np.ndarray, row_weight: np.ndarray | None) -> None:
        propagation.backward(work, y, row_weight)
        called.append(work.samples)

    row_sums = RowSums(WIDE, rows_of(WIDE, count=50), np.dtype(float), SerialPool(), wrong)
    for _ in range(3):
        row_sums.grad(np.ones(WIDE.n_params))
    assert called == [50] * 3
