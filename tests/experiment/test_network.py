from __future__ import annotations

import pytest
from builds import INLINE, MOONS, built

from bpcli.experiment.network import network_of_sizes
from bpcli.nn.activations import Sigmoid, Tanh


def test_auto_takes_sizes_from_the_data() -> None:
    experiment = built(MOONS, "network.layers=[auto, 3, auto]")
    assert (experiment.network.inputs, experiment.network.outputs) == (2, 1)
    experiment = built(
        MOONS,
        "network.layers=[auto, 3, auto]",
        "network.activations=[tanh, softmax]",
        "loss=cross_entropy",
    )
    assert experiment.network.outputs == 2
    experiment = built(
        MOONS, "network.layers=[auto, 3, auto]", "data={generator: diabetes}", "loss=mse"
    )
    assert (experiment.network.inputs, experiment.network.outputs) == (10, 1)


def test_explicit_parameters_and_bias_switches() -> None:
    experiment = built(
        INLINE,
        "network.bias=[frozen, false]",
        "network.parameters=[{weights: [[1, 2], [3, 4], [5, 6]], bias: [7, 8, 9]}, "
        "{weights: [[1, 2, 3]]}]",
    )
    tensors = dict(experiment.network.tensors(experiment.initial_params))
    assert tensors["W1"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert tensors["b1"].tolist() == [7, 8, 9]
    assert set(tensors) == {"W1", "b1", "W2"}
    assert len(experiment.network.frozen) == 3


@pytest.mark.parametrize(
    ("bias", "expected"),
    [
        ("true", ["trained"] * 2), ("false", ["none"] * 2), ("frozen", ["frozen"] * 2),
        ("[false, frozen]", ["none", "frozen"]), ("[frozen, true]", ["frozen", "trained"]),
    ],
)  # fmt: skip
def test_a_bias_is_one_for_all_layers_or_one_for_each(bias: str, expected: list[str]) -> None:
    layers = built(MOONS, f"network.bias={bias}").network.layers
    assert [layer.bias for layer in layers] == expected


def test_a_network_has_the_sizes_that_were_asked_for() -> None:
    spec = built(MOONS).spec
    layers = network_of_sizes(spec, [5, 6, 7]).layers
    assert [(layer.inputs, layer.units) for layer in layers] == [(5, 6), (6, 7)]
    assert [type(layer.activation) for layer in layers] == [Tanh, Sigmoid]
