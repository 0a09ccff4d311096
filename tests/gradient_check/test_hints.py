from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_problems import a_check, problem_on_a_kink
from strategies import Problem

from bpcli.gradient_check.corruptions import CORRUPTIONS
from bpcli.gradient_check.hints import explain
from bpcli.gradient_check.objective import check_objective
from bpcli.gradient_check.report import check_demonstration
from bpcli.nn.activations import Sigmoid
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("no-derivative", "the last layer is right, but layer 2 is not"),
        ("sum-before-product", "not the product of sums?"),
        ("inputs-for-activations", "that layer's own input, not x?"),
        ("times-n", "every tensor: wrong by a factor of n² = 49"),
        ("no-mean", "every tensor: wrong by a factor of n = 7"),
        ("no-transpose", "the last layer is right, but layer 2 is not"),
        ("l2-on-biases", "L2 shrinks weights, never biases"),
        ("sign", "W3, b3: the sign is wrong"),
        ("bias-not-summed", "only bias gradients are wrong"),
        ("swapped-layers", "stored with the wrong layer"),
        ("linear-jacobian", "the gradient is right, but the Jacobian of the residuals is not"),
    ],
)
def test_a_failing_check_says_what_is_likely_wrong(kind: str, hint: str) -> None:
    assert hint in (check_demonstration(kind).explanation or "")


def test_the_hints_cover_every_corruption() -> None:
    marks = test_a_failing_check_says_what_is_likely_wrong.pytestmark
    assert [values[0] for values in marks[0].args[1]] == list(CORRUPTIONS)


@pytest.mark.parametrize(
    ("ratio", "rows", "outputs", "hints"),
    [
        (2.0, 2, 1, ["is 1/n missing?", "does the loss have a factor of ½?"]),
        (0.5, 5, 2, ["does the loss have no factor of ½?", "1/2, with 2 outputs"]),
        (7.0, 7, 3, ["wrong by a factor of n = 7"]),
        (3.0, 7, 3, ["wrong by a factor of 3, the number of outputs"]),
        (1 / 7, 7, 3, ["is 1/n applied twice?"]),
    ],
)
def test_every_factor_that_fits_is_named(
    ratio: float, rows: int, outputs: int, hints: list[str]
) -> None:
    problem = problem_on_a_kink()
    checks = check_objective(problem.objective(), problem.params)
    wrong = [replace(check, ratio=ratio, error=1.0) for check in checks]
    explanation = explain(wrong, rows, outputs)
    assert explanation is not None
    assert all(hint in explanation for hint in hints), explanation


def test_a_wrong_product_is_named_also_without_biases() -> None:
    rng = np.random.default_rng(0)
    layers = (Layer(2, 2, Sigmoid()), Layer(2, 1, Sigmoid(), "none"))
    network = Network(layers, HalfSquaredError())
    params, X, Y = rng.normal(size=8), rng.normal(size=(5, 2)), rng.normal(size=(5, 1))
    objective = Problem(network, params, X, Y, None, 0.0, "mean").objective()
    checks = check_objective(CORRUPTIONS["inputs-for-activations"].corrupt(objective), params)
    assert "own input, not x?" in (explain(checks, 5, 1) or "")


def hint(*wrong: str, right: str = "", ratio: float | None = None, term: str = "data") -> str:
    """What is said where these tensors are wrong and those are right."""
    checks = [a_check(tensor, term, is_wrong=True, ratio=ratio) for tensor in wrong]
    checks += [a_check(tensor) for tensor in right.split()]
    return explain(checks, 5, 3) or ""


def test_where_nothing_fails_nothing_is_said() -> None:
    assert explain([a_check("W1"), a_check("b1")], 5, 3) is None


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (-1.0, "the sign is wrong"),
        (5.0, "wrong by a factor of n = 5, the number of rows: is 1/n missing?"),
        (25.0, "wrong by a factor of n² = 25: is it multiplied by n, not by 1/n?"),
        (1 / 5, "wrong by a factor of 1/n, n = 5 rows: is 1/n applied twice?"),
        (2.0, "wrong by a factor of 2: does the loss have a factor of ½?"),
        (0.5, "wrong by a factor of ½: does the loss have no factor of ½?"),
        (3.0, "wrong by a factor of 3, the number of outputs"),
        (1 / 3, "wrong by a factor of 1/3, with 3 outputs"),
    ],
)
def test_each_factor_has_a_hint_of_its_own(ratio: float, said: str) -> None:
    assert hint("W1", "b1", ratio=ratio) == f"every tensor: {said}"
    assert hint("W1", "b1", right="W2 b2", ratio=ratio * (1 + 9e-6)) == f"W1, b1: {said}"
    assert said not in hint("W1", "b1", ratio=ratio * (1 + 1.1e-5))


def test_a_factor_counts_only_if_every_wrong_tensor_has_it() -> None:
    one, other, varying = (
        a_check(tensor, is_wrong=True, ratio=ratio)
        for tensor, ratio in (("W1", 5.0), ("b1", -1.0), ("W2", None))
    )
    for wrong in ([one, other], [one, varying]):
        assert "wrong by" not in (explain(wrong, 5, 3) or "")
    assert "W1: wrong by a factor of n" in (explain([one, a_check("b1")], 5, 3) or "")


def test_a_factor_of_one_is_none() -> None:
    ratio = 1 + 2e-6  # what a single row, or output, would be off by
    checks = [a_check("W1", is_wrong=True, ratio=ratio), a_check("b1")]
    assert "wrong by" not in (explain(checks, 1, 1) or "")


def test_tensors_that_could_not_be_checked_are_no_evidence() -> None:
    wrong = a_check("W1", is_wrong=True, ratio=-1.0)
    skipped = a_check("b1", checked=0, error=0.0)
    assert explain([wrong, skipped], 5, 3) == "every tensor: the sign is wrong"


OWN_INPUT = "the error is in delta[l] a[l-1]ᵀ: is a[l-1] that layer's own input, not x?"
PRODUCTS = "is it the sum over rows of products, not the product of sums?"
DELTA = "the last layer is right, but layer 1 is not: the error is in delta[l] = f'(z[l])"
STORED = "several layers are wrong in different ways: is each gradient stored with its own layer?"


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("b1 b2", "W1 W2", "only bias gradients are wrong"),
        ("b2", "W1 b1 W2", "only bias gradients are wrong"),
        ("W1 W2", "b1 b2", PRODUCTS),
        ("W1", "b1 W2 b2", PRODUCTS),
        ("W2", "W1 b1 b2", OWN_INPUT),
        ("W2", "W1", OWN_INPUT),  # there are no biases, and the layer below is right
        ("W2 W3", "W1 b1 b2", OWN_INPUT),
        ("W1", "W2", DELTA),
        ("W1 b1", "W2 b2", DELTA),
        ("W1 b1 W2 b2", "W3 b3", DELTA.replace("layer 1", "layer 2")),
        ("W1 b1 W2 b2", "", STORED),
        ("W2 W3", "W1", STORED),
        ("W2 b2", "W1 b1", STORED),
        ("W1 W2 b2", "b1", STORED),
    ],
)
def test_the_wrong_tensors_tell_the_step_of_the_backward_pass(
    wrong: str, right: str, said: str
) -> None:
    assert said in hint(*wrong.split(), right=right)


def test_without_a_wrong_gradient_the_other_terms_are_named() -> None:
    right = "W1 b1"
    assert "L2 shrinks weights, never biases" in hint("b1", right=right, term="l2")
    assert hint("W1", "b1", right=right, term="l2") == (
        "only the L2 term is wrong: its gradient is c λ/n W"
    )
    assert "the Jacobian of the residuals is not" in hint("W1", right=right, term="jacobian")
    assert hint("H", right=right, term="hessian").endswith("its derivative, the Hessian, is not")
    both = [a_check("H", "hessian", is_wrong=True), a_check("W1", "jacobian", is_wrong=True)]
    assert "the Jacobian of the residuals is not" in (explain(both, 5, 3) or "")
    wrong = a_check("W1", is_wrong=True, ratio=-1.0)
    assert explain([*both, wrong], 5, 3) == "every tensor: the sign is wrong"
