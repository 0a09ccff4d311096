"""Statistics of columns that are read piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.column_statistics import Pieces, ends, mean_and_deviation, quartiles
from bpcli.data.scaler import FITTED_RULES, FittedRule, Scaler

ROWS = np.random.default_rng(0).standard_normal((40_000, 3)) * [1, 100, 1e-3] + [0, 1e6, 1]
WEIGHT = np.random.default_rng(1).integers(1, 4, len(ROWS)).astype(np.float64)


def stored(rows: np.ndarray, weight: np.ndarray | None = None) -> Pieces:
    return Pieces(rows.shape, rows.__getitem__, weight, is_stored=True)


def test_several_pieces_agree_with_numpy() -> None:
    pieces = Pieces.of_array(ROWS)
    assert not pieces.is_one
    mean, deviation, largest = mean_and_deviation(pieces)
    np.testing.assert_allclose(mean, ROWS.mean(axis=0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(deviation, ROWS.std(axis=0), rtol=1e-9)
    np.testing.assert_array_equal(largest, np.abs(ROWS).max(axis=0))
    np.testing.assert_array_equal(ends(pieces), [ROWS.min(axis=0), ROWS.max(axis=0)])
    whole = np.quantile(ROWS, [0.25, 0.5, 0.75], axis=0)
    np.testing.assert_array_equal(quartiles(pieces), whole)
    np.testing.assert_array_equal(quartiles(stored(ROWS)), whole)


def test_one_piece_keeps_the_bits_of_numpy() -> None:
    few = ROWS[:1000]
    mean, deviation, _ = mean_and_deviation(Pieces.of_array(few))
    np.testing.assert_array_equal(mean, few.mean(axis=0))
    np.testing.assert_array_equal(deviation, few.std(axis=0))


@pytest.mark.parametrize("rule", FITTED_RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.bool_])
@pytest.mark.parametrize("rows", [1000, 40_000])
def test_the_layout_in_memory_changes_no_bit_of_a_scale(
    rule: FittedRule, dtype: type, rows: int
) -> None:
    given = (ROWS[:rows] / [1, 1e6, 1]).clip(0).astype(dtype)
    scale = Scaler.fit(rule, given)
    wide = np.concatenate([given, given], axis=1)[:, :3]
    for other in (stored(given), stored(wide)):
        again = Scaler.fit(rule, other)
        np.testing.assert_array_equal(again.shift, scale.shift)
        np.testing.assert_array_equal(again.factor, scale.factor)


def test_a_row_of_weight_k_counts_as_k_rows_in_several_pieces() -> None:
    repeated = np.repeat(ROWS, WEIGHT.astype(int), axis=0)
    mean, deviation, _ = mean_and_deviation(Pieces.of_array(ROWS, WEIGHT))
    np.testing.assert_allclose(mean, repeated.mean(axis=0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(deviation, repeated.std(axis=0), rtol=1e-9)
