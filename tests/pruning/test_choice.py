from __future__ import annotations

import numpy as np
import pytest

from bpcli.pruning.choice import Estimate, best, estimate, is_at_its_end, limit, smallest


def test_a_standard_error_is_that_of_the_mean_of_rows_and_only_ratios_of_weights_count() -> None:
    losses = np.random.default_rng(0).exponential(size=40)
    found = estimate(losses, None)
    assert found == pytest.approx((losses.mean(), losses.std(ddof=1) / np.sqrt(40)))
    assert estimate(losses, np.full(40, 3.0)) == pytest.approx(found)
    half, squares = losses[20:], 20 * losses[20:].var()
    weighted = estimate(losses, np.repeat([1e-9, 1.0], 20))
    assert weighted == pytest.approx((half.mean(), np.sqrt(40 / 39 * squares) / 20))


def path_of(*means: float, error: float = 0.1) -> list[Estimate]:
    return [Estimate(mean, error) for mean in means]


def test_the_last_one_within_a_standard_error_of_the_best_is_kept() -> None:
    path = path_of(1.0, 0.5, 0.7, 0.59, 0.8)
    assert (best(path), limit(path), smallest(path)) == (1, pytest.approx(0.6), 3)
    assert smallest(path_of(0.5, 0.7)) == 0
    assert best(path_of(0.5, 0.5)) == 1


def test_a_path_ends_after_so_many_that_are_too_bad() -> None:
    assert not is_at_its_end(path_of(0.5, 0.7), 2)
    assert is_at_its_end(path_of(0.5, 0.7, 0.8), 2)
    assert not is_at_its_end(path_of(0.5, 0.7, 0.55), 1)
