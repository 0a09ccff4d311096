from __future__ import annotations

import numpy as np
import pytest
from descents import CURVED, objective, path, start, step
from hypothesis import given
from hypothesis import strategies as st

from bpcli.optimizers.base import State
from bpcli.optimizers.lbfgs import Lbfgs, _times_inverse_hessian, _with_pair
from bpcli.training.objective import Evaluation


def dense_inverse_hessian(S: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Nocedal & Wright 2006, eq. 7.16 with 7.20, as matrices."""
    size = S.shape[1]
    H = np.eye(size)
    for number, (s, y) in enumerate(zip(S, Y, strict=True)):
        if number == 0:
            H *= S[-1] @ Y[-1] / (Y[-1] @ Y[-1])
        V = np.eye(size) - np.outer(y, s) / (y @ s)
        H = V.T @ H @ V + np.outer(s, s) / (y @ s)
    return H


def by_two_loops(v: np.ndarray, S: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Nocedal & Wright 2006, Algorithm 7.4."""
    weights = []
    for s, y in zip(S[::-1], Y[::-1], strict=True):
        weights.append(s @ v / (s @ y))
        v = v - weights[-1] * y
    if len(S):
        v = S[-1] @ Y[-1] / (Y[-1] @ Y[-1]) * v
    for s, y, weight in zip(S, Y, reversed(weights), strict=True):
        v = v + (weight - y @ v / (s @ y)) * s
    return v


def with_pairs(S: np.ndarray, Y: np.ndarray, memory: int) -> State:
    """The state after these steps."""
    state = Lbfgs(memory).init(S[0] if len(S) else np.zeros(S.shape[1], S.dtype))
    for s, y in zip(S, Y, strict=True):
        state = {**state, **_with_pair(state, s, y)}
    return state


def pairs_of(
    seed: int, pairs: int, size: int, condition: float, dtype: type
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """S, Y and a vector: steps of very different lengths on a quadratic of this condition."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(size, size)))[0]
    hessian = axes * np.geomspace(1, condition, size) @ axes.T
    S = rng.normal(size=(pairs, size)) * 10.0 ** rng.uniform(-8, 0, (pairs, 1))
    return S.astype(dtype), (S @ hessian).astype(dtype), rng.normal(size=size).astype(dtype)


@given(seed=st.integers(0, 2**32 - 1), pairs=st.integers(0, 6), size=st.integers(1, 8))
def test_the_compact_form_multiplies_by_the_inverse_hessian(
    seed: int, pairs: int, size: int
) -> None:
    S, Y, v = pairs_of(seed, pairs, size, 10.0, np.float64)
    expected = dense_inverse_hessian(S, Y) @ v
    found = _times_inverse_hessian(v, with_pairs(S, Y, 6))
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7 * np.linalg.norm(expected))


@pytest.mark.parametrize(
    ("pairs", "memory", "size", "condition"),
    [
        (0, 1, 3, 1e2),
        (1, 1, 3, 1e2),
        (5, 1, 3, 1e2),
        (2, 10, 40, 1e4),
        (25, 10, 40, 1e4),
        (50, 50, 3, 1e2),  # nearly dependent pairs
        (80, 50, 3, 1e6),
        (50, 50, 200, 1e6),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_is_the_two_loop_recursion_to_rounding(
    pairs: int, memory: int, size: int, condition: float, dtype: type
) -> None:
    for seed in range(20):
        S, Y, v = pairs_of(seed, pairs, size, condition, dtype)
        found = _times_inverse_hessian(v, with_pairs(S, Y, memory))
        assert found.dtype == dtype
        exact = [array[-memory:].astype(np.longdouble) for array in (S, Y)]
        expected = by_two_loops(v.astype(np.longdouble), *exact)
        error = np.linalg.norm((found - expected).astype(float))
        assert error <= 100 * np.finfo(dtype).eps * np.linalg.norm(expected.astype(float))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_single_precision_keeps_pairs_whose_products_it_cannot_hold(scale: float) -> None:
    S, Y, v = pairs_of(0, 12, 20, 1e2, np.float64)
    small = [array.astype(np.float32) for array in (S, scale * Y, scale * v)]
    found = _times_inverse_hessian(small[2], with_pairs(*small[:2], memory=10))
    expected = by_two_loops(v, S[-10:], Y[-10:])
    assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected)


@pytest.mark.parametrize("memory", [1, 4])
def test_directions_come_from_the_latest_pairs(memory: int) -> None:
    fit = objective(CURVED, l2=0.1)
    points, _ = path(Lbfgs(memory), fit, start(CURVED), 25)
    S = np.diff(points, axis=0)
    g = np.array([fit.grad(point) for point in points])
    Y = np.diff(g, axis=0)
    for k, move in enumerate(S):
        latest = slice(max(0, k - memory), k)
        d = -dense_inverse_hessian(S[latest], Y[latest]) @ g[k]
        np.testing.assert_allclose(move / np.linalg.norm(move), d / np.linalg.norm(d), atol=1e-8)


class Roof:
    """-|x|, whose gradient never grows along a step: there is no curvature to learn from."""

    def value_and_grad(self, x: np.ndarray) -> Evaluation:
        return Evaluation(-float(np.abs(x).sum()), -np.sign(x), 0.0)


def test_a_pair_without_curvature_is_not_remembered() -> None:
    x = np.array([1.0, 2.0])
    end, state = step(Lbfgs(), Roof(), x, Lbfgs().init(x), np.asarray(np.nan))
    assert (end > x).all()
    assert not any(state[name].any() for name in ("pairs", "R_inverse", "YYT"))


def test_its_state_is_as_large_as_it_says() -> None:
    params = start(CURVED, "f4")
    states = sum(slot.nbytes for slot in Lbfgs(3).init(params).values() if slot.ndim)
    assert Lbfgs(3).memory_bytes(params.size, params.itemsize) == 3 * states


def test_the_step_length_is_in_the_log() -> None:
    fit, x = objective(CURVED), start(CURVED)
    end, state = step(Lbfgs(), fit, x, Lbfgs().init(x), np.asarray(np.nan))
    length = np.linalg.norm(end - x) / np.linalg.norm(fit.grad(x))
    assert Lbfgs().diagnostics(state, None) == {"step_length": pytest.approx(length)}
