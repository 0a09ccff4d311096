"""The formulas of layers, losses and optimizers, in symbols."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paged import value_of

from bpcli.nn.activations import (
    ACTIVATIONS,
    Elu,
    Exponential,
    Identity,
    LeakyRelu,
    Maxout,
    Sigmoid,
    Softmax,
    Tanh,
)
from bpcli.nn.losses import LOSSES, BinaryCrossEntropy, HalfSquaredError, Huber, Mae, Mse, Poisson
from bpcli.nn.network import Layer, Network
from bpcli.notation.layers import forward_formulas, worded
from bpcli.optimizers import OPTIMIZERS, GradientDescent
from bpcli.trace import formulas


def test_every_activation_loss_and_optimizer_has_its_formula() -> None:
    for activation in (kind() for kind in ACTIVATIONS.values()):
        assert activation.formula.startswith("a")
        is_slope = activation.derivative.startswith("f'(z) = ")
        assert is_slope or activation.derivative.startswith("delta")
        assert is_slope == activation.is_elementwise
    for loss in LOSSES.values():
        assert loss.formula.startswith("loss_i = ")
        assert loss.derivative.startswith("delta = " if loss.is_canonical else "∂loss_i/∂a = ")
        assert loss.is_canonical == (loss.output_activations is not None)
    for optimizer in set(OPTIMIZERS.values()) - {GradientDescent}:
        assert optimizer.formulas
        assert optimizer.notation


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"maxout", "softmax"}))
@pytest.mark.parametrize("z", [-1.3, 0.7])
def test_the_formulas_of_an_activation_are_what_it_computes(name: str, z: float) -> None:
    activation = ACTIVATIONS[name]()
    column = np.array([[z]])
    a, slope = np.empty((1, 1)), np.empty((1, 1))
    activation.forward(column, a)
    activation.pullback(column, a, np.ones((1, 1)), slope)
    words = vars(activation) | {"z": "(z)", "a": "(a)"}
    for formula, expected in ((activation.formula, a), (activation.derivative, slope)):
        shown = worded(formula, words).partition(" = ")[2]
        assert value_of(shown, z=z, a=a.item()) == pytest.approx(expected.item())


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("a - y", "(a - y)"),
        ("-0.2 - (-0.3)", "(-0.2 - (-0.3))"),
        ("(a) + (y)", "((a) + (y))"),
        ("2 (a - y)", "2 (a - y)"),
        ("tanh(2 (a - y))", "tanh(2 (a - y))"),
        ("1e-05 a", "1e-05 a"),
        ("f(g(a - b) + c)", "f(g(a - b) + c)"),
    ],
)
def test_a_sum_gets_brackets_as_a_factor(text: str, factor: str) -> None:
    assert formulas.bracketed(text) == factor


@given(st.lists(st.sampled_from(["a", "1", "(a - b)", "f(a + b)", "2 a"]), min_size=1, max_size=4))
def test_brackets_are_put_round_sums_alone(parts: list[str]) -> None:
    joined = " + ".join(parts)
    is_sum = len(parts) > 1
    assert formulas.bracketed(joined) == (f"({joined})" if is_sum else joined)


def test_a_difference_alone_needs_no_brackets() -> None:
    assert formulas.bare("(a - y)") == "a - y"
    assert formulas.bare("(a - (-1))") == "a - (-1)"
    for text in ("a - y", "2 (a - y)", "(a) + (y)", "(a - y) f'(z)"):
        assert formulas.bare(text) == text


def test_only_whole_words_are_replaced_and_numbers_are_short() -> None:
    names = {"z": "z1", "slope": 0.25, "a": "a1"}
    found = worded("a = max(z, slope z) + az + z_2 + e^2a", names)
    assert found == "a1 = max(z1, 0.25 z1) + az + z_2 + e^2a"


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Layer(2, 3, Tanh()), ["z2 = W2 a1 + b2", "a2 = tanh(z2)"]),
        (Layer(2, 3, LeakyRelu(0.1), "none"), ["z2 = W2 a1", "a2 = max(z2, 0.1 z2)"]),
        (Layer(2, 3, Identity(), "frozen"), ["z2 = W2 a1 + b2", "a2 = z2"]),
    ],
)
def test_a_layer_computes_z_and_a(layer: Layer, expected: list[str]) -> None:
    assert forward_formulas(layer, 2) == expected


def test_a_slope_is_of_what_is_curved_and_elementwise() -> None:
    assert formulas.slope_formula(Tanh(), 3) == "f'(z3) = 1 - a3²"
    assert formulas.slope_formula(Elu(0.5), 1) == "f'(z1) = 1 where z1 > 0, else a1 + 0.5"
    for activation in (Identity(), Softmax(), Maxout(2)):
        assert formulas.slope_formula(activation, 1) is None


def network(output: object, loss: object, outputs: int = 2) -> Network:
    return Network((Layer(2, 3, Tanh()), Layer(3, outputs, output)), loss)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outputs", "expected", "factor"),
    [
        (1, "loss_i = Σ_k (a2[k] - y[k])²", "2 (a2 - y)"),
        (3, "loss_i = (1/3) Σ_k (a2[k] - y[k])²", "(2/3) (a2 - y)"),
    ],
)
def test_a_mean_over_one_output_is_that_output(outputs: int, expected: str, factor: str) -> None:
    net = network(Identity(), Mse(), outputs)
    assert formulas.loss_formula(net) == expected
    assert formulas.grad_a_formula(net, "a2", "y") == factor


def test_options_of_a_loss_stand_as_their_values() -> None:
    net = network(Identity(), Huber(0.25), 1)
    assert formulas.grad_a_formula(net, "a2[1]", "y[1]") == "clip(a2[1] - y[1], -0.25, 0.25)"


@pytest.mark.parametrize(
    ("output", "loss", "number", "weighted", "expected"),
    [
        (Identity(), HalfSquaredError(), 2, False, ["delta2 = a2 - y"]),
        (Identity(), HalfSquaredError(), 2, True, ["delta2 = w (a2 - y)"]),
        (Sigmoid(), BinaryCrossEntropy(), 2, False, ["delta2 = a2 - y"]),
        (Sigmoid(), BinaryCrossEntropy(), 2, True, ["delta2 = w (a2 - y)"]),
        (Exponential(), Poisson(), 2, True, ["delta2 = w (a2 - y)"]),
        (Sigmoid(), Mae(), 2, False, ["delta2 = (1/2) sign(a2 - y) ∘ f'(z2)"]),
        (Sigmoid(), HalfSquaredError(), 1, True, ["delta1 = f'(z1) ∘ (W2ᵀ delta2)"]),
        (Softmax(), HalfSquaredError(), 2, False,
         ["g2 = a2 - y", "delta2 = a2 ∘ (g2 - Σ_j a2[j] g2[j])"]),
    ],
)  # fmt: skip
def test_delta_comes_from_the_loss_or_from_the_layer_above(
    output: object, loss: object, number: int, weighted: bool, expected: list[str]
) -> None:
    assert formulas.delta_formulas(network(output, loss), number, weighted) == expected


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (GradientDescent(), ["W1 ← W1 - η ∂objective/∂W1"]),
        (GradientDescent(momentum=0.5), ["v ← μ v - η ∂objective/∂W1", "W1 ← W1 + v"]),
        (
            GradientDescent(momentum=0.5, nesterov=True),
            ["v ← μ v - η ∂objective/∂W1", "W1 ← W1 + μ v - η ∂objective/∂W1"],
        ),
    ],
)
def test_gradient_descent_has_formulas_for_each_tensor(
    optimizer: GradientDescent, expected: list[str]
) -> None:
    assert formulas.descent_formulas(optimizer, "W1") == expected
    both = formulas.update_formulas(optimizer, ["W1", "b1"])
    assert both == expected + [line.replace("W1", "b1") for line in expected]


def test_other_optimizers_have_theirs_for_all_parameters() -> None:
    found = formulas.update_formulas(OPTIMIZERS["adam"](), ["W1", "b1"])
    assert len(found) == len(OPTIMIZERS["adam"].formulas)
    assert "0.999" in " ".join(found)
