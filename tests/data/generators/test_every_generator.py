from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.generators import GENERATORS

RNG = np.random.default_rng


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_makes_a_finite_table_and_repeats_itself(name: str) -> None:
    generator = GENERATORS[name]()
    table, again = generator.table(RNG(5)), generator.table(RNG(5))
    assert table.X.dtype == np.float64
    assert np.isfinite(table.X).all()
    assert len(table.input_names) == table.X.shape[1]
    np.testing.assert_array_equal(table.X, again.X)
    assert (table.labels is None) != (table.Y is None)
    if table.labels is not None:
        assert set(table.labels) == set(range(len(table.class_names)))
    else:
        assert table.Y is not None
        assert table.Y.shape == (len(table), len(table.target_names))


@pytest.mark.parametrize(
    "name",
    ["regression", "moons", "plane", "diamond", "teacher", "blobs", "sine", "spirals", "gaussians"],
)
def test_another_seed_makes_other_rows(name: str) -> None:
    generator = GENERATORS[name]()
    assert not np.array_equal(generator.table(RNG(5)).X, generator.table(RNG(6)).X)
