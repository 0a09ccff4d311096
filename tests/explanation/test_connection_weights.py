from __future__ import annotations

import numpy as np
import pytest

from bpcli.explanation.connection_weights import (
    garson,
    olden,
    weights_of,
    why_no_connection_weights,
)
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Layer, Network

BELOW = np.array([[1.0, -3.0, 0.0], [2.0, 2.0, -4.0]])
ABOVE = np.array([[2.0, -1.0]])


def network(*hidden: str) -> Network:
    layers, inputs = [], 3
    for name in hidden:
        layers.append(Layer(inputs, 2, ACTIVATIONS[name]()))
        inputs = 2
    layers.append(Layer(inputs, 1, ACTIVATIONS["identity"]()))
    return Network(tuple(layers), LOSSES["mse"]())


def test_shares_and_products_worked_out_by_hand() -> None:
    """Unit 1 gives inputs 1/4, 3/4, 0 of 2, and unit 2 gives 1/4, 1/4, 1/2 of 1: of 3 in all."""
    assert garson(BELOW, ABOVE) == pytest.approx(np.array([[0.75, 1.75, 0.5]]) / 3)
    assert olden(BELOW, ABOVE) == pytest.approx(np.array([[0.0, -8.0, 4.0]]))


def test_units_and_outputs_without_weights() -> None:
    below = np.vstack([BELOW, np.zeros(3)])
    above = np.array([[2.0, -1.0, 7.0], [0.0, 0.0, 0.0]])
    shares = garson(below, above)
    assert shares[0] == pytest.approx(garson(BELOW, ABOVE)[0])
    assert np.isnan(shares[1]).all()


def test_they_are_defined_for_one_hidden_layer_of_single_units() -> None:
    one = network("tanh")
    assert why_no_connection_weights(one) is None
    params = np.concatenate([np.column_stack([BELOW, [9, 9]]).ravel(), [2, -1, 9]])
    below, above = weights_of(one, params)
    assert below.tolist() == BELOW.tolist()
    assert above.tolist() == ABOVE.tolist()
    assert "no hidden layer" in str(why_no_connection_weights(network()))
    assert "2 hidden layers" in str(why_no_connection_weights(network("tanh", "tanh")))
    for name in ("maxout", "softmax"):
        assert "each unit separately" in str(why_no_connection_weights(network(name)))
