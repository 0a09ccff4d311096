from __future__ import annotations

import numpy as np
import pytest

from bpcli.nn.activations import Identity, Maxout, Tanh
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network

NETWORK = Network(
    (Layer(3, 2, Tanh(), "frozen"), Layer(2, 2, Maxout(2), "none"), Layer(2, 1, Identity())), Mse()
)


def test_the_parameter_vector_holds_every_tensor_once() -> None:
    assert NETWORK.n_params == 2 * 4 + 4 * 2 + 3
    vector = np.zeros(NETWORK.n_params)
    for number, (_, tensor) in enumerate(NETWORK.tensors(vector), start=1):
        assert (tensor == 0).all()
        tensor[...] = number
    assert (vector > 0).all()
    shapes = {name: tensor.shape for name, tensor in NETWORK.tensors(vector)}
    assert shapes == {"W1": (2, 3), "b1": (2,), "W2": (4, 2), "W3": (1, 2), "b3": (1,)}


def test_masks_tell_weights_from_biases_and_trained_from_frozen() -> None:
    tensors = dict(NETWORK.tensors(NETWORK.is_weight))
    assert {name: bool(tensor.all()) for name, tensor in tensors.items()} == {
        "W1": True, "b1": False, "W2": True, "W3": True, "b3": False,
    }  # fmt: skip
    marked = np.zeros(NETWORK.n_params)
    marked[NETWORK.frozen] = 1
    assert {name: tensor.sum() for name, tensor in NETWORK.tensors(marked)} == {
        "W1": 0, "b1": 2, "W2": 0, "W3": 0, "b3": 0,
    }  # fmt: skip


def test_layer_slices_follow_each_other() -> None:
    assert [(part.start, part.stop) for part in NETWORK.layer_slices] == [(0, 8), (8, 16), (16, 19)]


def test_layers_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match="units of the layer below"):
        Network((Layer(3, 2, Tanh()), Layer(3, 1, Tanh())), Mse())


def test_parameters_have_the_names_of_their_entries() -> None:
    names = [""] * NETWORK.n_params
    for tensor, positions in NETWORK.tensors(np.arange(NETWORK.n_params)):
        for entry, at in np.ndenumerate(positions):
            names[int(at)] = f"{tensor}[{','.join(str(number + 1) for number in entry)}]"
    assert [NETWORK.param_name(at) for at in range(NETWORK.n_params)] == names
    assert names[:5] == ["W1[1,1]", "W1[1,2]", "W1[1,3]", "b1[1]", "W1[2,1]"]
