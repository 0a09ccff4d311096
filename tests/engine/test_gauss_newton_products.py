"""Products with the Gauss-Newton matrix: the matrix times the vector, whoever computes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from squares import WIDE, frozen_problem, hessian_of_squares, wide_rows, with_squares
from strategies import Problem, problems

from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.shards import ShardPlan
from bpcli.nn.activations import Identity
from bpcli.nn.losses import Huber
from bpcli.nn.network import Layer, Network
from bpcli.training.objective import NetworkObjective

PARAMS = np.random.default_rng(1).normal(0, 0.5, WIDE.n_params)


def direction(size: int, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=size)


@given(problems())
def test_it_is_the_matrix_times_the_direction(problem: Problem) -> None:
    problem = with_squares(problem)
    v = direction(problem.network.n_params)
    found = problem.objective().gauss_newton_product(problem.params, v)
    H = hessian_of_squares(problem)
    size = np.abs(H).dot(np.abs(v)).max()
    np.testing.assert_allclose(found, H.dot(v), rtol=1e-12, atol=1e-12 * size)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_over_many_rows_it_is_the_matrix_that_levenberg_marquardt_solves(
    reduction: str, l2: float
) -> None:
    """Three outputs, row weights, and several blocks."""
    objective = NetworkObjective(WIDE, wide_rows(3000), l2=l2, reduction=reduction)
    v = direction(WIDE.n_params)
    matrix = objective.gauss_newton(PARAMS)
    found = objective.gauss_newton_product(PARAMS, v)
    expected = matrix.hessian.dot(v)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
    assert objective.gauss_newton_scale == matrix.scale


def test_frozen_biases_neither_move_nor_have_curvature() -> None:
    problem = frozen_problem()
    objective, frozen = problem.objective(), problem.network.frozen
    v = direction(problem.network.n_params)
    found = objective.gauss_newton_product(problem.params, v)
    expected = objective.gauss_newton(problem.params).hessian.dot(v)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert not found[frozen].any()
    assert v[frozen].all(), "the direction is left as it was"


def test_it_is_new_memory_and_changes_no_vector_that_it_was_given() -> None:
    objective = NetworkObjective(WIDE, wide_rows(3000), l2=0.1)
    v, w = direction(WIDE.n_params), direction(WIDE.n_params, 3)
    given = PARAMS.tobytes(), v.tobytes()
    first = objective.gauss_newton_product(PARAMS, v)
    before = first.tobytes()
    objective.gauss_newton_product(PARAMS, w)
    objective.grad(PARAMS)
    assert first.tobytes() == before
    assert (PARAMS.tobytes(), v.tobytes()) == given


def test_gradients_and_products_at_other_parameters_do_not_disturb_it() -> None:
    used, v = NetworkObjective(WIDE, wide_rows(3000)), direction(WIDE.n_params)
    for params in (PARAMS, 2 * PARAMS, PARAMS):
        used.value_and_grad(0.5 * params)
        fresh = NetworkObjective(WIDE, wide_rows(3000)).gauss_newton_product(params, v)
        np.testing.assert_array_equal(used.gauss_newton_product(params, v), fresh)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("count", [300, 9000])
def test_any_pool_gives_the_same_bits(some_pool: WorkerPool, dtype: str, count: int) -> None:
    data, params = wide_rows(count, dtype), PARAMS.astype(dtype)
    assert (len(ShardPlan.of(count, data, WIDE).shards) > 4) == (count == 9000)
    shared = NetworkObjective(WIDE, data, l2=0.1, pool=some_pool, shares_products=True)
    alone = NetworkObjective(WIDE, data, l2=0.1)
    for seed in range(3):
        v = direction(WIDE.n_params, seed).astype(dtype)
        for at in (params, params, params + params.dtype.type(0.1)):
            ours, theirs = (o.gauss_newton_product(at, v) for o in (shared, alone))
            assert ours.dtype == dtype
            np.testing.assert_array_equal(ours, theirs)
            np.testing.assert_array_equal(shared.grad(at), alone.grad(at))


def test_of_some_rows_it_is_that_of_these_rows() -> None:
    whole, v = NetworkObjective(WIDE, wide_rows(3000), l2=0.1), direction(WIDE.n_params)
    index = np.array([5, 2999, 5, 7])
    batch = whole.rows(index)
    expected = batch.gauss_newton(PARAMS).hessian.dot(v)
    found = batch.gauss_newton_product(PARAMS, v)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def test_in_float32_it_is_close() -> None:
    v = direction(WIDE.n_params)
    exact = NetworkObjective(WIDE, wide_rows(500)).gauss_newton_product(PARAMS, v)
    single = NetworkObjective(WIDE, wide_rows(500, "f4")).gauss_newton_product(
        PARAMS.astype("f4"), v.astype("f4")
    )
    assert single.dtype == np.float32
    assert np.linalg.norm(single - exact) <= 1e-5 * np.linalg.norm(exact)


def test_other_losses_have_no_products() -> None:
    network = Network((Layer(2, 1, Identity()),), Huber())
    problem = Problem(network, np.ones(3), np.ones((2, 2)), np.ones((2, 1)), None, 0.0, "mean")
    with pytest.raises(ValueError, match="sum of squares"):
        problem.objective().gauss_newton_product(problem.params, np.ones(3))
