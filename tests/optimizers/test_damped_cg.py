from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pools import POOLS
from squares import WIDE, wide_rows

from bpcli.engine.pool.base import WorkerPool
from bpcli.nn.arrays import Vector
from bpcli.optimizers.damped_cg import DampedStep, Product, solve_by_cg
from bpcli.training.objective import NetworkObjective

DAMPINGS = [0.1, 0.2, 0.8, 6.4, 102.4, 1e6]


def spd(size: int, seed: int, rank: int | None = None) -> np.ndarray:
    """A positive semidefinite matrix whose eigenvalues are not all alike."""
    rng = np.random.default_rng(seed)
    J = rng.normal(size=(rank or size + 3, size)) * np.geomspace(0.1, 3, size)
    return J.T @ J


def counted(H: np.ndarray) -> tuple[Product, list[Vector]]:
    """v ↦ H v in the matrix's dtype, and the directions so far."""
    seen: list[Vector] = []
    return lambda v: (seen.append(v.copy()), H @ v)[1], seen


def model_decrease(H: np.ndarray, b: np.ndarray, d: np.ndarray) -> float:
    return float(b @ d - 0.5 * d @ H @ d)


@given(st.integers(1, 12), st.integers(0, 10**6), st.booleans())
def test_run_to_the_end_it_solves_every_system(size: int, seed: int, is_singular: bool) -> None:
    H = spd(size, seed, max(1, size // 2) if is_singular else None)
    b = np.random.default_rng(seed + 1).normal(size=size)
    product, seen = counted(H)
    found = solve_by_cg(product, b, DAMPINGS, tolerance=0, most=20 * size)
    for mu, one in zip(DAMPINGS, found, strict=True):
        expected = np.linalg.solve(H + mu * np.eye(size), b)
        np.testing.assert_allclose(one.step, expected, rtol=1e-6, atol=1e-9 * abs(b).max())
        assert one.damping == mu
        assert one.decrease == pytest.approx(model_decrease(H, b, one.step), rel=1e-6)
    assert len(seen) <= 20 * size


@pytest.mark.parametrize("most", [1, 2, 5, 9])
def test_stopped_early_every_step_goes_down(most: int) -> None:
    H, b = spd(30, 0), np.random.default_rng(1).normal(size=30)
    product, seen = counted(H)
    found = solve_by_cg(product, b, DAMPINGS, tolerance=0, most=most)
    assert len(seen) == most
    for mu, one in zip(DAMPINGS, found, strict=True):
        assert b @ one.step > 0
        assert one.decrease == pytest.approx(model_decrease(H, b, one.step), rel=1e-10)
        assert 0 < one.decrease < model_decrease(H, b, np.linalg.pinv(H) @ b)
        alone = solve_by_cg(counted(H)[0], b, [mu], tolerance=0, most=most)[0]
        np.testing.assert_allclose(one.step, alone.step, rtol=1e-9, atol=1e-13)
    lengths = [np.linalg.norm(one.step) for one in found]
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize(("dtype", "rounding"), [("f8", 1e-11), ("f4", 3e-6)])
def test_the_decrease_is_that_of_the_step_however_the_iterations_are_rounded(
    dtype: str, rounding: float
) -> None:
    H, b = spd(300, 0).astype(dtype), np.random.default_rng(1).normal(size=300).astype(dtype)
    for one in solve_by_cg(counted(H)[0], b, [1e-3, 2e-3, 0.1], tolerance=0, most=50):
        expected = model_decrease(*(array.astype(float) for array in (H, b, one.step)))
        assert one.decrease == pytest.approx(expected, rel=rounding)


def test_its_first_step_is_that_of_steepest_descent() -> None:
    H, b = spd(5, 0), np.random.default_rng(1).normal(size=5)
    (found,) = solve_by_cg(counted(H)[0], b, [0.3], tolerance=0, most=1)
    np.testing.assert_allclose(found.step, b * (b @ b) / (b @ H @ b + 0.3 * b @ b), rtol=1e-14)


def test_a_larger_tolerance_takes_fewer_products_and_predicts_less() -> None:
    H, b = spd(300, 0), np.random.default_rng(1).normal(size=300)
    products, decreases = [], []
    for tolerance in (0.2, 5e-3, 1e-3, 0):
        product, seen = counted(H)
        (found,) = solve_by_cg(product, b, [0.1], tolerance, most=300)
        products.append(len(seen))
        decreases.append(found.decrease)
    assert products == sorted(products)
    assert products[0] == 6, "five iterations are looked back on at least"
    assert products[1] < products[2] < products[3] == 300
    assert decreases == sorted(decreases)


def test_it_ends_when_b_is_an_eigenvector() -> None:
    product, seen = counted(np.diag([2.0, 3.0]))
    (found,) = solve_by_cg(product, np.array([0.0, 4.0]), [1.0], tolerance=0, most=100)
    assert found.step.tolist() == [0, 1]
    assert len(seen) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_products_that_are_not_finite_give_no_step(value: float) -> None:
    b = np.ones(3)
    (found,) = solve_by_cg(lambda v: value * v, b, [1.0], tolerance=0, most=9)
    assert not found.step.any()
    assert found.decrease == 0


def test_it_changes_nothing_that_it_was_given() -> None:
    H, b = spd(6, 0), np.random.default_rng(1).normal(size=6)
    kept = b.copy()
    results: list[tuple[Vector, Vector]] = []

    def product(v: Vector) -> Vector:
        Hv = H @ v
        Hv.flags.writeable = False
        results.append((Hv, Hv.copy()))
        return Hv

    b.flags.writeable = False
    solve_by_cg(product, b, DAMPINGS, tolerance=0, most=6)
    np.testing.assert_array_equal(b, kept)
    for Hv, copy in results:
        np.testing.assert_array_equal(Hv, copy)


def steps_for(dtype: str, count: int = 3000, pool: WorkerPool | None = None) -> list[DampedStep]:
    objective = NetworkObjective(
        WIDE, wide_rows(count, dtype), l2=0.1, pool=pool, shares_products=pool is not None
    )
    params = np.random.default_rng(1).normal(0, 0.5, WIDE.n_params).astype(dtype)
    dampings = [objective.gauss_newton_scale * mu for mu in (1.0, 8.0, 1000.0)]
    return solve_by_cg(
        lambda v: objective.gauss_newton_product(params, v),
        -objective.grad(params),
        dampings,
        tolerance=0,
        most=200,
    )


steps_alone = cache(steps_for)
"""Computed once: they are the same for every pool that is compared with one process."""


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_any_pool_gives_the_same_bits(pool: Callable[[], WorkerPool], dtype: str) -> None:
    with closing(pool()) as workers:
        shared = steps_for(dtype, 9000, workers)
    for ours, theirs in zip(shared, steps_alone(dtype, 9000), strict=True):
        np.testing.assert_array_equal(ours.step, theirs.step)
        assert ours.decrease == theirs.decrease


def test_of_a_network_it_gives_the_steps_of_levenberg_marquardt() -> None:
    objective = NetworkObjective(WIDE, wide_rows(3000), l2=0.1)
    params = np.random.default_rng(1).normal(0, 0.5, WIDE.n_params)
    model = objective.gauss_newton(params)
    for one, mu in zip(steps_for("f8"), (1.0, 8.0, 1000.0), strict=True):
        damped = model.hessian + mu * model.scale * np.eye(WIDE.n_params)
        expected = np.linalg.solve(damped, -model.grad)
        assert np.linalg.norm(one.step - expected) <= 1e-6 * np.linalg.norm(expected)


def test_float32_stays_float32_and_close() -> None:
    for single, double in zip(steps_for("f4"), steps_for("f8"), strict=True):
        assert single.step.dtype == np.float32
        assert single.decrease == pytest.approx(double.decrease, rel=1e-2)
        distance = np.linalg.norm(single.step - double.step)
        assert distance <= 0.1 * np.linalg.norm(double.step)
