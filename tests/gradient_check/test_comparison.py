from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from small_problems import a_check, smooth_problem

from bpcli.gradient_check.comparison import CentralErrors, ExactErrors, constant_ratio, norm
from bpcli.gradient_check.objective import check_objective
from bpcli.nn.activations import Sigmoid


def test_a_tensor_passes_only_if_both_methods_agree() -> None:
    problem = smooth_problem(Sigmoid())
    check = check_objective(problem.objective(), problem.params)[0]
    assert check.passed
    assert not replace(check, central_error=1e-3).passed
    assert not replace(check, error=1e-3).passed


def test_the_allowed_errors_are_included() -> None:
    check = a_check(error=1e-13, central_error=1e-6)
    assert check.passed
    assert not replace(check, error=np.nextafter(1e-13, 1)).passed
    assert not replace(check, central_error=np.nextafter(1e-6, 1)).passed
    assert replace(check, central_error=None, allowed_central_error=0.0).passed


@pytest.mark.parametrize(
    ("allowed", "error", "is_blind"),
    [(1e-13, 0.0, False), (0.99, 0.5, False), (1.0, 0.5, True), (1.0, 2.0, False)],
)
def test_a_check_is_blind_if_a_wrong_gradient_would_pass(
    allowed: float, error: float, is_blind: bool
) -> None:
    assert a_check(error=error, allowed_error=allowed).is_blind == is_blind
    assert not a_check(error=0.0, allowed_error=math.inf).is_blind  # a gradient of exactly 0


def test_errors_are_relative_to_the_exact_derivative() -> None:
    exact, difference = np.array([3.0, 4.0]), np.array([0.0, 0.1])
    errors = ExactErrors.of(difference, exact, 0.5)
    assert errors == pytest.approx((0.1 / 5, 0.1 / 4, 1e-13 + 0.5 / 5))


def test_of_an_exact_zero_only_a_difference_within_rounding_is_allowed() -> None:
    zero = np.zeros(2)
    assert ExactErrors.of(zero, zero, 0.0) == (0, 0, math.inf)
    assert ExactErrors.of(np.array([0, 1e-20]), zero, 1e-20) == (math.inf, math.inf, math.inf)
    assert ExactErrors.of(np.array([0, 1e-20]), zero, 1e-21) == (math.inf, math.inf, 0)


def test_what_doubling_the_step_changes_is_allowed_to_central_differences() -> None:
    exact = np.array([2.0])
    found = CentralErrors.of(np.array([2.1]), exact, np.array([1.9]), np.array([1.6]), 0.4)
    assert found == pytest.approx((0.2 / 2, 1e-6 + (0.3 + 0.4) / 2))
    assert CentralErrors() == (None, 0)


@pytest.mark.parametrize("size", [1.0, 1e200, 1e-200])
def test_norms_of_any_size_are_right(size: float) -> None:
    values = size * np.array([[3.0, 0], [0, -4.0]])
    assert norm(values) == pytest.approx(5 * size)
    assert norm(values, np.inf) == pytest.approx(4 * size)
    assert norm(np.array([])) == 0
    assert norm(np.array([1.0, math.inf])) == math.inf


def test_only_one_factor_for_the_whole_tensor_is_a_ratio() -> None:
    numeric = np.array([1.0, -2.0, 0.5])
    assert constant_ratio(-3 * numeric, numeric) == pytest.approx(-3)
    assert constant_ratio(1e200 * numeric, 1e199 * numeric) == pytest.approx(10)
    assert constant_ratio(numeric + np.array([0, 0, 1e-4]), numeric) is None
    assert constant_ratio(0 * numeric, numeric) is None
    assert constant_ratio(numeric, 0 * numeric) is None
