from __future__ import annotations

import numpy as np
import pytest

from bpcli.gradient_check.derivatives import CENTRAL_STEP
from bpcli.gradient_check.probe import Point, Probe, choose_entries
from bpcli.nn.activations import Identity, Relu, Sigmoid
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network

NETWORK = Network((Layer(1, 1, Relu()), Layer(1, 1, Identity())), HalfSquaredError())
"""a = W2 max(0, W1 x + b1) + b2: parameters W1, b1, W2, b2."""


def probe(x: float, y: float = 1.0) -> Probe:
    return Probe(NETWORK, np.array([[x], [1.0]]), np.array([[y]]))


def test_no_step_moves_any_z_by_more_than_the_central_step() -> None:
    steps = probe(100.0).central_steps(np.array([0.5, 0.0, 1.0, 0.0]))
    assert steps == pytest.approx(CENTRAL_STEP / np.array([100, 1, 50, 1]))
    steps = probe(0.01).central_steps(np.array([0.5, 0.0, 1.0, 0.0]))
    assert steps == pytest.approx([CENTRAL_STEP] * 4)


def test_a_kink_lies_between_two_linear_regions() -> None:
    params = np.array([1.0, 0.0, 1.0, 0.0])
    step = np.array([0.0, 0.1, 0.0, 0.0])
    assert probe(0.05).has_kink(params, step)
    assert not probe(0.2).has_kink(params, step)
    assert not probe(0.05).has_kink(params, step[::-1])


def test_the_size_of_terms_bounds_the_gradient_where_it_cancels() -> None:
    params = np.array([2.0, 0.0, 3.0, 0.0])
    # |a| + |y| = 12 + 12 at the output: by W2 12 * 4 and by b2 12, by W1 and b1 3 times as much.
    top = 24 * np.array([3 * 2, 3, 4, 1])
    assert probe(2.0, 12.0).size_of_terms(params) == pytest.approx(np.linalg.norm(top))
    assert probe(2.0, 12.0).size_of_jacobian(params) == pytest.approx(np.linalg.norm(top / 24))


def test_the_size_of_curvature_adds_both_ends_of_the_step() -> None:
    params, direction = np.array([2.0, 0.0, 3.0, 0.0]), np.array([0.0, 0.0, 0.6, 0.8])
    here = probe(2.0)
    ends = here.size_of_terms(params) + here.size_of_terms(params + direction)
    assert here.size_of_curvature(params, direction) == pytest.approx(ends * (1 + 4 * 1.4))


def test_entries_are_chosen_from_every_tensor() -> None:
    layers = (Layer(3, 4, Sigmoid()), Layer(4, 2, Identity(), "frozen"))
    network = Network(layers, HalfSquaredError())
    every = choose_entries(network, None, np.random.default_rng(0))
    assert np.flatnonzero(~every).tolist() == network.frozen.tolist()
    some = choose_entries(network, 3, np.random.default_rng(0))
    counts = {name: int(tensor.sum()) for name, tensor in network.tensors(some)}
    assert counts == {"W1": 3, "b1": 3, "W2": 3, "b2": 0}
    other = choose_entries(network, 3, np.random.default_rng(1))
    assert (some != other).any()


def test_a_point_leaves_out_entries_whose_double_step_meets_a_kink() -> None:
    params = np.array([0.0, 1.5 * CENTRAL_STEP, 1.0, 0.0])
    chosen = np.array([True, True, True, False])
    point = Point.of(probe(1.0), params, chosen)
    assert point.kinked.tolist() == [True, True, False, False]
    assert point.entries.tolist() == [2]
    assert point.without_kinks().entries.tolist() == [0, 1, 2]
