from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from systems import CONFIGS

import bpcli
from bpcli.errors import ConfigError, DataError

rng = np.random.default_rng(3)
X = rng.normal(size=(20, 3))
Y = (rng.normal(size=(20, 2)) > 0).astype(float)


def network(**changes: Any) -> bpcli.Network:
    options: dict[str, Any] = {
        "layers": [3, 4, 2],
        "activations": ["tanh", "sigmoid"],
        "loss": "binary_cross_entropy",
    }
    return bpcli.Network(**(options | changes))


def test_gradient_descent_by_hand_is_the_training_bit_for_bit() -> None:
    """A textbook's loop over these passes gives what `train` gives."""
    run = bpcli.train(
        {
            "seed": 5,
            "data": {"inputs": X, "targets": Y[:, 0]},
            "network": {"layers": [3, 4, 1], "activations": ["tanh", "sigmoid"]},
            "loss": "binary_cross_entropy",
            "training": {
                "optimizer": "gradient_descent", "learning_rate": 0.5, "epochs": 200, "l2": 0.1,
            },
        }
    )  # fmt: skip
    mine = network(layers=[3, 4, 1], seed=5)
    for _ in range(200):
        _, grads = mine.value_and_grad(X, Y[:, 0], l2=0.1)
        for W, b, (dW, db) in zip(mine.weights, mine.biases, grads, strict=True):
            W -= 0.5 * dW
            b -= 0.5 * db
    for layer, wanted in zip(mine.parameters, run.parameters, strict=True):
        np.testing.assert_array_equal(layer["W"], wanted["W"])
        np.testing.assert_array_equal(layer["b"], wanted["b"])


def test_the_start_is_that_of_a_config_with_the_seed() -> None:
    run = bpcli.train(CONFIGS / "moons.yaml", overrides={"training.epochs": 0, "seed": 9})
    assert run.epochs == 0
    mine = network(layers=[2, 16, 8, 1], activations=["tanh", "tanh", "sigmoid"], seed=9)
    np.testing.assert_array_equal(mine.weights[1], run.parameters[1]["W"])


def test_the_passes_are_those_of_the_formulas() -> None:
    mine = network(loss="half_squared_error", activations=["tanh", "identity"])
    (W1, W2), (b1, b2) = mine.weights, mine.biases
    z1 = X @ W1.T + b1
    z2 = np.tanh(z1) @ W2.T + b2
    first, last = mine.layers(X)
    np.testing.assert_allclose(first.z, z1, rtol=1e-13)
    np.testing.assert_allclose(first.a, np.tanh(z1), rtol=1e-13)
    np.testing.assert_allclose(last.a, z2, rtol=1e-12)
    np.testing.assert_array_equal(mine.forward(X), last.a)
    assert mine.loss(X, Y) == pytest.approx(((z2 - Y) ** 2).sum() / 2 / 20, rel=1e-13)
    value, ((dW1, _), (dW2, db2)) = mine.value_and_grad(X, Y, l2=0.3)
    penalty = 0.3 / 40 * ((W1**2).sum() + (W2**2).sum())
    assert value == pytest.approx(mine.loss(X, Y) + penalty, rel=1e-13)
    np.testing.assert_allclose(db2, (z2 - Y).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(dW2, (z2 - Y).T @ np.tanh(z1) / 20 + 0.3 / 20 * W2, rtol=1e-11)
    assert dW1.shape == W1.shape


def test_a_weight_of_two_is_a_row_twice() -> None:
    mine = network()
    weight = np.ones(20)
    weight[3] = 2
    value, grads = mine.value_and_grad(X, Y, weight=weight)
    twice = [*range(20), 3]
    other, others = mine.value_and_grad(X[twice], Y[twice])
    assert value == pytest.approx(other, rel=1e-13)
    np.testing.assert_allclose(grads[0][0], others[0][0], rtol=1e-12)
    assert mine.loss(X, Y, weight) == pytest.approx(mine.loss(X[twice], Y[twice]), rel=1e-13)


def test_parameters_can_be_set_whole_and_in_place() -> None:
    mine, other = network(), network(seed=1)
    mine.parameters = other.parameters
    np.testing.assert_array_equal(mine.forward(X), other.forward(X))
    mine.weights = [np.ones((4, 3)), np.zeros((2, 4))]
    mine.biases = [np.zeros(4), [0, 1]]
    np.testing.assert_allclose(mine.forward(X)[0], [0.5, 1 / (1 + np.exp(-1))])
    mine.weights[1][...] = 1
    assert mine.parameters[1]["W"].tolist() == [[1] * 4] * 2
    mine.parameters[1]["W"][...] = 5  # a copy
    assert mine.weights[1].max() == 1
    again = network(parameters=mine.parameters)
    np.testing.assert_array_equal(again.forward(X), mine.forward(X))


def test_layers_may_lack_biases_and_frozen_ones_have_no_gradient() -> None:
    mine = network(bias=[False, "frozen"])
    assert mine.biases[0] is None
    assert mine.parameters[0]["b"] is None
    _, ((_, none), (_, frozen)) = mine.value_and_grad(X, Y)
    assert none is None
    assert frozen.tolist() == [0, 0]
    assert network(bias=[False, "frozen"], parameters=mine.parameters).biases[0] is None


def test_maxout_has_several_rows_per_unit() -> None:
    mine = network(activations=[{"name": "maxout", "pieces": 2}, "sigmoid"])
    assert [W.shape for W in mine.weights] == [(8, 3), (2, 4)]
    assert [(layer.z.shape, layer.a.shape) for layer in mine.layers(X)] == [
        ((20, 8), (20, 4)), ((20, 2), (20, 2)),
    ]  # fmt: skip


def test_a_run_gives_its_network_which_computes_its_outputs() -> None:
    run = bpcli.train(CONFIGS / "moons.yaml", overrides={"training.epochs": 30})
    rows = np.array([[0.0, 1.0], [1.0, -0.5]])
    np.testing.assert_array_equal(run.network.forward(run.inputs(rows)), run.outputs(rows))
    run.network.weights[0][...] = 0  # a copy: the run stays as it is
    assert run.outputs(rows)[0] != run.outputs(rows)[1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"activations": ["tanh"]}, "`activations` has 1 entry, but 3 `layers` need 2"),
        ({"activations": ["tanh", "sigmod"]}, "did you mean `sigmoid`"),
        ({"layers": [3, "auto", 2]}, "found `auto` in `layers`, which needs data|auto"),
        ({"layers": ["auto", 4, 2]}, "found `auto` in `layers`, which needs data: write a number"),
        ({"loss": "cross_entropy"}, "softmax"),
        ({"init": "xavier"}, "xavier_uniform"),
        ({"parameters": [{"W": np.ones((4, 3)), "b": np.ones(4)}]}, "found 1, expected 2: one per"),
        ({"parameters": [{"W": 1}] * 2}, "parameters of layer 1: found W, expected W and b"),
        (
            {"parameters": [{"W": np.ones((3, 4)), "b": np.ones(4)}] * 2},
            "weights of layer 1: found 3 × 4, expected 4 × 3",
        ),
    ],
)
def test_what_is_no_network_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        network(**wrong)


def test_wrong_parameters_change_nothing() -> None:
    mine = network()
    before = mine.parameters
    with pytest.raises(ConfigError, match="weights of layer 2: found 4 × 2, expected 2 × 4"):
        mine.weights = [np.zeros((4, 3)), np.zeros((4, 2))]
    with pytest.raises(ConfigError, match="biases of layer 1: found None, expected 4"):
        mine.biases = [None, np.zeros(2)]
    with pytest.raises(ConfigError, match="biases of layer 2: found 3, expected 2"):
        mine.parameters = [
            {"W": np.zeros((4, 3)), "b": np.zeros(4)},
            {"W": np.zeros((2, 4)), "b": np.zeros(3)},
        ]
    np.testing.assert_array_equal(mine.weights[0], before[0]["W"])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((X[:, :2], Y), "X has the shape 20 × 2, expected n × 3"),
        ((X[0], Y), "X has the shape 3, expected n × 3"),
        ((X[:0], Y), "X has the shape 0 × 3"),
        ((X, Y[:, 0]), "Y has the shape 20, expected n × 2"),
        ((X, Y[:19]), "Y has 19 rows, and X has 20"),
        ((X, Y + 1), "needs targets between 0 and 1, but there are targets between 1 and 2"),
        ((np.where(X[4, 1] == X, np.nan, X), Y), "X has a value .* not finite: row 5, column 2"),
        (([["a", "b", "c"]], Y), "X is not an array of numbers"),
        ((X, Y, 0.0, np.zeros(20)), "weight: expected 20 numbers greater than 0"),
        ((X, Y, 0.0, np.ones(3)), "weight: expected 20 numbers greater than 0"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        network().value_and_grad(*arrays)


def test_each_loss_refuses_targets_that_it_cannot_take() -> None:
    counts = network(loss="poisson", activations=["tanh", "exponential"])
    with pytest.raises(DataError, match="Y: this loss needs targets of 0 or more, but the small"):
        counts.loss(X, Y - 1)
    assert counts.loss(X, 3 * Y) > 0
    classes = network(loss="cross_entropy", activations=["tanh", "softmax"])
    with pytest.raises(DataError, match="Y: this loss needs targets whose rows add up to 1"):
        classes.loss(X, np.ones((20, 2)))


def test_it_shows_its_layers() -> None:
    shown = "Network(3 - 4 tanh - 2 sigmoid, binary_cross_entropy, 26 parameters)"
    assert repr(network()) == shown


@pytest.mark.parametrize("bias", [[1.0], ["a"] * 4])
def test_parameters_that_do_not_fit_change_nothing(bias: list[Any]) -> None:
    net = network()
    before = net.forward(X)
    changed = [{"W": layer["W"] + 1, "b": layer["b"]} for layer in net.parameters]
    changed[0]["b"] = bias
    with pytest.raises(ConfigError, match="biases"):
        net.parameters = changed
    assert np.array_equal(net.forward(X), before)


@pytest.mark.parametrize("l2", [-1, np.nan, np.inf])
def test_a_penalty_is_a_finite_number_of_at_least_0(l2: float) -> None:
    with pytest.raises(ConfigError, match="`l2` is"):
        network().value_and_grad(X, Y, l2=l2)
