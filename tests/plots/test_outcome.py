"""Which targets have a panel."""

from __future__ import annotations

import numpy as np

from bpcli.plots.outcome import shown_targets


def test_of_many_targets_those_that_vary_most_have_panels() -> None:
    values = np.random.default_rng(0).normal(size=(50, 9)) * [0, 1, 2, 3, 0, 4, 5, 6, 0.1]
    assert shown_targets(values).tolist() == [1, 2, 3, 5, 6, 7]
    assert shown_targets(np.ones((3, 2))).tolist() == [0, 1]
