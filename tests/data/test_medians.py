"""Exact medians of rows that are read piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.column_statistics import Pieces
from bpcli.data.medians import medians


@pytest.mark.parametrize("rows", [1, 2, 3, 1000, 1001, 50_000, 120_001])
def test_medians_are_those_of_numpy(rows: int) -> None:
    rng = np.random.default_rng(rows)
    columns = np.column_stack(
        [
            rng.standard_normal(rows),
            rng.integers(0, 3, rows),
            np.sort(rng.exponential(size=rows)),
            np.zeros(rows),
            np.arange(rows) % 7 == 0,
            np.where(np.arange(rows) < rows // 2, 0, rng.random(rows)),
            np.where(np.arange(rows) % (-(-rows // 2**14)), 5.0, 0.0),  # the sample misleads
        ]
    )
    np.testing.assert_array_equal(medians(Pieces.of_array(columns)), np.median(columns, axis=0))
