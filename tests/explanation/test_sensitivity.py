from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.preprocessing import Preprocessor
from bpcli.data.scaler import Scaler
from bpcli.explanation.sensitivity import input_gradients, original_gradients, sensitivity
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import predict

STEP = 1e-30


def network(hidden: Activation, output: Activation) -> Network:
    layers = (Layer(3, 4, hidden), Layer(4, 5, hidden, "none"), Layer(5, 2, output))
    return Network(layers, LOSSES["mse"]())


@pytest.mark.parametrize("hidden", [*ACTIVATIONS])
def test_the_gradients_are_those_of_the_complex_step(hidden: str, rng: np.random.Generator) -> None:
    """∂f/∂x_j = Im f(x + ih e_j) / h has no rounding error of a difference."""
    shape = network(ACTIVATIONS[hidden](), ACTIVATIONS["softmax"]())
    params = rng.normal(size=shape.n_params)
    X = rng.normal(size=(7, 3))
    found = input_gradients(shape, params, X)
    assert found.shape == (2, 7, 3)
    for j in range(3):
        moved = X.astype(complex)
        moved[:, j] += 1j * STEP
        expected = predict(shape, params.astype(complex), moved).imag / STEP
        assert pytest.approx(expected, rel=1e-12, abs=1e-14) == found[:, :, j].T


def test_gradients_of_more_rows_than_one_block_are_those_of_each_row(
    rng: np.random.Generator,
) -> None:
    shape = network(ACTIVATIONS["tanh"](), ACTIVATIONS["identity"]())
    params, X = rng.normal(size=shape.n_params), rng.normal(size=(3001, 3))
    found = input_gradients(shape, params, X)
    for row in (0, 2799, 2800, 3000):
        alone = input_gradients(shape, params, X[row : row + 1])[:, 0]
        assert found[:, row] == pytest.approx(alone, rel=1e-12)


def test_derivatives_are_in_the_units_of_the_table(rng: np.random.Generator) -> None:
    """y = 5 (3 x1 - x2 + x3) + 2, from a linear network behind scales of both sides."""
    layer = Layer(3, 1, ACTIVATIONS["identity"]())
    factor = np.array([2.0, 0.5, 4.0])
    params = np.array([3.0, -1.0, 1.0, 0.0]) * np.append(factor, 1)
    scales = Scaler(np.array([1.0, 2, 3]), factor), Scaler(np.array([2.0]), np.array([5.0]))
    preprocessor = Preprocessor(*scales, (), 1)
    found = original_gradients(
        Network((layer,), LOSSES["mse"]()), params, preprocessor, rng.normal(size=(4, 3))
    )
    assert found[0] == pytest.approx(np.tile([15.0, -5, 5], (4, 1)), rel=1e-14)


def test_the_summary_has_mean_spread_signs_and_the_move_for_a_usual_step() -> None:
    gradients, values = np.array([1.0, 1.0, -2.0, 0.0]), np.array([0.0, 2.0, 0.0, 2.0])
    found = sensitivity(gradients, values)
    assert found == pytest.approx((0.0, np.sqrt(1.5), 0.5, 0.25, np.sqrt(1.5) * 1.0))
