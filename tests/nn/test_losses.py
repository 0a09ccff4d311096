"""Losses by their values, their derivatives, and what they say of themselves."""

from __future__ import annotations

import numpy as np
import pytest
import textbook
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn._loss import HalfPoissonLoss
from sklearn.metrics import mean_poisson_deviance

from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, Exponential, Sigmoid, Softmax
from bpcli.nn.losses import (
    LOSSES,
    PROBABILITIES,
    BinaryCrossEntropy,
    CrossEntropy,
    HalfSquaredError,
    Huber,
    Loss,
    Mae,
    Poisson,
    canonical_loss,
    legal_losses,
)
from bpcli.registry import name_of

seeds = st.integers(0, 2**32 - 1)


def a_and_y(
    loss: Loss, seed: int, shape: tuple[int, int] = (3, 4)
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and targets (outputs, samples) that a loss is defined for."""
    rng = np.random.default_rng(seed)
    if loss.targets == "values":
        a, y = rng.normal(size=(2, *shape))
        return a, y
    if loss.targets == "counts":
        return rng.gamma(2, 1.5, shape), rng.poisson(2, shape).astype(float)
    a, y = rng.uniform(0.05, 0.95, (2, *shape))
    if loss.targets == "distribution":
        return a / a.sum(axis=0), y / y.sum(axis=0)
    return a, y


def z_of(loss: Loss, a: np.ndarray) -> np.ndarray:
    """The z whose outputs are a: of the loss's own activation, if it has one."""
    return (
        ACTIVATIONS[(loss.output_activations or ("identity",))[0]]().link(a)
        if loss.is_canonical
        else a
    )


@pytest.mark.parametrize("name", LOSSES)
@given(seeds)
def test_a_loss_is_that_of_a_textbook(name: str, seed: int) -> None:
    loss = LOSSES[name]()
    a, y = a_and_y(loss, seed)
    found = loss.per_sample(z_of(loss, a), a, y)
    np.testing.assert_allclose(found, textbook.LOSS[name](a.T, y.T), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if not loss.is_canonical])
@given(seeds)
def test_a_derivative_by_the_outputs_is_that_of_a_textbook(name: str, seed: int) -> None:
    loss = LOSSES[name]()
    a, y = a_and_y(loss, seed)
    grad_a = np.full_like(a, np.nan)
    loss.write_grad_a(a, y, grad_a)
    np.testing.assert_allclose(grad_a, textbook.DLOSS[name](a.T, y.T).T, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        (BinaryCrossEntropy(), Sigmoid()),
        (CrossEntropy(), Softmax()),
        (Poisson(), Exponential()),
    ],
)
@given(seeds)
def test_a_canonical_loss_has_the_delta_of_the_chain_rule(
    loss: Loss, activation: Activation, seed: int
) -> None:
    a, y = a_and_y(loss, seed)
    by_a = textbook.DLOSS[name_of(LOSSES, loss)](a.T, y.T).T
    scratch, delta, expected = (np.full_like(a, np.nan) for _ in range(3))
    z = z_of(loss, a)
    loss.write_delta(activation, z, a, y, scratch, delta)
    activation.pullback(z, a, by_a, expected)
    np.testing.assert_allclose(delta, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("loss", [Mae(), HalfSquaredError(), Huber(0.5)])
def test_any_other_loss_goes_through_the_slope_of_its_outputs(loss: Loss) -> None:
    z, y = np.random.default_rng(0).normal(size=(2, 3, 4))
    a = expit(z)
    scratch, delta, by_a = (np.full_like(z, np.nan) for _ in range(3))
    loss.write_delta(Sigmoid(), z, a, y, scratch, delta)
    loss.write_grad_a(a, y, by_a)
    np.testing.assert_allclose(delta, by_a * a * (1 - a), rtol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("outputs", [2, 3])
def test_a_sum_of_squares_says_its_factor(name: str, outputs: int) -> None:
    loss = LOSSES[name]()
    a, y = a_and_y(loss, 0, (outputs, 5))
    squares = ((a - y) ** 2).sum(axis=0)
    found = loss.per_sample(z_of(loss, a), a, y)
    assert loss.is_sum_of_squares == np.allclose(found / squares, found[0] / squares[0])
    if loss.is_sum_of_squares:
        np.testing.assert_allclose(found, loss.factor_of_squares(outputs) * squares, rtol=1e-14)


def test_the_absolute_error_alone_has_a_kink_and_tells_its_sides() -> None:
    a, y = np.array([[1.0, -1.0, 0.0]]), np.zeros((1, 3))
    kinked = {name: loss().linear_region(a, y) for name, loss in LOSSES.items()}
    sides = kinked.pop("mae")
    assert sides is not None
    assert sides.tolist() == [[True, False, False]]
    assert set(kinked.values()) == {None}
    by_a = np.empty((1, 3))
    Mae().write_grad_a(a, y, by_a)
    assert by_a.tolist() == [[1, -1, 0]]


def test_a_canonical_loss_is_legal_with_its_own_activation_alone() -> None:
    of_values = [name for name, loss in LOSSES.items() if loss.targets == "values"]
    assert legal_losses("tanh") == of_values
    assert legal_losses("sigmoid") == [*of_values, "binary_cross_entropy"]
    assert legal_losses("softmax") == [*of_values, "cross_entropy"]
    assert legal_losses("exponential") == [*of_values, "poisson"]


def test_the_canonical_loss_of_an_activation() -> None:
    assert canonical_loss("sigmoid") == BinaryCrossEntropy()
    assert canonical_loss("softmax") == CrossEntropy()
    assert canonical_loss("exponential") == Poisson()
    assert canonical_loss("identity") is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropies_are_exact_at_extreme_z(dtype: type) -> None:
    z = np.array([[1000.0, -1000.0, 1000.0, -1000.0]], dtype)
    y = np.array([[1.0, 0.0, 0.0, 1.0]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss = BinaryCrossEntropy().per_sample(z, expit(z), y)
        np.testing.assert_array_equal(loss, [0, 0, 1000, 1000])
        both, target = np.vstack([z, -z]), np.vstack([y, 1 - y])
        loss = CrossEntropy().per_sample(both, both, target)
        np.testing.assert_array_equal(loss, [0, 0, 2000, 2000])


def test_binary_cross_entropy_keeps_its_digits_when_nearly_right() -> None:
    z = np.array([[40.0]])
    loss = BinaryCrossEntropy().per_sample(z, np.array([[1.0]]), np.array([[1.0]]))
    assert loss[0] == pytest.approx(np.exp(-40), rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_a_perfect_prediction_has_the_smallest_loss(name: str) -> None:
    loss: Loss = LOSSES[name]()
    y = np.array([[0.0, 1.0], [1.0, 0.0]])
    z = 1000 * (2 * y - 1) if loss.targets in PROBABILITIES else y
    if loss.targets == "counts":
        z = np.log(y, out=np.full_like(y, -1000), where=y > 0)
    assert loss.per_sample(z, y, y).tolist() == [0, 0]


def test_huber_bends_at_its_delta() -> None:
    loss, r, out = Huber(delta=2.0), np.array([[-3.0, -1.5, 0.5, 5.0]]), np.empty((1, 4))
    assert loss.per_sample(r, r, 0 * r).tolist() == [4, 1.125, 0.125, 8]
    loss.write_grad_a(r, 0 * r, out)
    assert out.tolist() == [[-2, -1.5, 0.5, 2]]


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_binary_cross_entropy_has_a_right_derivative_at_exactly_zero(
    zero: float, sign: int
) -> None:
    y = np.array([[0.0, 1.0, 0.3]])
    z = np.full((1, 3), zero) + sign * 1e-20j
    derivative = sign * BinaryCrossEntropy().per_sample(z, z, y).imag / 1e-20
    np.testing.assert_allclose(derivative, 0.5 - y[0], rtol=1e-14)


@given(seeds)
def test_poisson_is_half_the_deviance_of_scikit_learn(seed: int) -> None:
    loss = Poisson()
    a, y = a_and_y(loss, seed, (1, 30))
    z, out = np.log(a), np.full_like(a, np.nan)
    found = loss.per_sample(z, a, y)
    assert found.mean() == pytest.approx(mean_poisson_deviance(y[0], a[0]) / 2, rel=1e-11)
    by_scikit_learn = HalfPoissonLoss()
    of_y = by_scikit_learn.constant_to_optimal_zero(y[0])
    np.testing.assert_allclose(found, by_scikit_learn.loss(y[0], z[0]) + of_y, atol=1e-13)
    loss.write_delta(Exponential(), z, a, y, np.empty_like(a), out)
    np.testing.assert_allclose(out[0], by_scikit_learn.gradient(y[0], z[0]), atol=1e-13)


def test_poisson_keeps_its_digits_when_nearly_right() -> None:
    y = np.full((1, 1), 1e6)
    z = np.log(y) + 1e-4
    r = (z - np.log(y)).item()
    expected = 1e6 * (r**2 / 2 + r**3 / 6 + r**4 / 24)  # y (e^r - 1 - r) by its series
    assert Poisson().per_sample(z, np.exp(z), y)[0] == pytest.approx(expected, rel=1e-11)


def test_poisson_of_an_output_that_is_rounded_to_0_is_finite() -> None:
    z = np.full((1, 2), -1000.0)
    loss = Poisson().per_sample(z, np.exp(z), np.array([[0.0, 2.0]]))
    assert loss.tolist() == [0, pytest.approx(2 * (1000 + np.log(2) - 1), rel=1e-14)]


def test_poisson_overflows_to_infinity() -> None:
    z = np.full((1, 2), 1000.0)
    with np.errstate(over="ignore"):
        loss = Poisson().per_sample(z, np.exp(z), np.array([[0.0, 2.0]]))
    assert loss.tolist() == [np.inf, np.inf]
