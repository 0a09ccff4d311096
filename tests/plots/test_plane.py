"""Windows onto a plane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.plots.plane import Window, leads, widened


@given(st.integers(2, 4), st.integers(0, 100))
def test_the_lead_is_over_the_largest_of_the_others(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 4, (count, 7)).astype(float)
    for row, lead in enumerate(leads(values)):
        assert lead.tolist() == (values[row] - np.delete(values, row, axis=0).max(0)).tolist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.0, 100.0], (-12, 112)), ([5.0], (2.5, 7.5)), ([0.0, 0.0], (-0.5, 0.5))],
)
def test_a_window_has_a_margin_and_never_no_width(
    values: list[float], expected: tuple[float, float]
) -> None:
    assert widened(np.array(values)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("height", "shape"), [(1.0, 0.5), (2.0, 1.0), (4.0, 2.0), (0.5, 1.0), (300.0, 1.0)]
)
def test_a_window_is_drawn_to_scale_unless_its_ranges_differ_much(
    height: float, shape: float
) -> None:
    window = Window.around(np.array([[0.0, 0.0], [2.0, height]]), 3)
    assert window.shape == pytest.approx(shape)
