from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from squares import WIDE, frozen_problem, hessian_of_squares, wide_rows, with_squares
from strategies import Problem, problems

from bpcli.engine import gauss_newton
from bpcli.engine.dense_jacobian import DenseJacobian
from bpcli.engine.gauss_newton import (
    GaussNewtonSums,
    factor_bytes,
    factors_of,
    gauss_newton_tasks,
)
from bpcli.engine.layer_pairs import LayerPairs
from bpcli.engine.pool.base import SerialPool, WorkerPool
from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import LOSSES, Huber, Mse
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.base import GaussNewton
from bpcli.training.objective import NetworkObjective

SQUARES = ["mse", "squared_error", "half_squared_error"]


@pytest.fixture(params=[DenseJacobian, LayerPairs])
def factors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> object:
    """Both ways to make JᵀJ, whatever their estimated times."""
    monkeypatch.setattr(gauss_newton, "factors_of", lambda *_: request.param)
    return request.param


@pytest.mark.usefixtures("factors")
@given(problems())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_matrix_is_that_of_the_definition(problem: Problem) -> None:
    problem = with_squares(problem)
    objective = problem.objective()
    found = objective.gauss_newton(problem.params)
    np.testing.assert_allclose(found.hessian, hessian_of_squares(problem), rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(found.hessian, found.hessian.T)
    grad = objective.grad(problem.params)
    np.testing.assert_allclose(found.grad, grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("loss", SQUARES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_of_a_linear_network_it_is_the_hessian_in_closed_form(loss: str, reduction: str) -> None:
    """With identity outputs half the mean of squares has the Hessian XᵀX/n, ones among X."""
    rng = np.random.default_rng(0)
    network = Network((Layer(3, 1, Identity()),), LOSSES[loss]())
    X, Y, params = rng.normal(size=(50, 3)), rng.normal(size=(50, 1)), rng.normal(size=4)
    problem = Problem(network, params, X, Y, None, 0.7, reduction)
    ones = np.hstack([X, np.ones((50, 1))])
    halves = 1 if loss == "half_squared_error" else 2
    expected = halves * ones.T @ ones / 50 + 0.7 / 50 * np.diag([1, 1, 1, 0])
    expected *= 50 if reduction == "sum" else 1
    objective = problem.objective()
    np.testing.assert_allclose(objective.gauss_newton(params).hessian, expected, rtol=1e-12)
    for column, unit in zip(expected, np.eye(4), strict=True):
        np.testing.assert_allclose(
            objective.hessian_product(params, 3 * unit), 3 * column, rtol=1e-12, atol=1e-14
        )


@pytest.fixture(scope="module")
def wide_params() -> np.ndarray:
    return params_of("f8", 0)


def params_of(dtype: str, change: float) -> np.ndarray:
    params = np.random.default_rng(1).normal(0, 0.5, WIDE.n_params).astype(dtype)
    return params + params.dtype.type(change)


@pytest.fixture(scope="module")
def alone() -> Callable[..., GaussNewton]:
    """What one process finds, kept: it is the same for each pool that is compared with it."""

    @cache
    def sums(factors: object, dtype: str, change: float) -> GaussNewton:
        objective = NetworkObjective(WIDE, wide_rows(1200, dtype), l2=0.1, pool=SerialPool())
        return objective.gauss_newton(params_of(dtype, change))

    return sums


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_any_pool_gives_the_same_bits(
    some_pool: WorkerPool, dtype: str, factors: object, alone: Callable[..., GaussNewton]
) -> None:
    data = wide_rows(1200, dtype)  # two Jacobians
    shared = NetworkObjective(WIDE, data, l2=0.1, pool=some_pool, shares_jacobian=True)
    for change in (0, 0.1):
        theirs = alone(factors, dtype, change)
        ours = shared.gauss_newton(params_of(dtype, change))
        assert ours.hessian.dtype == dtype
        np.testing.assert_array_equal(ours.hessian, theirs.hessian)
        np.testing.assert_array_equal(ours.grad, theirs.grad)
        assert ours.scale == theirs.scale


@pytest.mark.usefixtures("factors")
def test_rows_taken_in_pieces_add_up(wide_params: np.ndarray) -> None:
    """Thousands of rows are several Jacobians; a batch may repeat rows and has its own weights."""
    data = wide_rows(3000)
    whole = NetworkObjective(WIDE, data, reduction="sum")
    parts = [np.arange(0, 1001), np.arange(1001, 3000)]
    together = sum(
        whole.rows(index).gauss_newton(wide_params).hessian
        * data.weight[index].sum() / len(index)
        for index in parts
    )  # fmt: skip
    mean = together / data.weight.sum() * 3000
    H = whole.gauss_newton(wide_params).hessian
    np.testing.assert_allclose(H, mean, rtol=1e-9, atol=1e-9)
    twice = whole.rows(np.array([5, 5, 7])).gauss_newton(wide_params).hessian
    once = [whole.rows(np.array([i])).gauss_newton(wide_params).hessian for i in (5, 7)]
    w5, w7 = data.weight[[5, 7]]
    expected = 3 * (2 * w5 * once[0] + w7 * once[1]) / (2 * w5 + w7)
    np.testing.assert_allclose(twice, expected, rtol=1e-9, atol=1e-12)


def test_frozen_biases_have_no_curvature() -> None:
    problem = frozen_problem()
    objective, frozen = problem.objective(), problem.network.frozen
    H = objective.gauss_newton(problem.params).hessian
    assert not H[frozen].any()
    assert not H[:, frozen].any()
    moving = np.setdiff1d(np.arange(9), frozen)
    free = hessian_of_squares(problem)[np.ix_(moving, moving)]
    np.testing.assert_allclose(H[np.ix_(moving, moving)], free, rtol=1e-12)
    only_frozen = np.isin(np.arange(9), frozen).astype(float)
    assert not objective.hessian_product(problem.params, only_frozen).any()
    assert not objective.hessian_product(problem.params, np.ones(9))[frozen].any()


@given(problems())
@settings(max_examples=50)
def test_a_hessian_product_is_the_change_of_the_gradient(problem: Problem) -> None:
    objective = problem.objective()
    rng = np.random.default_rng(0)
    v, h = rng.normal(size=problem.params.size), 1e-6
    smooth = {"identity", "sigmoid", "tanh", "softplus", "softmax", "elu"}
    names = {type(layer.activation).__name__.lower() for layer in problem.network.layers}
    if not names <= smooth or problem.loss_name in {"mae", "huber"}:
        return
    ahead, behind = (objective.grad(problem.params + s * h * v).copy() for s in (1, -1))
    expected = (ahead - behind) / (2 * h)
    found = objective.hessian_product(problem.params, v)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * max(1, abs(expected).max()))


def test_a_hessian_product_does_not_depend_on_the_length_of_the_direction() -> None:
    problem = frozen_problem()
    v = np.random.default_rng(1).normal(size=9)
    objective = problem.objective()
    product = objective.hessian_product(problem.params, v)
    for length in (1e-200, 1e200):
        np.testing.assert_allclose(
            objective.hessian_product(problem.params, length * v), length * product, rtol=1e-12
        )
    assert not objective.hessian_product(problem.params, np.zeros(9)).any()


def test_a_hessian_product_in_float32(wide_params: np.ndarray) -> None:
    v = np.random.default_rng(2).normal(size=WIDE.n_params)
    exact = NetworkObjective(WIDE, wide_rows(50)).hessian_product(wide_params, v)
    single = NetworkObjective(WIDE, wide_rows(50, "f4")).hessian_product(
        wide_params.astype("f4"), v.astype("f4")
    )
    assert single.dtype == np.float32
    assert np.linalg.norm(single - exact) <= 1e-5 * np.linalg.norm(exact)


def test_other_losses_have_no_gauss_newton_matrix() -> None:
    network = Network((Layer(2, 1, Identity()),), Huber())
    problem = Problem(network, np.ones(3), np.ones((2, 2)), np.ones((2, 1)), None, 0.0, "mean")
    with pytest.raises(ValueError, match="sum of squares"):
        problem.objective().gauss_newton(problem.params)


@pytest.mark.parametrize("shape", [(3, 5, 4, 2), (2, 30, 1), (1, 3, 8), (7, 2), (20, 9, 1)])
def test_both_ways_give_the_same_sums(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for layers of few units, many units, and many outputs."""
    layers = tuple(Layer(*sizes, Tanh()) for sizes in pairwise(shape))
    network, rng = Network(layers, Mse()), np.random.default_rng(0)
    X, Y = rng.normal(size=(1500, shape[0])), rng.normal(size=(1500, shape[-1]))
    rows, params = Rows.of(network, X, Y, X.dtype), rng.normal(size=network.n_params)
    found = []
    for kind in (DenseJacobian, LayerPairs):
        monkeypatch.setattr(gauss_newton, "factors_of", lambda *_, kind=kind: kind)
        sums = GaussNewtonSums(network, rows, SerialPool())
        sums.at(2 * params)
        found.append([np.array(part) for part in sums.at(params)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12 * abs(theirs).max())
    np.testing.assert_array_equal(found[1][0], found[1][0].T)


def test_the_way_is_chosen_by_its_time() -> None:
    """As measured: J itself for few parameters or rows, pairs for several outputs."""
    for rows, shape, expected in (
        (200, (1, 10, 1), DenseJacobian),
        (10_000, (1, 33, 1), DenseJacobian),
        (10_000, (8, 10, 1), DenseJacobian),
        (194, (2, 20, 20, 1), DenseJacobian),
        (10_000, (20, 45, 1), LayerPairs),
        (2_000, (6, 15, 3), LayerPairs),
        (2_000, (10, 20, 10), LayerPairs),
    ):
        network = Network(tuple(Layer(*sizes, Tanh()) for sizes in pairwise(shape)), Mse())
        assert factors_of(network, rows) is expected, shape


def test_memory_and_tasks_are_known_beforehand() -> None:
    assert OPTIMIZERS["levenberg_marquardt"]().memory_bytes(WIDE.n_params, 4) == 3 * 451**2 * 4
    # D has 32·33/2 rows, five strips, 32·3 and 3·4/2; and each layer has a gradient.
    assert gauss_newton_tasks(3000, WIDE) == 5 + 1 + 1 + 2
    assert gauss_newton_tasks(10, WIDE) == 1
    big = Network((Layer(300, 100, Tanh()), Layer(100, 10, Identity())), Mse())
    assert 8 < gauss_newton_tasks(300, big) <= 256


def test_many_layers_are_no_more_tasks_than_a_pool_takes(
    some_pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 layers are 300 pairs, each at least a strip."""
    monkeypatch.setattr(gauss_newton, "factors_of", lambda *_: LayerPairs)
    layers = tuple(Layer(3, 3, Tanh()) for _ in range(24))
    network, rng = Network(layers, Mse()), np.random.default_rng(0)
    X, params = rng.normal(size=(50, 3)), rng.normal(size=network.n_params)
    rows = Rows.of(network, X, X, X.dtype)
    assert LayerPairs.strips_of(network) == 128
    shared, alone = (GaussNewtonSums(network, rows, pool) for pool in (some_pool, SerialPool()))
    for ours, theirs in zip(shared.at(params), alone.at(params), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    exact = NetworkObjective(network, rows).grad(params)
    scale = 2 / 3 / 50
    np.testing.assert_allclose(scale * alone.at(params).JTr, exact, rtol=1e-9, atol=1e-15)


@pytest.mark.usefixtures("factors")
def test_factors_written_in_pieces_are_those_of_all_rows(some_pool: WorkerPool) -> None:
    """Few and narrow layers have many rows at once, which several workers write."""
    network = Network((Layer(3, 40, Tanh()), Layer(40, 2, Identity())), Mse())
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(2000, 3)), rng.normal(size=(2000, 2))
    rows = Rows.of(network, X, Y, X.dtype, rng.uniform(0.5, 2, 2000))
    params = rng.normal(size=network.n_params)
    fit = NetworkObjective(network, rows, pool=some_pool, shares_jacobian=True)
    assert fit._squares is not None
    assert max(len(chunk) for chunk in fit._squares.chunks) > 1
    found, v = fit.gauss_newton(params), rng.normal(size=network.n_params)
    np.testing.assert_allclose(found.grad, fit.grad(params), rtol=1e-10, atol=1e-13)
    product = fit.gauss_newton_product(params, v)
    np.testing.assert_allclose(found.hessian @ v, product, rtol=1e-10, atol=1e-12)


def test_the_memory_of_the_factors_is_bounded() -> None:
    dtype = np.dtype(float)
    for shape in ((784, 6, 10), (3000, 6, 5), (1000, 2, 1000), (1, 1000, 1), (20, 45, 1)):
        network = Network(tuple(Layer(*sizes, Tanh()) for sizes in pairwise(shape)), Mse())
        assert factor_bytes(network, 10_000, dtype) <= 2**28
