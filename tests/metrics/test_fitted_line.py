"""The line through predicted against true values, beside numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.metrics.fitted_line import fitted_line


def test_the_line_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=50) * 3 + 5
    y = 0.7 * x - 2 + rng.normal(size=50)
    line = fitted_line(x, y)
    assert line is not None
    np.testing.assert_allclose(line[:2], np.polyfit(x, y, 1))
    np.testing.assert_allclose(line.r, np.corrcoef(x, y)[0, 1])


@pytest.mark.parametrize(
    "flat", [np.full(10, 0.3), np.full(10, np.inf), np.append(np.arange(9.0), np.nan)]
)
def test_there_is_no_line_through_constant_or_infinite_numbers(flat: np.ndarray) -> None:
    assert fitted_line(flat, np.arange(10.0)) is None
    assert fitted_line(np.arange(10.0), flat) is None
