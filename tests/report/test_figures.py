"""Numbers of a report."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bpcli.report.figures import short, shorts, text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (math.nan, "NaN"), (-math.inf, "−∞"), (0.0, "0"), (1234.0, "1,234"),
        (-0.25, "−0.25"), (0.123456, "0.1235"), (1234.56, "1,235"), (1.1e-5, "1.1·10⁻⁵"),
        (-2.5e-9, "−2.5·10⁻⁹"), (3.2e20, "3.2·10²⁰"),
    ],
)  # fmt: skip
def test_a_number_is_short(value: float | None, text: str) -> None:
    assert text_of(value) == text


def test_numbers_for_scripts_are_rounded_and_finite() -> None:
    assert short(1 / 3) == 0.33333
    assert shorts(np.array([1.0, np.nan, np.inf])) == [1.0, None, None]
