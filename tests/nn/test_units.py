from __future__ import annotations

import weakref

import numpy as np
import pytest
from hypothesis import given
from strategies import Problem, problems

from bpcli.nn import units
from bpcli.nn.activation import Activation
from bpcli.nn.activations import (
    Elu,
    Exponential,
    Identity,
    LeakyRelu,
    Maxout,
    Relu,
    Sigmoid,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from bpcli.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Mse, Poisson
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import bytes_per_sample, columns_of
from bpcli.nn.units import UnitCounter, UnitCounts, rows_to_look_at


def counts(network: Network, params: np.ndarray, X: np.ndarray) -> UnitCounts:
    return UnitCounter(network, columns_of(network, X, params.dtype)).count(params)


def counts_of(hidden: Activation, z: np.ndarray) -> UnitCounts:
    """Of a hidden layer whose z (rows, samples) is as given, below two linear outputs."""
    rows = len(z)
    hidden_units = rows // hidden.rows_per_unit
    layers = (Layer(rows, hidden_units, hidden, "none"), Layer(hidden_units, 2, Identity()))
    network = Network(layers, Mse())
    params = np.zeros(network.n_params)
    network.matrices(params)[0][...] = np.eye(rows)
    return counts(network, params, z.T)


def edges_of(activation: Activation, edge: float) -> np.ndarray:
    """z of four units over 20 rows: all just inside the edge, one row or two so, none so."""
    beyond = np.full(20, edge * 1.001)
    z = np.array([beyond * 0.998, beyond, beyond, beyond])
    z[1, 0] = z[2, :2] = 0.0
    return z


@pytest.mark.parametrize(
    ("activation", "edge"),
    [  # where f'(z) is a twentieth of its largest value
        (Tanh(), np.arctanh(np.sqrt(0.95))),  # 1 - tanh² z = 0.05
        (Sigmoid(), 2 * np.arctanh(np.sqrt(0.95))),  # σ' = (1 - tanh²(z/2)) / 4
        (Softsign(), np.sqrt(20) - 1),  # 1 / (1 + |z|)² = 0.05
        (Softplus(), np.log(0.05 / 0.95)),  # f' = σ
        (Elu(), np.log(0.05)),  # f' = e^z
        (Elu(alpha=2.0), np.log(0.05)),  # f' = 2 e^z, at most 2
        (Elu(alpha=0.5), np.log(0.1)),  # f' = e^z / 2, at most 1
    ],
)
def test_a_unit_is_saturated_where_its_slope_is_small_on_95_percent_of_the_rows(
    activation: Activation, edge: float
) -> None:
    assert counts_of(activation, edges_of(activation, edge)) == ([0, 0], [2, 0])
    other_side = counts_of(activation, -edges_of(activation, edge))
    assert other_side.saturated[0] == (2 if edge > 0 else 0)


@pytest.mark.parametrize("activation", [Relu(), LeakyRelu(slope=0.0)])
def test_a_relu_is_dead_where_it_is_inactive_on_every_row(activation: Activation) -> None:
    z = -np.ones((3, 100))
    z[1, 7] = 1e-9  # a single row keeps it alive
    z[2] = 0  # its derivative at 0 is 0
    assert counts_of(activation, z) == ([2, 0], [0, 0])


@pytest.mark.parametrize("activation", [LeakyRelu(), Identity(), Maxout(2), Maxout(3)])
def test_what_always_passes_a_gradient_has_neither(activation: Activation) -> None:
    assert counts_of(activation, np.full((6, 50), -100.0)) == ([0, 0], [0, 0])


def test_an_exponential_is_dead_where_it_is_rounded_to_0_and_never_saturated() -> None:
    z = np.full((2, 50), -800.0)
    z[1] = -100
    assert counts_of(Exponential(), z) == ([1, 0], [0, 0])


@pytest.mark.parametrize(("loss", "dead"), [(Poisson(), 0), (Mse(), 1)])
def test_an_exponential_output_is_not_dead_under_the_loss_of_counts(loss: Loss, dead: int) -> None:
    network = Network((Layer(1, 1, Exponential()),), loss)
    assert counts(network, np.array([-800.0, 0]), np.ones((5, 1))) == ([dead], [0])


@pytest.mark.parametrize("activation", [Sigmoid(), Tanh(), Elu()])
def test_a_unit_whose_output_rounds_to_its_bound_is_dead_and_not_saturated(
    activation: Activation,
) -> None:
    z = np.full((2, 50), -800.0)
    z[1, 0] = 0
    assert counts_of(activation, z) == ([1, 0], [1, 0])


def test_a_gradient_of_1e_13_is_no_death() -> None:
    assert counts_of(Sigmoid(), np.full((1, 50), -30.0)) == ([0, 0], [1, 0])


@pytest.mark.parametrize(
    ("output", "loss", "saturated"),
    [
        (Sigmoid(), BinaryCrossEntropy(), 0),
        (Softmax(), CrossEntropy(), 0),
        (Softmax(), Mse(), 0),
        (Sigmoid(), Mse(), 2),
    ],
)
def test_outputs_whose_delta_has_no_slope_as_a_factor_have_neither(
    output: Activation, loss: Loss, saturated: int
) -> None:
    network = Network((Layer(1, 2, output),), loss)
    assert counts(network, np.array([10.0, 0, -10, 0]), np.ones((5, 1))) == ([0], [saturated])


@given(problems())
def test_a_layer_has_no_more_of_them_than_units_however_few_rows_are_taken_at_once(
    problem: Problem,
) -> None:
    network = problem.network
    found = counts(network, problem.params, problem.X)
    for layer, dead, saturated in zip(network.layers, *found, strict=True):
        assert dead >= 0 <= saturated
        assert dead + saturated <= layer.units
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "_BYTES_AT_ONCE", 3 * bytes_per_sample(network, problem.params.dtype))
        assert counts(network, problem.params, problem.X) == found


def test_who_counts_keeps_no_parameters() -> None:
    network = Network((Layer(1, 2, Tanh()), Layer(2, 1, Identity())), Mse())
    counter = UnitCounter(network, columns_of(network, np.ones((5, 1)), np.dtype(float)))
    params = np.ones(network.n_params)
    known = weakref.ref(params)
    assert counter.count(params) == ([0, 0], [0, 0])
    del params
    assert known() is None


@pytest.mark.parametrize(
    ("count", "looked_at", "step"),
    [(4, 4, 1), (1000, 1000, 1), (1001, 501, 2), (60_000, 1000, 60), (60_001, 984, 61)],
)
def test_at_most_a_thousand_rows_evenly_spaced(count: int, looked_at: int, step: int) -> None:
    rows = rows_to_look_at(count)
    assert len(rows) == looked_at
    assert set(np.diff(rows).tolist()) == {step}
    assert rows[0] == 0
    assert count - step <= rows[-1] < count
