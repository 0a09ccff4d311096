from __future__ import annotations

import numpy as np
import pytest
from small_problems import WrongSigmoid, problem_on_a_kink, smooth_problem
from strategies import Problem

from bpcli.gradient_check.derivatives import CENTRAL_STEP, central_difference
from bpcli.gradient_check.objective import check_objective
from bpcli.gradient_check.probe import Point, Probe
from bpcli.gradient_check.tensors import check_gradient
from bpcli.nn.activations import Identity, Relu, Sigmoid
from bpcli.nn.jacobian import sweep_output
from bpcli.nn.losses import HalfSquaredError, Mae
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import Workspace


@pytest.mark.parametrize("error", [0.0, 1e-11, 1e-6])
def test_the_smallest_error_in_one_derivative_is_found(error: float) -> None:
    problem = smooth_problem(WrongSigmoid(error))
    checks = check_objective(problem.objective(), problem.params)
    for term in ("data", "jacobian"):
        passed = {check.tensor: check.passed for check in checks if check.term == term}
        assert passed == {"W1": error == 0, "b1": error == 0, "W2": True, "b2": True}
    assert checks[-1].tensor == "H"
    assert checks[-1].passed == (error < 1e-6)


def test_a_wrong_jacobian_is_found_in_every_tensor_below_the_error() -> None:
    problem = smooth_problem(Sigmoid())

    def wrong(work: Workspace, output: int, root_weight: np.ndarray | None) -> None:
        sweep_output(work, output, root_weight)
        if output == 1:
            work.layers[0].delta *= 1 + 1e-11

    objective = problem.objective().like(sweep=wrong)
    checks = check_objective(objective, problem.params)
    failed = {(check.term, check.tensor) for check in checks if not check.passed}
    assert failed == {("jacobian", "W1"), ("jacobian", "b1")}


def test_a_kink_between_one_and_two_steps_is_skipped_too() -> None:
    network = Network((Layer(1, 1, Relu()), Layer(1, 1, Identity())), HalfSquaredError())
    params = np.array([0.0, 1.5 * CENTRAL_STEP, 1.0, 0.0])
    problem = Problem(network, params, np.ones((1, 1)), np.ones((1, 1)), None, 0.0, "mean")
    checks = {check.tensor: check for check in check_objective(problem.objective(), params)}
    assert (checks["W1"].skipped, checks["b1"].skipped) == (1, 1)


def test_entries_whose_step_crosses_a_kink_are_skipped_and_counted() -> None:
    problem = problem_on_a_kink()
    checks = check_objective(problem.objective(), problem.params)
    for term in ("data", "jacobian"):
        of_term = {check.tensor: check for check in checks if check.term == term}
        skipped = {name: check.skipped for name, check in of_term.items()}
        assert skipped == {"W1": 0, "b1": 1, "W2": 0, "b2": 0}
        assert of_term["b1"].checked == 1
    assert (checks[-1].checked, checks[-1].skipped) == (0, 9)
    assert all(check.passed for check in checks)


def test_without_skipping_the_kink_would_fail_the_check() -> None:
    problem = problem_on_a_kink()
    objective = problem.objective()
    analytic = objective.value_and_grad(problem.params).grad[2]
    assert (
        abs(central_difference(objective.value, problem.params, 2, CENTRAL_STEP) - analytic) > 0.1
    )


def test_a_residual_on_the_kink_of_the_absolute_error_is_skipped() -> None:
    network = Network((Layer(1, 1, Identity()),), Mae())
    problem = Problem(
        network, np.array([2.0, 0.0]), np.array([[1.0]]), np.array([[2.0]]), None, 0.0, "mean"
    )
    checks = check_objective(problem.objective(), problem.params)
    assert [(check.checked, check.skipped) for check in checks] == [(0, 1), (0, 1), (0, 2)]


def test_the_worst_entry_is_named_as_in_the_formulas() -> None:
    problem = smooth_problem(Sigmoid())
    objective = problem.objective()
    probe = Probe(problem.network, *objective.data.columns)
    point = Point.of(probe, problem.params, np.ones_like(problem.params, bool))
    grad = objective.grad(problem.params).copy()
    W1 = dict(problem.network.tensors(grad))["W1"]
    W1[2, 1] += 1e-3
    check, *others = check_gradient("data", point, objective.value, grad, 1.0)
    assert (check.tensor, check.worst_entry, check.passed) == ("W1", "W1[3,2]", False)
    assert check.analytic - check.numeric == pytest.approx(1e-3)
    assert (check.shape, check.checked, check.ratio) == ((4, 3), 12, None)
    assert all(other.passed for other in others)
