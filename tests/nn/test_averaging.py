"""Averages of networks, against the mean of the members' own outputs and logits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import activation, problems
from textbook import F

from bpcli.nn.activation import Activation
from bpcli.nn.activations import (
    ACTIVATIONS,
    Exponential,
    Identity,
    Maxout,
    Relu,
    Sigmoid,
    Softmax,
    Tanh,
)
from bpcli.nn.averaging import (
    averaged_members,
    averaged_network,
    averaged_params,
    why_not_averaged,
)
from bpcli.nn.losses import LOSSES, CrossEntropy, Mse, SquaredError, legal_losses
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import output_z, predict
from bpcli.registry import name_of

HIDDEN = sorted({*ACTIVATIONS} - {"softmax"})
OUTPUTS = ["identity", "sigmoid", "softmax"]


class Members(NamedTuple):
    """Networks of one shape, and rows of inputs."""

    network: Network
    params: list[np.ndarray]
    X: np.ndarray

    def of_average(self) -> tuple[Network, np.ndarray]:
        average = averaged_network(self.network, len(self.params))
        return average, averaged_params(self.network, self.params)

    def mean_z(self) -> np.ndarray:
        return np.mean([output_z(self.network, params, self.X) for params in self.params], axis=0)


def some_members(
    network: Network, count: int, seed: int = 0, dtype: type = np.float64, spread: float = 0.7
) -> Members:
    rng = np.random.default_rng(seed)
    params = [rng.normal(0, spread, network.n_params).astype(dtype) for _ in range(count)]
    return Members(network, params, rng.normal(size=(9, network.inputs)))


@st.composite
def members(draw: st.DrawFn) -> Members:
    """One to four networks of a shape that can be averaged, with up to three hidden layers."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    output = draw(st.sampled_from(OUTPUTS))
    hidden = [draw(activation(st.sampled_from(HIDDEN))) for _ in sizes[2:]]
    layers = tuple(
        Layer(inputs, units, kind, draw(st.sampled_from(["trained", "frozen", "none"])))
        for inputs, units, kind in zip(
            sizes[:-1], sizes[1:], [*hidden, ACTIVATIONS[output]()], strict=True
        )
    )
    network = Network(layers, LOSSES[draw(st.sampled_from(legal_losses(output)))]())
    grows = any(isinstance(each, Exponential) for each in hidden)
    spread = 0.2 if grows else 0.7  # an exponential of one soon overflows
    count, seed = draw(st.integers(1, 4)), draw(st.integers(0, 2**32 - 1))
    return some_members(network, count, seed, spread=spread)


@given(members())
def test_the_outputs_are_f_of_the_mean_z(members: Members) -> None:
    network, params = members.of_average()
    expected = members.mean_z()
    np.testing.assert_allclose(
        output_z(network, params, members.X), expected, rtol=1e-12, atol=1e-12
    )
    f = F[name_of(ACTIVATIONS, network.layers[-1].activation)]
    np.testing.assert_allclose(
        predict(network, params, members.X), f(expected), rtol=1e-12, atol=1e-12
    )


@given(members())
def test_an_identity_output_is_the_mean_of_the_outputs(members: Members) -> None:
    assume(members.network.layers[-1].activation.is_identity)
    outputs = [predict(members.network, params, members.X) for params in members.params]
    average = predict(*members.of_average(), members.X)
    np.testing.assert_allclose(average, np.mean(outputs, axis=0), rtol=1e-12, atol=1e-12)


@given(members())
def test_there_are_as_many_parameters_as_the_wider_network_has(members: Members) -> None:
    network, params = members.of_average()
    assert params.shape == (network.n_params,)
    count, layers = len(members.params), members.network.layers
    units = [members.network.inputs, *(count * layer.units for layer in layers[:-1])]
    expected = [
        ((above.rows if number == len(layers) else count * above.rows), below + above.has_bias)
        for number, (below, above) in enumerate(zip(units, layers, strict=True), start=1)
    ]
    assert [matrix.shape for matrix in network.matrices(params)] == expected
    assert [layer.bias for layer in network.layers] == [layer.bias for layer in layers]


def test_two_small_networks_by_hand() -> None:
    """x = 1: the first gives 4 + 1·2 + 2·3 = 12, the second 6 - 1·3 + 0·1 = 3; the mean is 7.5."""
    network = Network((Layer(1, 2, Relu()), Layer(2, 1, Identity())), Mse())
    first = np.array([2.0, 0, 1, 2, 1, 2, 4])  # W1 = (2; 1), b1 = (0; 2), W2 = (1, 2), b2 = 4
    second = np.array([3.0, 0, 2, -1, -1, 0, 6])
    wide, params = averaged_network(network, 2), averaged_params(network, [first, second])
    assert wide == Network((Layer(1, 4, Relu()), Layer(4, 1, Identity())), Mse())
    assert {name: tensor.tolist() for name, tensor in wide.tensors(params)} == {
        "W1": [[2], [1], [3], [2]],
        "b1": [0, 2, 0, -1],
        "W2": [[0.5, 1, -0.5, 0]],
        "b2": [5],
    }
    assert predict(wide, params, np.array([[1.0]])).tolist() == [[7.5]]


def test_hidden_layers_above_the_first_are_blocks() -> None:
    network = Network((Layer(1, 1, Tanh()), Layer(1, 1, Maxout(2)), Layer(1, 1, Identity())), Mse())
    first = np.array([1.0, 2, 3, 4, 5, 6, 7, 8])  # W1 b1, a row of W2 b2 and another, W3 b3
    wide, params = averaged_network(network, 2), averaged_params(network, [first, 10 * first])
    assert [matrix.tolist() for matrix in wide.matrices(params)] == [
        [[1, 2], [10, 20]],
        [[3, 0, 4], [5, 0, 6], [0, 30, 40], [0, 50, 60]],
        [[3.5, 35, 44]],
    ]


def test_without_a_hidden_layer_it_is_the_mean_of_the_parameters() -> None:
    network = Network((Layer(2, 1, Sigmoid()),), LOSSES["binary_cross_entropy"]())
    params = [np.array([1.0, 2, 3]), np.array([3.0, -2, 4])]
    assert averaged_network(network, 2) == network
    assert averaged_params(network, params).tolist() == [2, 0, 3.5]


@given(problems())
def test_the_average_of_one_is_the_same_to_the_bit(problem) -> None:
    assume(why_not_averaged(problem.network) is None)
    params = problem.params * np.where(np.arange(problem.params.size) % 3, 1, -0.0)
    found = averaged_params(problem.network, [params])
    assert averaged_network(problem.network, 1) == problem.network
    assert found.tobytes() == params.tobytes()
    assert found is not params


@pytest.mark.parametrize("hidden", [(), (3,), (3, 2)])
def test_float32_stays_float32(hidden: tuple[int, ...]) -> None:
    sizes = [2, *hidden]
    layers = [Layer(*pair, Tanh()) for pair in zip(sizes, hidden, strict=False)]
    network = Network((*layers, Layer(sizes[-1], 2, Identity())), Mse())
    members = some_members(network, 3, dtype=np.float32)
    average, params = members.of_average()
    assert params.dtype == np.float32
    found = predict(average, params, members.X)
    np.testing.assert_allclose(found, members.mean_z(), rtol=1e-5, atol=1e-6)


def test_the_members_are_not_changed() -> None:
    network = Network((Layer(2, 3, Tanh()), Layer(3, 1, Identity())), Mse())
    members = some_members(network, 2)
    copies = [params.copy() for params in members.params]
    _, average = members.of_average()
    average[...] = 0
    np.testing.assert_array_equal(members.params, copies)


@given(members())
def test_a_convex_loss_is_at_most_the_mean_of_the_losses(members: Members) -> None:
    """Jensen's inequality, for the losses that are convex in z."""
    loss = members.network.loss
    assume(loss.is_canonical or members.network.layers[-1].activation.is_identity)
    assume(loss.targets in ("values", "probabilities", "distribution"))
    y = np.zeros((members.network.outputs, len(members.X)))
    y[0] = 1

    def losses(network: Network, params: np.ndarray) -> np.ndarray:
        z = output_z(network, params, members.X).T
        return loss.per_sample(z, predict(network, params, members.X).T, y)

    mean = np.mean([losses(members.network, params) for params in members.params], axis=0)
    assert (losses(*members.of_average()) <= mean + 1e-12 * (1 + abs(mean))).all()


def test_a_squared_error_falls_by_the_variance_of_the_members() -> None:
    """(mean a - y)² = mean (a - y)² - variance of a; Krogh & Vedelsby 1995."""
    members = some_members(
        Network((Layer(2, 3, Tanh()), Layer(3, 1, Identity())), SquaredError()), 4
    )
    outputs = np.array([predict(members.network, each, members.X) for each in members.params])
    expected = ((outputs - 0.3) ** 2).mean(axis=0) - outputs.var(axis=0)
    found = (predict(*members.of_average(), members.X) - 0.3) ** 2
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("output", OUTPUTS)
def test_what_can_be_averaged(hidden: str, output: str) -> None:
    layers = (Layer(2, 3, ACTIVATIONS[hidden]()), Layer(3, 2, ACTIVATIONS[output]()))
    assert why_not_averaged(Network(layers, Mse())) is None


def refused(network: Network) -> str | None:
    """The reason, which both functions raise too."""
    reason = why_not_averaged(network)
    with pytest.raises(ValueError, match=r"can be averaged into one$") as raised:
        averaged_network(network, 2)
    assert str(raised.value) == reason
    with pytest.raises(ValueError, match=r"can be averaged into one$") as raised:
        averaged_params(network, [np.zeros(network.n_params)] * 2)
    assert str(raised.value) == reason
    return reason


def test_a_hidden_softmax_is_refused_by_the_number_of_its_layer() -> None:
    layers = (Layer(2, 3, Tanh()), Layer(3, 2, Softmax()), Layer(2, 1, Tanh()))
    assert refused(Network(layers, Mse())) == (
        "layer 2 is softmax, which would mix the units of all networks: only networks whose "
        "hidden activations act on each unit separately can be averaged into one"
    )


@pytest.mark.parametrize(
    "output", [kind() for name, kind in ACTIVATIONS.items() if name not in OUTPUTS]
)
@pytest.mark.parametrize("hidden", [True, False])
def test_other_outputs_are_refused(output: Activation, hidden: bool) -> None:
    first = (Layer(2, 2, Tanh()),) if hidden else ()
    name = name_of(ACTIVATIONS, output)
    assert refused(Network((*first, Layer(2, 1, output)), Mse())) == (
        f"layer {1 + hidden}, the output, is {name}: only networks whose output is identity, "
        "sigmoid or softmax can be averaged into one"
    )


@pytest.mark.parametrize(
    ("sizes", "found"), [([], r"\[\]"), ([6, 7], r"\[\(6,\), \(7,\)\]"), ([7], r"\[\(7,\)\]")]
)
def test_members_of_another_size_are_refused(sizes: list[int], found: str) -> None:
    network = Network((Layer(2, 2, Softmax()),), CrossEntropy())
    with pytest.raises(ValueError, match=rf"must all have the shape \(6,\): found {found}$"):
        averaged_params(network, [np.zeros(size) for size in sizes])


@pytest.mark.parametrize("hidden", [(Tanh(),), (Tanh(), Maxout(2)), (Relu(), Tanh(), Tanh())])
@pytest.mark.parametrize("bias", ["trained", "none"])
@pytest.mark.parametrize("count", [1, 3])
def test_the_members_of_an_average_are_found_again(
    hidden: tuple[Activation, ...], bias: str, count: int
) -> None:
    rng = np.random.default_rng(0)
    layers, inputs = [], 2
    for units, own in zip((3, 4, 2), hidden, strict=False):
        layers.append(Layer(inputs, units, own, bias))  # type: ignore[arg-type]
        inputs = units
    network = Network((*layers, Layer(inputs, 2, Identity(), bias)), Mse())  # type: ignore[arg-type]
    members = [rng.normal(size=network.n_params) for _ in range(count)]
    wide = averaged_network(network, count)
    params = averaged_params(network, members)
    shape, found = averaged_members(wide, params, count)
    assert shape == network
    X = rng.normal(size=(5, 2))
    outputs = [predict(network, each, X) for each in found]
    assert np.mean(outputs, axis=0) == pytest.approx(predict(wide, params, X), abs=1e-12)
    for own, each in zip(members, found, strict=True):
        for (_, expected), (name, tensor) in zip(
            network.tensors(own), network.tensors(each), strict=True
        ):
            if name != f"b{len(network.layers)}":
                assert tensor == pytest.approx(expected, abs=1e-12)


def test_members_that_cannot_be_told_apart_are_refused() -> None:
    alone = Network((Layer(2, 1, Identity()),), Mse())
    classes = Network((Layer(2, 4, Tanh()), Layer(4, 1, Sigmoid())), Mse())
    odd = Network((Layer(2, 5, Tanh()), Layer(5, 1, Identity())), Mse())
    for network in (alone, classes, odd):
        with pytest.raises(ValueError, match="no average of 2 networks"):
            averaged_members(network, np.zeros(network.n_params), 2)
