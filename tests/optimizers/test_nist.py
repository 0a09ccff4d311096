"""Levenberg-Marquardt on the NIST problems of nonlinear regression, from both starts of each.

NIST certifies the least-squares parameters to 11 digits. Every damping rule must find 6 of them.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from damping_rules import by_rule
from optimizers.nist.problems import PROBLEMS, NistProblem

from bpcli.optimizers import StepFailed
from bpcli.optimizers.base import Point
from bpcli.optimizers.levenberg_marquardt import LevenbergMarquardt

MOST_STEPS = 5_000
LONG_WAY = ("MGH10", 0)
"""Its path follows a curved valley, in up to 50,000 steps."""

ROUNDED_AWAY = "Lanczos1"
"""Its data have 14 digits. So its sum of squares, 1e-25, is one of rounding errors."""

CASES = [
    pytest.param(
        problem,
        start,
        id=f"{problem.name}-{start + 1}",
        marks=pytest.mark.slow if (problem.name, start) == LONG_WAY else (),
    )
    for problem in PROBLEMS
    for start in range(2)
]


def digits(found: np.ndarray | float, certified: np.ndarray | float) -> float:
    """How many leading digits agree, in the entry where they are fewest."""
    return -np.log10(np.abs(found / certified - 1).max() + 1e-16)


def fit(problem: NistProblem, start: int, optimizer: LevenbergMarquardt, most: int) -> np.ndarray:
    """The parameters where no step lowers the sum of squares, or after the most steps."""
    objective, point = problem.objective(), Point(problem.starts[start])
    state = optimizer.init(point.params)
    for _ in range(most):
        try:
            point, state = optimizer.step(objective, point, state, np.asarray(np.nan))
        except StepFailed:
            break
    return point.params


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_jacobians_are_those_of_the_complex_step(problem: NistProblem) -> None:
    for params in (*problem.starts, problem.certified):
        steps = 1e-30j * np.eye(len(params))
        expected = np.array([problem.residuals(params + step).imag / 1e-30 for step in steps]).T
        error = np.abs(problem.jacobian(params) - expected).max(axis=0)
        assert (error <= 1e-13 * np.abs(expected).max(axis=0)).all()


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_files_and_models_give_the_certified_sum_of_squares(problem: NistProblem) -> None:
    total = 2 * problem.objective().value(problem.certified)
    if problem.name == ROUNDED_AWAY:
        assert total < 1e-20
    else:
        assert digits(total, problem.sum_of_squares) > 9.9


def test_the_objective_agrees_with_itself() -> None:
    """Value, gradient and matrix are those of ½ Σ r², in each verb."""
    problem = PROBLEMS[0]
    objective, params = problem.objective(), problem.starts[0]
    r, J = problem.residuals(params), problem.jacobian(params)
    at, both = objective.gauss_newton(params), objective.value_and_grad(params)
    values = [objective.value(params), objective.losses(params).value, both.value]
    assert values == pytest.approx([np.sum(r**2) / 2] * 3)
    np.testing.assert_allclose(at.hessian, J.T @ J)
    for grad in (at.grad, both.grad, objective.grad(params)):
        np.testing.assert_allclose(grad, J.T @ r)
    assert at.scale == 1
    assert objective.n_rows == len(problem.y)


@pytest.mark.parametrize("optimizer", by_rule().values(), ids=by_rule())
@pytest.mark.parametrize(("problem", "start"), CASES)
def test_certified_parameters_are_found(
    problem: NistProblem, start: int, optimizer: LevenbergMarquardt
) -> None:
    most = MOST_STEPS
    if (problem.name, start) == LONG_WAY:
        if not os.environ.get("BPNET_FULL"):
            pytest.skip("takes seconds: set BPNET_FULL")
        most = 100_000
    assert digits(fit(problem, start, optimizer, most), problem.certified) >= 6
