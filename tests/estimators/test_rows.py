from __future__ import annotations

import numpy as np
import pytest

from bpcli.estimators.rows import FitRows

VALUES = np.random.default_rng(0).permutation(np.repeat(np.arange(20.0), 3))
X, CLASSES = VALUES[:, None], VALUES.astype(int) % 2


@pytest.mark.parametrize("strata", [None, CLASSES])
@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_are_held_out_together_or_not_at_all(
    strata: np.ndarray | None, seed: int
) -> None:
    rows = FitRows(X, CLASSES, None, strata).held_out(0.3, seed)
    assert rows.val is not None
    assert set(VALUES[rows.val]).isdisjoint(VALUES[rows.training_rows])
    assert len(rows.val) == 18


def test_rows_with_other_targets_are_not_equal() -> None:
    rows = FitRows(np.zeros((40, 1)), np.arange(40.0)).held_out(0.25, 0)
    assert rows.val is not None
    assert len(rows.val) == 10


def test_the_order_of_rows_does_not_decide_which_are_held_out() -> None:
    order = np.random.default_rng(1).permutation(len(X))
    some = FitRows(X, CLASSES).held_out(0.3, 0).val
    others = FitRows(X[order], CLASSES[order]).held_out(0.3, 0).val
    assert some is not None
    assert others is not None
    assert set(VALUES[some]) == set(VALUES[order][others])
