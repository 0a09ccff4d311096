from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import Problem, problems

from bpcli.data.generators import GENERATORS
from bpcli.engine import sums
from bpcli.errors import Diverged
from bpcli.gradcheck.cases import CORRUPTIONS, all_cases, check_objective, explain
from bpcli.gradcheck.catalogue import prove_catalogue, prove_demonstration, self_test
from bpcli.gradcheck.derivatives import CENTRAL_STEP, TensorCheck, central_difference, complex_step
from bpcli.nn.activations import ACTIVATIONS, Activation, Identity, Relu, Sigmoid
from bpcli.nn.jacobian import write_jacobian
from bpcli.nn.losses import LOSSES, HalfSquaredError, Mae, legal_losses
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import Workspace
from bpcli.training.objective import Evaluation, NetworkObjective


@given(problems())
@settings(max_examples=150)
def test_the_gradient_of_any_network_is_proven(problem: Problem) -> None:
    checks = check_objective(problem.objective(), problem.params)
    assert all(check.passed for check in checks), [c for c in checks if not c.passed]


@pytest.mark.parametrize("recorded_bytes", [sums._RECORDED_BYTES, 0])
def test_the_catalogue_is_exact_to_rounding(
    recorded_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As small networks are trained, and as large ones are, in place."""
    monkeypatch.setattr(sums, "_RECORDED_BYTES", recorded_bytes)
    rows = prove_catalogue()
    assert all(row.passed for row in rows)
    assert max(row.error for row in rows) <= 1e-13
    assert max(row.largest_error for row in rows) <= 1e-13
    assert max(row.central_error for row in rows) <= 1e-6
    legal = {(loss, output) for output in ACTIVATIONS for loss in legal_losses(output)}
    assert {(row.loss, row.output) for row in rows} == legal
    assert all(row.checked > 100 for row in rows)


def test_the_catalogue_has_every_pair_of_factors() -> None:
    cases = list(all_cases())
    factors = {
        "loss": set(LOSSES),
        "output": set(ACTIVATIONS),
        "hidden": {None, *ACTIVATIONS},
        "depth": {1, 2, 3},
        "bias": {"trained", "frozen", "none"},
        "reduction": {"mean", "sum"},
        "l2": {0.0, 0.3},
        "row_weights": {False, True},
    }
    for name, values in factors.items():
        assert {getattr(case, name) for case in cases} == values
    for first, second in combinations(factors, 2):
        seen = Counter((getattr(case, first), getattr(case, second)) for case in cases)
        wanted = {
            (a, b)
            for a in factors[first]
            for b in factors[second]
            if _can_meet({first: a, second: b})
        }
        assert set(seen) == wanted, (first, second)


def _can_meet(pair: dict[str, object]) -> bool:
    """A network of depth 1 has no hidden layer, and losses go with their outputs."""
    if "hidden" in pair and "depth" in pair:
        return (pair["hidden"] is None) == (pair["depth"] == 1)
    if "loss" in pair and "output" in pair:
        return pair["loss"] in legal_losses(str(pair["output"]))
    return True


def test_every_wrong_backward_pass_is_rejected() -> None:
    assert [rejection.kind for rejection in self_test() if not rejection.rejected] == []
    assert prove_demonstration(None).passed


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("no-derivative", "the last layer is right and layer 2 is not"),
        ("sum-before-product", "not the product of sums?"),
        ("inputs-for-activations", "that layer's own input, not x?"),
        ("times-n", "every tensor: off by exactly n² = 49"),
        ("no-mean", "every tensor: off by exactly n = 7"),
        ("no-transpose", "the last layer is right and layer 2 is not"),
        ("l2-on-biases", "L2 shrinks weights, never biases"),
        ("sign", "W3, b3: the sign is wrong"),
        ("bias-not-summed", "only bias gradients are wrong"),
        ("swapped-layers", "stored with the wrong layer"),
        ("linear-jacobian", "the gradient is right and the Jacobian of the residuals is not"),
    ],
)
def test_a_failing_check_says_what_is_likely_wrong(kind: str, hint: str) -> None:
    assert hint in (prove_demonstration(kind).explanation or "")


def test_the_hints_cover_every_corruption() -> None:
    marks = test_a_failing_check_says_what_is_likely_wrong.pytestmark
    assert [values[0] for values in marks[0].args[1]] == list(CORRUPTIONS)


@dataclass(frozen=True)
class _WrongSigmoid(Sigmoid):
    """A derivative that is off by a small factor."""

    error: float = 0.0

    def pullback(self, z, a, grad_a, out) -> None:  # type: ignore[no-untyped-def]
        super().pullback(z, a, grad_a, out)
        out *= 1 + self.error


def _smooth_problem(activation: Activation) -> Problem:
    rng = np.random.default_rng(0)
    network = Network((Layer(3, 4, activation), Layer(4, 2, Identity())), HalfSquaredError())
    params = rng.normal(size=network.n_params)
    X, Y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    return Problem(network, params, X, Y, None, 0.0, "mean")


@pytest.mark.parametrize("error", [0.0, 1e-11, 1e-6])
def test_the_smallest_error_in_one_derivative_is_found(error: float) -> None:
    problem = _smooth_problem(_WrongSigmoid(error))
    checks = check_objective(problem.objective(), problem.params)
    for term in ("data", "jacobian"):
        passed = {check.tensor: check.passed for check in checks if check.term == term}
        assert passed == {"W1": error == 0, "b1": error == 0, "W2": True, "b2": True}
    assert checks[-1].tensor == "H"
    assert checks[-1].passed == (error < 1e-6)


def test_a_wrong_jacobian_is_found_in_every_tensor_below_the_error() -> None:
    problem = _smooth_problem(Sigmoid())

    def wrong(work: Workspace, row_weight: np.ndarray | None, out: np.ndarray) -> None:
        write_jacobian(work, row_weight, out)
        out[:16, 1] *= 1 + 1e-11  # the first layer's, by the second output

    objective = problem.objective().like(jacobian=wrong)
    checks = check_objective(objective, problem.params)
    failed = {(check.term, check.tensor) for check in checks if not check.passed}
    assert failed == {("jacobian", "W1"), ("jacobian", "b1")}


def test_a_hessian_that_is_none_is_found() -> None:
    problem = _smooth_problem(Sigmoid())
    rng = np.random.default_rng(0)
    A = rng.normal(size=(problem.params.size, problem.params.size))

    class Wrong(NetworkObjective):
        error = 0.0

        def hessian_product(self, params: np.ndarray, direction: np.ndarray) -> np.ndarray:
            return super().hessian_product(params, direction) + self.error * (A @ direction)

    objective = problem.objective().like(Wrong)
    assert isinstance(objective, Wrong)
    for error, has_passed in ((0.0, True), (1e-10, False), (1e-3, False)):
        objective.error = error
        check = check_objective(objective, problem.params)[-1]
        assert check.passed == has_passed
    symmetric = replace(check, error=0.0)
    assert not symmetric.passed  # the gradient's differences disagree too


def test_the_jacobian_is_checked_for_sums_of_squares_alone() -> None:
    for case in all_cases():
        if case.depth == 1:
            checks = check_objective(*case.objective())
            terms = {check.term for check in checks}
            assert ("jacobian" in terms) == LOSSES[case.loss].is_sum_of_squares
            assert "hessian" in terms


def test_a_tensor_passes_only_if_both_methods_agree() -> None:
    problem = _smooth_problem(Sigmoid())
    check = check_objective(problem.objective(), problem.params)[0]
    assert check.passed
    assert not replace(check, central_error=1e-3).passed
    assert not replace(check, error=1e-3).passed


def test_a_kink_between_one_and_two_steps_is_skipped_too() -> None:
    network = Network((Layer(1, 1, Relu()), Layer(1, 1, Identity())), HalfSquaredError())
    params = np.array([0.0, 1.5 * CENTRAL_STEP, 1.0, 0.0])
    problem = Problem(network, params, np.ones((1, 1)), np.ones((1, 1)), None, 0.0, "mean")
    checks = {check.tensor: check for check in check_objective(problem.objective(), params)}
    assert (checks["W1"].skipped, checks["b1"].skipped) == (1, 1)


def _problem_on_a_kink() -> Problem:
    """The first row is zero, so unit 1 sits exactly on relu's kink, and only its bias moves it."""
    network = Network((Layer(2, 2, Relu()), Layer(2, 1, Identity())), HalfSquaredError())
    params = np.array([0.5, 0.3, 0.0, 0.2, 0.4, 0.7, 1.0, 2.0, 0.0])
    X = np.array([[0.0, 0.0], [1.0, 2.0]])
    return Problem(network, params, X, np.array([[1.0], [0.0]]), None, 0.0, "mean")


def test_entries_whose_step_crosses_a_kink_are_skipped_and_counted() -> None:
    problem = _problem_on_a_kink()
    checks = check_objective(problem.objective(), problem.params)
    for term in ("data", "jacobian"):
        of_term = {check.tensor: check for check in checks if check.term == term}
        skipped = {name: check.skipped for name, check in of_term.items()}
        assert skipped == {"W1": 0, "b1": 1, "W2": 0, "b2": 0}
        assert of_term["b1"].checked == 1
    assert (checks[-1].checked, checks[-1].skipped) == (0, 9)
    assert all(check.passed for check in checks)


def test_without_skipping_the_kink_would_fail_the_check() -> None:
    problem = _problem_on_a_kink()
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


def test_numerical_derivatives_of_a_known_function() -> None:
    def cube(params: np.ndarray) -> complex:
        return (params**3).sum().item()

    params = np.array([0.3, -2.0])
    for entry, exact in enumerate(3 * params**2):
        assert complex_step(cube, params, entry) == pytest.approx(exact, rel=1e-15)
        assert central_difference(cube, params, entry, 1e-5) == pytest.approx(exact, abs=1e-9)


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
    problem = _problem_on_a_kink()
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


@pytest.mark.parametrize(
    ("ratio", "rows", "outputs", "hints"),
    [
        (2.0, 2, 1, ["is 1/n missing?", "factor ½"]),
        (0.5, 5, 2, ["without the factor ½", "one over the number of outputs"]),
        (7.0, 7, 3, ["off by exactly n = 7"]),
        (3.0, 7, 3, ["off by exactly 3, the number of outputs"]),
        (1 / 7, 7, 3, ["is 1/n applied twice?"]),
    ],
)
def test_every_factor_that_fits_is_named(
    ratio: float, rows: int, outputs: int, hints: list[str]
) -> None:
    problem = _problem_on_a_kink()
    checks = check_objective(problem.objective(), problem.params)
    wrong = [replace(check, ratio=ratio, error=1.0) for check in checks]
    explanation = explain(wrong, rows, outputs)
    assert explanation is not None
    assert all(hint in explanation for hint in hints), explanation


def test_a_gradient_of_exactly_zero_is_right() -> None:
    network = Network((Layer(2, 1, ACTIVATIONS["softsign"](), "none"),), HalfSquaredError())
    X, Y = np.array([[1.0, 2.0]]), np.zeros((1, 1))
    problem = Problem(network, np.zeros(2), X, Y, None, 0.0, "mean")
    assert all(check.passed for check in check_objective(problem.objective(), problem.params))


def test_the_l2_term_has_no_kinks() -> None:
    problem = replace(_problem_on_a_kink(), l2=0.5)
    checks = check_objective(problem.objective(), problem.params)
    assert {check.tensor: check.skipped for check in checks if check.term == "l2"} == {
        "W1": 0, "b1": 0, "W2": 0, "b2": 0,
    }  # fmt: skip


def test_a_wrong_product_is_named_also_without_biases() -> None:
    rng = np.random.default_rng(0)
    layers = (Layer(2, 2, Sigmoid()), Layer(2, 1, Sigmoid(), "none"))
    network = Network(layers, HalfSquaredError())
    params, X, Y = rng.normal(size=8), rng.normal(size=(5, 2)), rng.normal(size=(5, 1))
    objective = Problem(network, params, X, Y, None, 0.0, "mean").objective()
    checks = check_objective(CORRUPTIONS["inputs-for-activations"].corrupt(objective), params)
    assert "own input, not x?" in (explain(checks, 5, 1) or "")


# Numbers whose squares are too large for a float.


def _large(problem: Problem, **changes: object) -> list[TensorCheck]:
    changed = replace(problem, **changes)  # type: ignore[arg-type]
    with np.errstate(over="ignore", invalid="ignore"):
        return check_objective(changed.objective(), changed.params)


@pytest.mark.parametrize("l2", [1e150, 1e200, 1e290])
def test_a_large_penalty_is_no_wrong_gradient(l2: float) -> None:
    checks = _large(_smooth_problem(Sigmoid()), l2=l2)
    assert all(check.passed for check in checks), [c for c in checks if not c.passed]
    assert all(check.error <= 1e-13 for check in checks if check.term in ("data", "l2"))
    assert not any(check.is_blind for check in checks if check.term in ("data", "l2"))


@pytest.mark.parametrize("l2", [0.3, 1e200])
@pytest.mark.parametrize("size", [1.0, 1e60, 1e140])
def test_a_wrong_gradient_of_large_numbers_is_found(l2: float, size: float) -> None:
    problem = _smooth_problem(_WrongSigmoid(1e-6))
    failed = {
        check.tensor for check in _large(problem, l2=l2, Y=size * problem.Y) if not check.passed
    }
    assert failed >= {"W1", "b1"}
    with np.errstate(over="ignore", invalid="ignore"):
        problem = replace(_smooth_problem(Sigmoid()), l2=l2, Y=size * problem.Y)
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

    problem = _smooth_problem(Sigmoid())
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
        ({"params": np.full(26, 1e200)}, r"begin with smaller parameters \(`network.init`\)"),
        ({"params": np.full(26, 1e200), "l2": 0.3}, "begin with smaller parameters"),
        ({"Y": np.full((5, 2), 1e152), "reduction": "sum"}, "scale the data"),
    ],
)
def test_an_overflow_is_told_with_the_key_to_change(changes: dict[str, object], hint: str) -> None:
    with pytest.raises(Diverged, match=f"not finite here, or too large to be checked: .*{hint}"):
        _large(_smooth_problem(Sigmoid()), **changes)


def test_what_rounding_hides_is_not_called_proven() -> None:
    problem = _smooth_problem(Sigmoid())
    far = {"X": problem.X * 1e30}
    assert any(check.is_blind for check in _large(problem, **far))
    assert not any(check.is_blind for check in _large(problem))
