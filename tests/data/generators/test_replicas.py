"""Tables that are scikit-learn's, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from bpcli.data.generators import GENERATORS

RNG = np.random.default_rng

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("moons", {}),
    ("moons", {"n_samples": 600, "noise": 0.15}),
    ("moons", {"n_samples": 7, "noise": 2.5}),
    ("moons", {"n_samples": 2}),
    ("circles", {}),
    ("circles", {"n_samples": 501, "noise": 0.1, "factor": 0.3}),
    ("circles", {"n_samples": 2, "factor": 0.0}),
    ("blobs", {}),
    ("blobs", {"n_samples": 32, "n_features": 5, "centers": 7, "cluster_std": 0.25}),
    ("blobs", {"n_samples": 3, "centers": 5, "cluster_std": 0.0}),
    ("regression", {}),
    ("regression", {"n_samples": 203, "n_features": 13, "noise": 4.0}),
    ("regression", {"n_features": 6, "n_informative": 2, "n_targets": 3, "intercept": -7.5}),
    ("regression", {"n_samples": 1, "n_features": 4, "noise": 0.5}),
]


@pytest.mark.parametrize("seed", [0, 1, 20_261_130])
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_rows_are_scikit_learns_bit_for_bit(name: str, options: dict[str, Any], seed: int) -> None:
    generator = GENERATORS[name](**options)
    table = generator.table(RNG(seed))
    theirs = vars(generator).copy()
    if name == "regression":
        theirs["bias"] = theirs.pop("intercept")
    make = getattr(datasets, f"make_{name}")
    X, y = make(random_state=int(RNG(seed).integers(2**31)), **theirs)
    assert isinstance(table.X, np.ndarray)
    assert (table.X.shape, table.X.tobytes()) == (X.shape, X.tobytes())
    if table.labels is not None:
        assert table.labels.tolist() == y.tolist()
    else:
        assert table.Y is not None
        assert table.Y.tobytes() == y.tobytes()


@pytest.mark.parametrize("name", ["moons", "circles", "blobs", "regression"])
def test_another_state_of_the_random_generator_makes_other_rows(name: str) -> None:
    rng, generator = RNG(3), GENERATORS[name]()
    assert not np.array_equal(generator.table(rng).X, generator.table(rng).X)
