from __future__ import annotations

import numpy as np
import pytest
from descents import CURVED, QUADRATIC, objective, passes_counted, path, start

from bpcli.optimizers import StepFailed
from bpcli.optimizers.base import Point
from bpcli.optimizers.scaled_conjugate_gradient import ScaledConjugateGradient
from bpcli.training.objective import Evaluation, NetworkObjective


def moeller(fit: NetworkObjective, w: np.ndarray, rounds: int) -> tuple[list[np.ndarray], set[str]]:
    """Møller 1993, steps 1 to 9, to the letter; and which of its branches were taken.

    Up to where a direction does not lead down, which the paper leaves open.
    """
    E, dE = fit.like().value, fit.like().grad
    sigma, lam, lam_bar = 5e-5, 5e-7, 0.0
    r = -dE(w)
    p, success, k = r, True, 1
    points, branches = [w], set()
    for _ in range(rounds):
        if success:
            sigma_k = sigma / np.linalg.norm(p)
            s = (dE(w + sigma_k * p) - dE(w)) / sigma_k
            delta = p @ s
        delta += (lam - lam_bar) * (p @ p)
        if delta <= 0:
            lam_bar = 2 * (lam - delta / (p @ p))
            delta = -delta + lam * (p @ p)
            lam = lam_bar
            branches.add("made positive")
        mu = p @ r
        if mu <= 0:
            branches.add("not down")
            break
        alpha = mu / delta
        comparison = 2 * delta * (E(w) - E(w + alpha * p)) / mu**2
        next_p = p
        if comparison >= 0:
            w = w + alpha * p
            r_before, r = r, -dE(w)
            lam_bar, success = 0.0, True
            is_restart = k % w.size == 0
            next_p = r if is_restart else r + (r @ r - r @ r_before) / mu * p
            branches |= {"restarted"} if is_restart else set()
            k += 1
            if comparison >= 0.75:
                lam /= 4
                branches.add("less damping")
        else:
            lam_bar, success = lam, False
            branches.add("failed")
        if comparison < 0.25:
            lam += delta * (1 - comparison) / (p @ p)
            branches.add("more damping")
        p = next_p
        points.append(w)
    return points, branches


def test_it_is_moellers_algorithm_and_steepest_descent_where_that_leads_nowhere() -> None:
    taken, compared = set(), 0
    for seed in range(12):
        fit = objective(CURVED, l2=0.1)
        w = np.random.default_rng(seed).normal(0, 2, CURVED.n_params)
        expected, branches = moeller(fit, w, 50)
        found, ended = path(ScaledConjugateGradient(), fit, w, 50)
        assert ended is None
        np.testing.assert_allclose(found[: len(expected)], expected, rtol=1e-5, atol=1e-5)
        taken, compared = taken | branches, compared + len(expected)
        if "not down" in branches:
            here, there = found[len(expected) - 1 : len(expected) + 1]
            cosine = (here - there) @ fit.grad(here)
            cosine /= np.linalg.norm(here - there) * np.linalg.norm(fit.grad(here))
            assert cosine == pytest.approx(1)
    assert compared > 300
    assert taken == {
        "made positive", "restarted", "less damping", "more damping", "failed", "not down",
    }  # fmt: skip


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_a_quadratic_is_at_its_minimum_after_n_steps(dtype: str) -> None:
    # Møller 1993, section 2: to within the damping and the differences, that is.
    fit = objective(QUADRATIC, dtype=dtype)
    points, _ = path(ScaledConjugateGradient(), fit, start(QUADRATIC, dtype), fit.network.n_params)
    exact = objective(QUADRATIC)
    first, last = (np.linalg.norm(exact.grad(points[i].astype(float))) for i in (0, -1))
    assert last < (1e-6 if dtype == "f8" else 1e-2) * first


def test_a_round_that_fails_moves_nothing_and_no_round_computes_twice() -> None:
    fit, calls = passes_counted(objective(CURVED, l2=0.1))
    params = np.random.default_rng(3).normal(0, 2, CURVED.n_params)
    optimizer, failures = ScaledConjugateGradient(), 0
    point, state = Point(params), optimizer.init(params)
    for number in range(50):
        had_moved, before = bool(state["has_moved"]), len(calls)
        end, after = optimizer.step(fit, point, state, np.asarray(np.nan))
        assert len(calls) - before == 1 + had_moved + (number == 0)
        assert (end.params is not point.params) == bool(after["has_moved"])
        if not after["has_moved"]:
            failures += 1
            assert after["damping"] > state["damping"]
        assert end.evaluation is not None
        point, state = end, after
    assert failures


class Uphill:
    """A bowl whose gradient has the wrong sign, or no number anywhere but at the start."""

    def __init__(self, elsewhere: float) -> None:
        self.elsewhere = elsewhere

    def grad(self, x: np.ndarray) -> np.ndarray:
        return -2 * x

    def value_and_grad(self, x: np.ndarray) -> Evaluation:
        here = float(x @ x)
        return Evaluation(here if here == 3 else here + self.elsewhere, self.grad(x), here)


@pytest.mark.parametrize("elsewhere", [0, np.nan, np.inf, -np.inf])
def test_damping_does_not_grow_for_ever(elsewhere: float) -> None:
    points, ended = path(ScaledConjugateGradient(), Uphill(elsewhere), np.ones(3), 200)
    assert isinstance(ended, StepFailed)
    assert ended.reason == "max_damping"
    assert all((point == 1).all() for point in points)


def test_the_damping_is_in_the_log() -> None:
    optimizer = ScaledConjugateGradient(damping=1e-6)
    assert optimizer.diagnostics(optimizer.init(np.zeros(2)), None) == {"damping": 1e-6}
