from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from descents import CURVED, QUADRATIC, hessian, objective, path, start, step

from bpcli.optimizers.conjugate_gradient import ConjugateGradient

VARIANTS = ["polak_ribiere", "fletcher_reeves", "powell_beale"]
every_variant = pytest.mark.parametrize("variant", VARIANTS)


class Exact(ConjugateGradient):
    """Searches each line down to its minimum, but for rounding."""

    flatness = 1e-10


@every_variant
def test_on_a_quadratic_it_is_the_linear_method_and_ends_after_n_steps(variant: str) -> None:
    fit, x = objective(QUADRATIC), start(QUADRATIC)
    found, _ = path(Exact(variant), fit, x, fit.network.n_params)
    # Nocedal & Wright 2006, Algorithm 5.2: linear conjugate gradients.
    A, r = hessian(fit), fit.grad(x)
    p = -r
    for point in found:
        np.testing.assert_allclose(point, x, atol=1e-7)
        alpha = r @ r / (p @ A @ p)
        x, r_before, r = x + alpha * p, r, r + alpha * A @ p
        p = -r + r @ r / (r_before @ r_before) * p
    assert len(found) == fit.network.n_params + 1
    first, *_, last_but_one, last = (np.linalg.norm(fit.grad(point)) for point in found)
    assert last < np.sqrt(np.finfo(float).eps) * first  # a search by values resolves no more
    assert last_but_one > 1e-6 * first


def assert_parallel(a: np.ndarray, b: np.ndarray) -> None:
    np.testing.assert_allclose(a / np.linalg.norm(a), b / np.linalg.norm(b), atol=1e-6)


def directions(
    variant: str, steps: int, seed: int = 0
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The moves on a curved network, and the gradients before each and after all."""
    fit = objective(CURVED, l2=0.1)
    params = np.random.default_rng(seed).normal(0, 2, CURVED.n_params)
    points, ended = path(ConjugateGradient(variant), fit, params, steps)
    assert ended is None
    return list(np.diff(points, axis=0)), [fit.grad(point) for point in points]


def test_fletcher_reeves_and_its_restart_every_n_steps() -> None:
    moves, g = directions("fletcher_reeves", 60)
    d, size = np.zeros_like(g[0]), g[0].size
    for k, move in enumerate(moves):
        d = -g[k] if k % size == 0 else -g[k] + g[k] @ g[k] / (g[k - 1] @ g[k - 1]) * d
        assert_parallel(move, d)
    assert len(moves) > 2 * size


def test_polak_ribiere_restarts_where_beta_would_be_negative() -> None:
    moves, g = directions("polak_ribiere", 50, seed=4)
    d, betas = -g[0], []
    for k, move in enumerate(moves):
        if k:
            betas.append(g[k] @ (g[k] - g[k - 1]) / (g[k - 1] @ g[k - 1]))
            d = -g[k] + max(0, betas[-1]) * d
        assert_parallel(move, d)
    assert min(betas) < 0


def test_powell_beale_has_three_terms_and_restarts_by_powells_criteria() -> None:
    reasons = set()
    for seed in (2, 4, 8):
        moves, g = directions("powell_beale", 50, seed)
        y = [after - before for before, after in pairwise(g)]
        d, t = [-g[0]], 0
        for k, move in enumerate(moves):
            if k:
                beta = g[k] @ y[k - 1] / (d[-1] @ y[k - 1])
                two = -g[k] + beta * d[-1]
                three = two + g[k] @ y[t] / (d[t] @ y[t]) * d[t]
                square = g[k] @ g[k]
                if k - 1 == t:
                    reason = "two terms"
                elif abs(g[k] @ g[k - 1]) >= 0.2 * square:
                    reason = "not orthogonal"
                elif three @ g[k] > -0.8 * square:
                    reason = "not down"
                elif three @ g[k] < -1.2 * square:
                    reason = "too far down"
                else:
                    reason = "three terms"
                t = t if "terms" in reason else k - 1
                reasons.add(reason)
                d.append(three if reason == "three terms" else two)
            assert_parallel(move, d[-1])
    assert reasons == {"two terms", "three terms", "not orthogonal", "not down", "too far down"}


@pytest.mark.parametrize(("before", "after"), [(6, 7), (7, 8), (8, 1)])
def test_powell_beale_restarts_after_n_steps(before: int, after: int) -> None:
    fit, params = objective(QUADRATIC), start(QUADRATIC)
    optimizer = Exact("powell_beale")
    state = optimizer.init(params)
    for _ in range(3):
        params, state = step(optimizer, fit, params, state, np.asarray(np.nan))
    assert state["steps"] == 3
    state = {**state, "steps": np.asarray(before)}
    _, state = step(optimizer, fit, params, state, np.asarray(np.nan))
    assert params.size == 8
    assert state["steps"] == after
