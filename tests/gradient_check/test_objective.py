from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from small_problems import WrongSigmoid, problem_on_a_kink, smooth_problem
from strategies import Problem, problems

from bpcli.data.generators import GENERATORS
from bpcli.errors import Diverged
from bpcli.gradient_check.cases import all_cases
from bpcli.gradient_check.comparison import TensorCheck
from bpcli.gradient_check.corruptions import CORRUPTIONS
from bpcli.gradient_check.hints import explain
from bpcli.gradient_check.objective import check_objective
from bpcli.nn.activations import ACTIVATIONS, Identity, Sigmoid
from bpcli.nn.losses import LOSSES, HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers.base import Evaluation
from bpcli.training.objective import NetworkObjective


@given(problems())
def test_the_gradient_of_any_network_is_proven(problem: Problem) -> None:
    checks = check_objective(problem.objective(), problem.params)
    assert all(check.passed for check in checks), [c for c in checks if not c.passed]


def test_the_jacobian_is_checked_for_sums_of_squares_alone() -> None:
    for case in all_cases():
        if case.depth == 1:
            checks = check_objective(*case.objective())
            terms = {check.term for check in checks}
            assert ("jacobian" in terms) == LOSSES[case.loss].is_sum_of_squares
            assert "hessian" in terms


def test_frozen_biases_have_no_gradient_and_are_not_checked() -> None:
    rng = np.random.default_rng(0)
    network = Network(
        (Layer(2, 2, Sigmoid(), "frozen"), Layer(2, 1, Identity())), HalfSquaredError()
    )
    problem = Problem(
        network,
        rng.normal(size=9),
        rng.normal(size=(4, 2)),
        rng.normal(size=(4, 1)),
        None,
        0.5,
        "sum",
    )
    grad = dict(network.tensors(problem.objective().value_and_grad(problem.params).grad))
    assert not grad["b1"].any()
    assert grad["b2"].any()
    checks = check_objective(problem.objective(), problem.params)
    assert {check.tensor for check in checks} == {"W1", "W2", "b2", "H"}
    assert checks[-1].checked == 7


def test_entries_can_be_limited() -> None:
    problem = problem_on_a_kink()
    checks = check_objective(problem.objective(), problem.params, most_entries=1)
    assert {check.checked + check.skipped for check in checks[:-1]} == {1}


@pytest.mark.parametrize("dataset", ["wine", "breast_cancer", "diabetes"])
@pytest.mark.parametrize("activation", ["tanh", "softplus", "sigmoid"])
@pytest.mark.parametrize("std", [0.001, 0.3])
def test_unscaled_inputs_do_not_make_a_right_gradient_look_wrong(
    dataset: str, activation: str, std: float
) -> None:
    X = GENERATORS[dataset]().table(np.random.default_rng(0)).X[:20]
    rng = np.random.default_rng(0)
    layers = (Layer(X.shape[1], 4, ACTIVATIONS[activation]()), Layer(4, 1, Identity()))
    network = Network(layers, HalfSquaredError())
    params = rng.normal(0, std, network.n_params)
    problem = Problem(network, params, X, rng.normal(size=(20, 1)), None, 0.0, "mean")
    checks = check_objective(problem.objective(), params)
    assert all(check.passed for check in checks), [c for c in checks if not c.passed]


def test_a_gradient_of_exactly_zero_is_right() -> None:
    network = Network((Layer(2, 1, ACTIVATIONS["softsign"](), "none"),), HalfSquaredError())
    X, Y = np.array([[1.0, 2.0]]), np.zeros((1, 1))
    problem = Problem(network, np.zeros(2), X, Y, None, 0.0, "mean")
    assert all(check.passed for check in check_objective(problem.objective(), problem.params))


def test_the_l2_term_has_no_kinks() -> None:
    problem = replace(problem_on_a_kink(), l2=0.5)
    checks = check_objective(problem.objective(), problem.params)
    assert {check.tensor: check.skipped for check in checks if check.term == "l2"} == {
        "W1": 0, "b1": 0, "W2": 0, "b2": 0,
    }  # fmt: skip


# Numbers whose squares are too large for a float.


def _large(problem: Problem, **changes: object) -> list[TensorCheck]:
    changed = replace(problem, **changes)  # type: ignore[arg-type]
    with np.errstate(over="ignore", invalid="ignore"):
        return check_objective(changed.objective(), changed.params)


@pytest.mark.parametrize("l2", [1e150, 1e200, 1e290])
def test_a_large_penalty_is_no_wrong_gradient(l2: float) -> None:
    checks = _large(smooth_problem(Sigmoid()), l2=l2)
    assert all(check.passed for check in checks), [c for c in checks if not c.passed]
    assert all(check.error <= 1e-13 for check in checks if check.term in ("data", "l2"))
    assert not any(check.is_blind for check in checks if check.term in ("data", "l2"))


@pytest.mark.parametrize("l2", [0.3, 1e200])
@pytest.mark.parametrize("size", [1.0, 1e60, 1e140])
def test_a_wrong_gradient_of_large_numbers_is_found(l2: float, size: float) -> None:
    problem = smooth_problem(WrongSigmoid(1e-6))
    failed = {
        check.tensor for check in _large(problem, l2=l2, Y=size * problem.Y) if not check.passed
    }
    assert failed >= {"W1", "b1"}
    with np.errstate(over="ignore", invalid="ignore"):
        problem = replace(smooth_problem(Sigmoid()), l2=l2, Y=size * problem.Y)
        wrong = CORRUPTIONS["sign"].corrupt(problem.objective())
        checks = check_objective(wrong, problem.params)
    assert "the sign is wrong" in (explain(checks, 5, 2) or "")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_where_the_loss_is_fails(bad: float) -> None:
    class Broken(NetworkObjective):
        def value_and_grad(self, params: np.ndarray) -> Evaluation:
            found = super().value_and_grad(params)
            grad = found.grad.copy()
            grad[0] = bad
            return found._replace(grad=grad)

    problem = smooth_problem(Sigmoid())
    with np.errstate(invalid="ignore"):
        checks = check_objective(problem.objective().like(Broken), problem.params)
    assert [check.tensor for check in checks if check.term == "data" and not check.passed] == ["W1"]


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"l2": 1e305}, "lower `training.l2`"),
        ({"l2": 1e308, "reduction": "sum"}, "lower `training.l2`"),
        ({"Y": np.full((5, 2), 1e160)}, "scale the data"),
        ({"X": np.full((5, 3), 1e200)}, "scale the data"),
        ({"X": np.full((5, 3), 1e308)}, "scale the data"),
        ({"params": np.full(26, 1e200)}, r"use smaller initial parameters \(`network.init`\)"),
        ({"params": np.full(26, 1e200), "l2": 0.3}, "use smaller initial parameters"),
        ({"Y": np.full((5, 2), 1e152), "reduction": "sum"}, "scale the data"),
    ],
)
def test_an_overflow_is_told_with_the_key_to_change(changes: dict[str, object], hint: str) -> None:
    with pytest.raises(Diverged, match=f"not finite here, or too large to check: .*{hint}"):
        _large(smooth_problem(Sigmoid()), **changes)


def test_what_rounding_hides_is_not_called_proven() -> None:
    problem = smooth_problem(Sigmoid())
    far = {"X": problem.X * 1e30}
    assert any(check.is_blind for check in _large(problem, **far))
    assert not any(check.is_blind for check in _large(problem))
