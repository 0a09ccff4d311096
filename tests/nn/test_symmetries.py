from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import pytest

from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, Identity, Maxout, Relu, Softmax, Tanh
from bpcli.nn.losses import Mse
from bpcli.nn.network import Bias, Layer, Network
from bpcli.nn.propagation import predict
from bpcli.nn.symmetries import log_symmetries

UNITS = 3


def network_of(hidden: Activation, bias: Bias = "trained") -> Network:
    return Network((Layer(2, UNITS, hidden, bias), Layer(UNITS, 2, Identity())), Mse())


def drawn(network: Network, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=network.n_params)


def rearranged(network: Network, params: np.ndarray) -> Iterator[np.ndarray]:
    """The hidden units in every order, with every sign, and with their pieces in every order."""
    hidden = network.layers[0]
    pieces = hidden.activation.rows_per_unit
    for order in permutations(range(UNITS)):
        for signs in product([1, -1], repeat=UNITS):
            for inner in product(permutations(range(pieces)), repeat=UNITS):
                end = params.copy()
                below, above = network.matrices(end)
                units = below.reshape(UNITS, pieces, hidden.columns).copy()
                for unit, (source, sign, of) in enumerate(zip(order, signs, inner, strict=True)):
                    below[unit * pieces : (unit + 1) * pieces] = sign * units[source][list(of)]
                above[:, :UNITS] = above[:, :UNITS][:, order] * signs
                yield end


def counted(network: Network, params: np.ndarray) -> int:
    """The number of rearrangements that differ, but not in outputs or frozen biases."""
    X = np.random.default_rng(1).normal(size=(9, 2))
    outputs, frozen = predict(network, params, X), network.frozen
    return len(
        {
            end.tobytes()
            for end in rearranged(network, params)
            if np.array_equal(end[frozen], params[frozen])
            and np.allclose(predict(network, end, X), outputs)
        }
    )


HIDDEN = [ACTIVATIONS[name]() for name in ACTIVATIONS if name != "identity"]


@pytest.mark.parametrize("bias", ["trained", "none", "frozen"])
@pytest.mark.parametrize("hidden", HIDDEN, ids=repr)
def test_as_many_as_there_are(hidden: Activation, bias: Bias) -> None:
    network = network_of(hidden, bias)
    params = drawn(network)
    assert math.exp(log_symmetries(network, params)) == pytest.approx(counted(network, params))


@pytest.mark.parametrize("hidden", [Tanh(), Relu(), Softmax()])
@pytest.mark.parametrize("biases", [(1, 1, 1), (0, 0, 0), (1, -1, 0), (1, 2, 1)])
def test_only_units_with_equal_frozen_biases_change_places(
    hidden: Activation, biases: tuple[float, ...]
) -> None:
    network = network_of(hidden, "frozen")
    params = drawn(network)
    network.matrices(params)[0][:, -1] = biases
    assert math.exp(log_symmetries(network, params)) == pytest.approx(counted(network, params))


@pytest.mark.parametrize("biases", [(1,) * 6, (1, 2, 2, 1, 1, 2), (0, 1, 2, 2, 1, 1)])
def test_only_pieces_with_equal_frozen_biases_change_places(biases: tuple[float, ...]) -> None:
    network = network_of(Maxout(), "frozen")
    params = drawn(network)
    network.matrices(params)[0][:, -1] = biases
    assert math.exp(log_symmetries(network, params)) == pytest.approx(counted(network, params))


def test_layers_multiply() -> None:
    layers = (Layer(2, 4, Tanh()), Layer(4, 3, Relu(), "none"), Layer(3, 2, Tanh()))
    network = Network(layers, Mse())
    found = log_symmetries(network, drawn(network))
    assert found == pytest.approx(math.log(math.factorial(4) * 2**4 * math.factorial(3)))


def test_without_hidden_units_or_with_linear_ones_there_is_one() -> None:
    for layers in ((Layer(2, 3, Tanh()),), network_of(Identity()).layers):
        network = Network(layers, Mse())
        assert log_symmetries(network, drawn(network)) == 0


def test_units_that_are_zero_count_as_none() -> None:
    network = network_of(Tanh())
    params = drawn(network)
    below, above = network.matrices(params)
    below[1] = 1e-4
    above[:, 1] = -1e-4
    assert log_symmetries(network, params) == pytest.approx(math.log(6 * 2**3))
    assert log_symmetries(network, params, 1e-6) == pytest.approx(math.log(2 * 2**2))
    assert log_symmetries(network, np.zeros_like(params), 1e-6) == 0
    above[0, 1] = 1  # it has a weight, even if only to the layer above
    assert log_symmetries(network, params, 1e-6) == pytest.approx(math.log(6 * 2**3))


def test_a_frozen_bias_alone_makes_no_unit() -> None:
    network = network_of(Relu(), "frozen")
    params = drawn(network)
    below, above = network.matrices(params)
    below[:, -1] = 3
    below[1, :2] = above[:, 1] = 0
    assert log_symmetries(network, params, 1e-6) == pytest.approx(math.log(2))


@pytest.mark.parametrize(("hidden", "expected"), [(Tanh(), 2 * 2**2), (Relu(), 6)])
def test_units_that_differ_only_in_sign_count_as_one(hidden: Activation, expected: float) -> None:
    network = network_of(hidden)
    params = drawn(network)
    below, above = network.matrices(params)
    below[2], above[:, 2] = -below[0], -above[:, 0]
    found = log_symmetries(network, params, 1e-6)
    assert found == pytest.approx(math.log(expected))  # relu is not odd: they do differ


def test_units_with_equal_pieces_in_another_order_are_equal() -> None:
    network = network_of(Maxout())
    params = drawn(network)
    below, above = network.matrices(params)
    below[4:6], above[:, 2] = below[1::-1], above[:, 0]
    assert log_symmetries(network, params, 1e-6) == pytest.approx(math.log(2 * 2**2))
