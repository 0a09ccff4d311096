"""Which units and weights a diagram shows, and in which order."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.nn.activations import Tanh
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network
from bpcli.plots.network_layout import Column, Line, crossings, layout_of


def network(*sizes: int) -> Network:
    return Network(tuple(Layer(n, m, Tanh()) for n, m in pairwise(sizes)), Mse())


def columns(*counts: int) -> list[Column]:
    return [Column(tuple(range(count)), count, has_bias=False) for count in counts]


@pytest.mark.parametrize(
    ("ends", "expected"), [((0, 1), 0), ((1, 0), 2)], ids=["side by side", "across"]
)
def test_a_crossing_counts_as_the_smaller_weight(ends: tuple[int, int], expected: float) -> None:
    lines = [[Line(0, ends[0], 5.0), Line(1, ends[1], -2.0)]]
    assert crossings(columns(2, 2), lines) == expected


@given(st.integers(0, 50))
def test_the_order_never_has_more_crossings_and_loses_no_unit(seed: int) -> None:
    net = network(3, 10, 9, 2)
    params = np.random.default_rng(seed).normal(size=net.n_params)
    layout = layout_of(net, params)
    natural = [
        Column(tuple(sorted(column.units)), column.count, column.has_bias)
        for column in layout.columns
    ]
    assert crossings(layout.columns, layout.lines) <= crossings(natural, layout.lines)
    assert [column.count for column in natural] == [3, 10, 9, 2]
    assert all(len(set(column.units)) == column.count for column in layout.columns)
    assert layout.columns[0] == natural[0]
    assert layout.columns[-1] == natural[-1]
    assert layout.is_ordered == (layout.columns != natural)


def test_units_that_undo_each_others_crossings_are_ordered() -> None:
    net = network(8, 8, 8)
    params = np.zeros(net.n_params)
    first, second = (matrix[:, :8] for matrix in net.matrices(params))
    first[...], second[...] = np.eye(8)[::-1], np.eye(8)[::-1]
    layout = layout_of(net, params)
    assert crossings(layout.columns, layout.lines) == 0
    assert layout.columns[1].units == tuple(range(7, -1, -1))


def test_of_many_units_those_with_the_largest_weights_are_shown() -> None:
    net = network(30, 4, 2)
    params = np.full(net.n_params, 0.01)
    net.matrices(params)[0][2, [3, 29]] = [5.0, -4.0]
    layout = layout_of(net, params)
    inputs = layout.columns[0]
    assert (len(inputs.units), inputs.left_out, inputs.rows) == (14, 16, 16)
    assert {3, 29} <= set(inputs.units)
    assert list(inputs.units) == sorted(inputs.units)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((2, 4, 1), [12, 5]), ((64, 32, 10), [40, 40]), ((9,) * 11, [12] * 10)],
)
def test_every_layer_has_its_share_of_the_lines(
    sizes: tuple[int, ...], expected: list[int]
) -> None:
    net = network(*sizes)
    layout = layout_of(net, np.random.default_rng(0).normal(size=net.n_params))
    assert [len(lines) for lines in layout.lines] == expected
    assert layout.counts == [(n + 1) * m for n, m in pairwise(sizes)]


def test_the_lines_of_a_layer_are_the_largest() -> None:
    net = network(12, 12)
    params = np.random.default_rng(1).permutation(net.n_params) - 78.0
    lines = layout_of(net, params).lines[0]
    shown = sorted(abs(line.value) for line in lines)
    assert shown == sorted(np.abs(params))[-len(lines) :]
    assert all(net.matrices(params)[0][line.end, line.start] == line.value for line in lines)
