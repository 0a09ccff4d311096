from __future__ import annotations

import numpy as np
import pytest

from bpcli.optimizers.quadratic import Dense, Products, solver


@pytest.mark.parametrize("size", [1, 30, 499, 500, 700])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_damped_equations_are_solved(size: int, dtype: str) -> None:
    rng = np.random.default_rng(size)
    J, b = rng.normal(size=(size, size + 5)), rng.normal(size=size).astype(dtype)
    H = (J @ J.T).astype(dtype)
    solve, before = solver(H), H.copy()
    for shift in (0.5, 5.0):
        x = solve(shift, b)
        assert x.dtype == dtype
        tolerance = 1e-10 if dtype == "f8" else 1e-2
        np.testing.assert_allclose(H @ x + shift * x, b, atol=tolerance)
    np.testing.assert_array_equal(H, before)


@pytest.mark.parametrize("size", [2, 600])
def test_equations_without_a_solution_give_nothing_finite(size: int) -> None:
    singular = np.zeros((size, size))
    assert not np.isfinite(solver(singular)(0.0, np.ones(size))).any()
    assert not np.isfinite(solver(np.full((size, size), np.nan))(1.0, np.ones(size))).any()


def products_of(H: np.ndarray) -> Products:
    grad = np.random.default_rng(2).normal(size=len(H))
    return Products(1.0, grad, lambda v: H @ v, 0.5)


def test_products_give_the_steps_of_the_matrix() -> None:
    """Two batches of dampings: the steps are those of the direct solver, to the tolerance."""
    rng = np.random.default_rng(1)
    J = rng.normal(size=(6, 40))
    H = J @ J.T
    model = products_of(H)
    dense = Dense(1.0, model.grad, H, 0.5)
    dampings = [10.0**power for power in range(-3, 4)]
    for ours, theirs in zip(model.steps(dampings), dense.steps(dampings), strict=True):
        assert ours.damping == theirs.damping
        np.testing.assert_allclose(ours.step, theirs.step, rtol=1e-6)
        assert ours.decrease == pytest.approx(theirs.decrease, rel=1e-6)


def test_the_curvature_along_the_gradient_is_computed_once() -> None:
    calls: list[int] = []
    H, grad = np.diag([4.0, 1.0]), np.array([1.0, 1.0])
    model = Products(1.0, grad, lambda v: (calls.append(1), H @ v)[1], 0.5)
    assert model.largest == model.largest == pytest.approx(2.5 / 0.5)
    assert model.typical == pytest.approx(0.5)
    assert len(calls) == 1


def test_the_typical_entry_ignores_dead_parameters() -> None:
    H = np.diag([0.0, 4.0, 1.0, 0.0])
    assert Dense(1.0, np.ones(4), H, 0.5).typical == pytest.approx(2 / 0.5)
    assert Dense(1.0, np.ones(4), H, 0.5).largest == 8.0
    assert Dense(1.0, np.ones(4), 0 * H, 0.5).typical == 0.0
