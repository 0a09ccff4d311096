from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bpcli.nn.activation import Activation
from bpcli.nn.activations import (
    ACTIVATION_ALIASES,
    ACTIVATIONS,
    Elu,
    Exponential,
    LeakyRelu,
    Maxout,
    Relu,
    Sigmoid,
    Tanh,
)
from bpcli.nn.losses import canonical_loss

columns = arrays(np.float64, (6, 3), elements=st.floats(-30, 30))


def value(activation: Activation, z: np.ndarray) -> np.ndarray:
    out = np.full((len(z) // activation.rows_per_unit, z.shape[1]), np.nan, z.dtype)
    activation.forward(z, out)
    return out


@given(columns)
def test_tanh_is_twice_a_shifted_sigmoid(z: np.ndarray) -> None:
    np.testing.assert_allclose(value(Tanh(), z), 2 * value(Sigmoid(), 2 * z) - 1, atol=1e-15)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "exponential"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_pullbacks_are_finite_however_large_z_is(name: str, dtype: type) -> None:
    activation = ACTIVATIONS[name]()
    z = np.array([[-1000.0, 1000, 0], [1000, -1000, -0.0]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a = value(activation, z)
        grad_z = np.full_like(z, np.nan)
        activation.pullback(z, a, np.ones_like(a), grad_z)
    assert a.dtype == dtype
    assert np.isfinite(a).all()
    assert np.isfinite(grad_z).all()


@pytest.mark.parametrize(("dtype", "largest"), [(np.float32, 88.7), (np.float64, 709.7)])
def test_an_exponential_overflows_to_infinity_and_never_to_a_wrong_number(
    dtype: type, largest: float
) -> None:
    z = np.array([[-1000.0, largest, largest + 0.1, 1000.0]], dtype)
    with np.errstate(over="ignore"):
        a = value(Exponential(), z)
    assert a.dtype == dtype
    assert np.isfinite(a).tolist() == [[True, True, False, False]]
    np.testing.assert_allclose(np.log(a[0, 1]), z[0, 1], rtol=1e-6)
    assert (a[0, 0], a[0, 2], a[0, 3]) == (0, np.inf, np.inf)


@pytest.mark.parametrize(
    "name", ["sigmoid", "tanh", "softplus", "softsign", "softmax", "identity", "exponential"]
)
def test_smooth_activations_have_a_right_derivative_at_exactly_zero(name: str) -> None:
    # Zero inputs and zero biases are common; positive and negative zero must not differ.
    activation = ACTIVATIONS[name]()
    for zero in (0.0, -0.0):
        z = np.full((2, 1), zero)
        a = value(activation, z)
        grad_a = np.array([[0.3], [-0.7]])
        pulled = np.empty_like(z)
        activation.pullback(z, a, grad_a, pulled)
        for sign in (1, -1):
            stepped = [
                value(activation, z + sign * 1e-20j * np.eye(2)[:, [unit]]) for unit in (0, 1)
            ]
            by_complex_step = [sign * (grad_a * a.imag).sum() / 1e-20 for a in stepped]
            np.testing.assert_allclose(pulled[:, 0], by_complex_step, rtol=1e-14)


def test_relu_has_derivative_zero_at_zero() -> None:
    z, out = np.zeros((1, 2)), np.empty((1, 2))
    ACTIVATIONS["relu"]().pullback(z, z, np.ones((1, 2)), out)
    assert out.tolist() == [[0, 0]]


@pytest.mark.parametrize("shape", [(4, 50), (40, 50), (600, 600)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_relu_of_few_and_of_many_numbers_is_the_same_function(
    shape: tuple[int, int], dtype: type
) -> None:
    rng = np.random.default_rng(0)
    z, grad_a = rng.normal(size=(2, *shape)).astype(dtype)
    z[0, :3] = 0.0, -0.0, 1e-30
    out = np.full_like(z, np.nan)
    a = value(Relu(), z)
    Relu().pullback(z, a, grad_a, out)
    np.testing.assert_array_equal(a, np.where(z.real > 0, z, 0))
    np.testing.assert_array_equal(out, np.where(z.real > 0, grad_a, 0))


@pytest.mark.parametrize("name", [n for n in ACTIVATIONS if ACTIVATIONS[n].works_in_place])
@pytest.mark.parametrize("shape", [(4, 50), (40, 50)])
def test_what_works_in_place_gives_the_same_there(name: str, shape: tuple[int, int]) -> None:
    activation = ACTIVATIONS[name]()
    z, grad_a = np.random.default_rng(0).normal(size=(2, *shape))
    expected = np.empty_like(z)
    a = value(activation, z)
    activation.pullback(z, a, grad_a, expected)
    activation.forward(z, z)
    np.testing.assert_array_equal(z, a)
    activation.pullback(z, z, grad_a, grad_a)
    np.testing.assert_array_equal(grad_a, expected)


@pytest.mark.parametrize(
    "activation", [*(kind() for kind in ACTIVATIONS.values()), Maxout(3), LeakyRelu(0.2), Elu(0.5)]
)
def test_a_pushforward_is_the_complex_step(activation: Activation) -> None:
    z, z_dot = np.random.default_rng(0).normal(size=(2, 6, 50))
    a = value(activation, z)
    out = np.full_like(a, np.nan)
    activation.pushforward(z, a, z_dot, out)
    expected = value(activation, z + 1e-30j * z_dot).imag / 1e-30
    np.testing.assert_allclose(out, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("activation", [*(kind() for kind in ACTIVATIONS.values()), Maxout(3)])
def test_a_pullback_is_the_transpose_of_the_pushforward(activation: Activation) -> None:
    """Also where rows of z tie, or lie on a kink."""
    rng = np.random.default_rng(0)
    z = rng.integers(-1, 2, size=(6, 50)).astype(float)
    z_dot = rng.normal(size=z.shape)
    a = value(activation, z)
    grad_a, a_dot, grad_z = rng.normal(size=a.shape), np.empty_like(a), np.empty_like(z)
    activation.pushforward(z, a, z_dot, a_dot)
    activation.pullback(z, a, grad_a, grad_z)
    np.testing.assert_allclose(
        (grad_a * a_dot).sum(axis=0), (grad_z * z_dot).sum(axis=0), rtol=1e-12, atol=1e-13
    )


def test_maxout_takes_the_largest_of_each_units_own_rows() -> None:
    z = np.array([[1.0, 5], [2, 4], [0, 7], [9, 7]])
    np.testing.assert_array_equal(value(Maxout(2), z), [[2, 5], [9, 7]])
    out = np.full_like(z, np.nan)
    Maxout(2).pullback(z, value(Maxout(2), z), np.array([[1.0, 2], [3, 4]]), out)
    np.testing.assert_array_equal(out, [[0, 2], [1, 0], [0, 4], [3, 0]])  # a tie: the first


@given(columns)
def test_softmax_rows_add_up_to_one_and_ignore_a_shift(z: np.ndarray) -> None:
    a = value(ACTIVATIONS["softmax"](), z)
    np.testing.assert_allclose(a.sum(axis=0), 1, rtol=1e-14)
    np.testing.assert_allclose(value(ACTIVATIONS["softmax"](), z + 123.0), a, rtol=1e-10)


@given(arrays(np.float64, (1, 5), elements=st.floats(-700, 700)))
def test_two_class_softmax_is_a_sigmoid_of_the_difference(z: np.ndarray) -> None:
    pair = value(ACTIVATIONS["softmax"](), np.vstack([np.zeros_like(z), z]))
    np.testing.assert_allclose(pair[1], value(Sigmoid(), z)[0], atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_a_class_says_of_its_function_is_so(name: str) -> None:
    activation = ACTIVATIONS[name]()
    z = np.random.default_rng(0).normal(size=(6, 50))
    a = value(activation, z)
    raised = z.copy()
    raised[-1] += 1  # a row of the last unit
    others_moved = not np.array_equal(value(activation, raised)[:-1], a[:-1])
    assert activation.mixes_units == others_moved
    assert activation.is_elementwise == (len(a) == len(z) and not others_moved)
    assert activation.is_identity == np.array_equal(a, z)
    assert activation.is_odd == np.allclose(value(activation, -z), -a)
    assert activation.gives_distribution == np.allclose(a.sum(axis=0), 1)
    assert activation.gives_probabilities == (activation.bounds == (0, 1))


@pytest.mark.parametrize(
    "activation",
    [
        *(ACTIVATIONS[name]() for name in ACTIVATIONS),
        LeakyRelu(slope=0),
        Elu(alpha=0.5),
        Elu(alpha=2),
    ],
    ids=str,
)
def test_bounds_are_the_limits_of_what_an_activation_gives(activation: Activation) -> None:
    far = 700.0 if isinstance(activation, Exponential) else 1e6
    outputs = value(activation, far * np.array([[1, -1, -1], [-1, 1, -1]]))
    for bound, extreme in zip(activation.bounds, (outputs.min(), outputs.max()), strict=True):
        if np.isinf(bound):
            assert bound * extreme >= 1e3
        else:
            assert extreme == pytest.approx(bound, abs=1e-5)
    assert activation.reaches(*activation.bounds)
    assert activation.reaches(0.25, 0.75)
    low, high = activation.bounds
    assert activation.reaches(-2, 0.5) == (low <= -2)
    assert activation.reaches(0.5, 3) == (high >= 3)


@pytest.mark.parametrize("name", [n for n in ACTIVATIONS if canonical_loss(n)])
def test_the_link_leads_back_from_a_to_z(name: str) -> None:
    activation = ACTIVATIONS[name]()
    a = value(activation, np.random.default_rng(0).normal(size=(6, 50)))
    np.testing.assert_allclose(value(activation, activation.link(a)), a, rtol=1e-13)


def test_aliases_name_activations() -> None:
    assert set(ACTIVATION_ALIASES.values()) <= set(ACTIVATIONS)
    assert not set(ACTIVATION_ALIASES) & set(ACTIVATIONS)


def test_options_of_activations_count() -> None:
    z = np.array([[-2.0, -0.5, 0.0, 3.0]])
    elu, leaky = Elu(alpha=0.5), LeakyRelu(slope=0.2)
    for activation, a, slope in (
        (elu, np.where(z > 0, z, 0.5 * np.expm1(z)), np.where(z > 0, 1, 0.5 * np.exp(z))),
        (leaky, np.where(z > 0, z, 0.2 * z), np.where(z > 0, 1, 0.2)),
    ):
        out = np.empty_like(z)
        np.testing.assert_allclose(value(activation, z), a, rtol=1e-14)
        activation.pullback(z, a, np.ones_like(z), out)
        np.testing.assert_allclose(out, slope, rtol=1e-14)
