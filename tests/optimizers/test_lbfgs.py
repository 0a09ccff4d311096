from __future__ import annotations

import numpy as np
import pytest
from descents import CURVED, objective, path, start, step
from hypothesis import given
from hypothesis import strategies as st

from bpcli.optimizers.lbfgs import Lbfgs, _times_inverse_hessian
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


@given(seed=st.integers(0, 2**32 - 1), pairs=st.integers(0, 6), size=st.integers(1, 8))
def test_two_loops_multiply_by_the_inverse_hessian(seed: int, pairs: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size))
    S = rng.normal(size=(pairs, size))
    Y, v = S @ (root @ root.T + np.eye(size)), rng.normal(size=size)
    expected = dense_inverse_hessian(S, Y) @ v
    found = _times_inverse_hessian(v, S, Y)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7 * np.linalg.norm(expected))


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
    assert state["pairs"] == 0
    assert not state["S"].any()


def test_its_state_is_as_large_as_it_says() -> None:
    params = start(CURVED, "f4")
    states = sum(slot.nbytes for slot in Lbfgs(3).init(params).values() if slot.ndim)
    assert Lbfgs(3).memory_bytes(params.size, params.itemsize) == 3 * states


def test_the_step_length_is_in_the_log() -> None:
    fit, x = objective(CURVED), start(CURVED)
    end, state = step(Lbfgs(), fit, x, Lbfgs().init(x), np.asarray(np.nan))
    length = np.linalg.norm(end - x) / np.linalg.norm(fit.grad(x))
    assert Lbfgs().diagnostics(state, None) == {"step_length": pytest.approx(length)}
