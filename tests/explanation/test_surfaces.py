from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.columns import InputColumn
from bpcli.explanation.columns import Column
from bpcli.explanation.draws import resample_counts
from bpcli.explanation.effects import Curve, effect, number_steps
from bpcli.explanation.surfaces import cell_means, dependence_surface, interaction
from bpcli.nn.arrays import Array

A, B = Column(InputColumn("a"), 0), Column(InputColumn("b"), 1)
LATTICE = np.stack(np.meshgrid(np.linspace(0, 2, 61), np.linspace(-1, 3, 61)), -1).reshape(-1, 2)


def product(X: Array) -> Array:
    return np.stack([X[:, 0] * X[:, 1], X[:, 0] - X[:, 1] ** 2], axis=1)


def curve(column: Column, X: Array) -> Curve:
    steps = number_steps(column, X, product)
    assert steps is not None
    return effect(steps, resample_counts(len(X), 0))


def test_a_product_interacts_as_the_product_of_its_centred_factors() -> None:
    """a b = (a - c)(b - d) + d a + c b - c d, with means c and d over the rows of the cells."""
    found = interaction(A, B, LATTICE, product)
    assert found is not None
    x, y = found.x, found.y
    own, other = ((edges[1:] + edges[:-1]) / 2 for edges in (x, y))
    c = (found.counts.sum(axis=1) * own).sum() / found.counts.sum()
    d = (found.counts.sum(axis=0) * other).sum() / found.counts.sum()
    expected = np.outer(x - c, y - d)
    assert found.values[:, :, 0] == pytest.approx(expected, abs=1e-10)
    assert found.values[:, :, 1] == pytest.approx(np.zeros_like(expected), abs=1e-12)
    cells = cell_means(expected[:, :, np.newaxis])[:, :, 0]
    deviation = np.sqrt((found.counts * cells**2).sum() / found.counts.sum())
    assert found.strength == pytest.approx([deviation, 0], abs=1e-10)


def test_a_surface_is_the_sum_of_curves_and_interaction() -> None:
    """For independent columns, it is the function itself, minus its mean."""
    found = interaction(A, B, LATTICE, product)
    assert found is not None
    surface = found.joined(curve(A, LATTICE), curve(B, LATTICE))
    expected = np.outer(found.x, found.y)
    difference = surface.values[:, :, 0] - expected
    assert np.ptp(difference) < 0.02 * np.ptp(expected)
    depends = dependence_surface(A, B, found, LATTICE, product)
    assert np.ptp(depends.values[:, :, 0] - expected) < 1e-12
    assert surface.empty == 0


def test_cells_without_rows_are_counted_and_extrapolated(rng: np.random.Generator) -> None:
    a = rng.uniform(size=500)
    X = np.stack([a, a + 0.05 * rng.uniform(size=500)], axis=1)
    found = interaction(A, B, X, product)
    assert found is not None
    assert found.counts.sum() == 500
    surface = found.joined(curve(A, X), curve(B, X))
    assert 0.5 < surface.empty < 1
    assert np.isfinite(surface.values).all()


def test_few_rows_have_few_cells(rng: np.random.Generator) -> None:
    found = interaction(A, B, rng.normal(size=(80, 2)), product)
    assert found is not None
    assert found.counts.shape == (4, 4)


def test_a_constant_column_has_no_surface() -> None:
    X = np.ones((20, 2))
    X[:, 0] = np.arange(20)
    assert interaction(A, B, X, product) is None
