"""What is left of a network computes the same as the whole one with weights of 0."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.nn.activations import Identity, Maxout, Softmax, Tanh
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import predict
from bpcli.pruning.remaining import Column, Group, Remaining
from bpcli.pruning.removal import by_magnitude, saved, with_mean

NETWORK = Network(
    (
        Layer(4, 3, Maxout(pieces=2)),
        Layer(3, 2, Tanh(), "none"),
        Layer(2, 2, Identity(), "frozen"),
    ),
    Mse(),
)
COLUMNS = (Column("a", 1), Column("colour", 2), Column("b", 1))
WHOLE = Remaining.all_of(NETWORK, COLUMNS)
RNG = np.random.default_rng(0)
PARAMS, X = RNG.normal(size=NETWORK.n_params), RNG.normal(size=(7, 4))


@pytest.mark.parametrize("group", [*WHOLE.groups()], ids=lambda group: group.name)
def test_a_removed_group_is_one_whose_weights_are_0(group: Group) -> None:
    zeroed = PARAMS.copy()
    zeroed[WHOLE.weights_of(group)] = 0
    smaller, params = WHOLE.without(group), WHOLE.params_without(group, zeroed)
    assert len(params) == smaller.network.n_params == NETWORK.n_params - saved(WHOLE, group)
    rows = np.delete(X, group.columns, axis=1) if group.kind == "input" else X
    expected = predict(NETWORK, zeroed, X)
    assert predict(smaller.network, params, rows) == pytest.approx(expected, rel=1e-12)
    assert predict(NETWORK, PARAMS, X) != pytest.approx(expected, rel=1e-3)


def test_a_column_goes_with_all_its_inputs_and_a_unit_keeps_its_number() -> None:
    groups = {group.name: group for group in WHOLE.groups()}
    assert [*groups] == [
        "a", "colour", "b", "unit 1 of layer 1", "unit 2 of layer 1", "unit 3 of layer 1",
        "unit 1 of layer 2", "unit 2 of layer 2",
    ]  # fmt: skip
    smaller = WHOLE.without(groups["colour"]).without(groups["unit 2 of layer 1"])
    assert (smaller.sizes, smaller.hidden) == ([2, 2, 2, 2], [2, 2])
    assert smaller.columns == (COLUMNS[0], COLUMNS[2])
    assert [group.name for group in smaller.groups()][2:4] == [
        "unit 1 of layer 1", "unit 3 of layer 1",
    ]  # fmt: skip


def test_the_last_of_a_layer_stays_and_so_do_units_that_depend_on_each_other() -> None:
    layers = (Layer(1, 2, Softmax()), Layer(2, 1, Tanh()), Layer(1, 1, Identity()))
    network = Network(layers, Mse())
    assert not [*Remaining.all_of(network, [Column("a", 1)]).groups()]


def test_the_mean_of_a_group_takes_its_place() -> None:
    ones = np.vstack([X.T, np.ones(len(X))])
    column, unit = [*WHOLE.groups()][1], [*WHOLE.groups()][3]
    after = with_mean(WHOLE, column, PARAMS, ones)
    averaged = X.copy()
    averaged[:, 1:3] = X[:, 1:3].mean(axis=0)
    assert predict(NETWORK, after, X) == pytest.approx(predict(NETWORK, PARAMS, averaged))
    without = PARAMS.copy()
    without[WHOLE.weights_of(unit)] = 0  # the layer above has no bias
    assert np.array_equal(with_mean(WHOLE, unit, PARAMS, ones), without)


def test_by_magnitude_the_smallest_weights_go() -> None:
    params, groups = PARAMS.copy(), [*WHOLE.groups()]
    params[WHOLE.weights_of(groups[2])] = 1e-3
    found = by_magnitude(WHOLE, groups, params, np.vstack([X.T, np.ones(len(X))]))
    assert found.group == groups[2]
    assert found.saliency == pytest.approx(1e-6)
