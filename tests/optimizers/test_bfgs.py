from __future__ import annotations

import numpy as np
from descents import CURVED, QUADRATIC, hessian, objective, path, start, step

from bpcli.optimizers.bfgs import Bfgs, _updated


def textbook_update(H: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Nocedal & Wright 2006, eq. 6.17."""
    rho = 1 / (s @ y)
    left = np.eye(s.size) - rho * np.outer(s, y)
    return left @ H @ left.T + rho * np.outer(s, s)


def test_the_update_is_the_textbooks() -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    H, s = root @ root.T, rng.normal(size=6)
    y = s + 0.1 * rng.normal(size=6)
    np.testing.assert_allclose(_updated(H, s, y), textbook_update(H, s, y), rtol=1e-12)
    np.testing.assert_allclose(_updated(H, s, y) @ y, s, rtol=1e-9)  # the secant equation, 6.2


def test_directions_come_from_the_updates_of_all_steps_so_far() -> None:
    fit = objective(CURVED, l2=0.1)
    points, _ = path(Bfgs(), fit, start(CURVED), 25)
    g, moves = [fit.grad(point) for point in points], np.diff(points, axis=0)
    H = np.eye(CURVED.n_params)
    for k, move in enumerate(moves):
        if k:
            s, y = moves[k - 1], g[k] - g[k - 1]
            H = textbook_update(s @ y / (y @ y) * H if k == 1 else H, s, y)
        d = -H @ g[k]
        np.testing.assert_allclose(move / np.linalg.norm(move), d / np.linalg.norm(d), atol=1e-8)


def test_on_a_quadratic_it_learns_the_inverse_hessian() -> None:
    class Exact(Bfgs):
        flatness = 1e-11

    fit, params = objective(QUADRATIC), start(QUADRATIC)
    state = Exact().init(params)
    for _ in range(params.size):  # Nocedal & Wright 2006, theorem 6.4
        params, state = step(Exact(), fit, params, state, np.asarray(np.nan))
    np.testing.assert_allclose(state["H"] @ hessian(fit), np.eye(params.size), atol=1e-6)
    assert np.linalg.norm(fit.grad(params)) < 1e-9


def test_its_state_is_as_large_as_it_says() -> None:
    for dtype in ("f8", "f4"):
        params = start(CURVED, dtype)
        states = sum(slot.nbytes for slot in Bfgs().init(params).values() if slot.ndim)
        assert Bfgs().memory_bytes(params.size, params.itemsize) == 3 * states
