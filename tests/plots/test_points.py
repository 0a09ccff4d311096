"""Points stand out from what is behind them."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_rgb

from bpcli.plots.points import edge_of, other, point_size
from bpcli.plots.style import COLOURS, HATCHES, MARKERS


def lightness(colour: str) -> float:
    red, green, blue = (channel**2.2 for channel in to_rgb(colour))
    return 116 * float(0.2126 * red + 0.7152 * green + 0.0722 * blue) ** (1 / 3) - 16


@pytest.mark.parametrize("fill", COLOURS)
def test_the_outline_of_a_point_contrasts_with_its_fill(fill: str) -> None:
    assert abs(lightness(edge_of(fill)) - lightness(fill)) > 35


def test_classes_differ_in_colour_or_in_marker_and_hatch() -> None:
    looks = {(label % len(COLOURS), other(label) % len(MARKERS)) for label in range(40)}
    assert len(looks) == 40
    assert len(MARKERS) == len(HATCHES)


def test_points_are_smaller_if_there_are_many() -> None:
    sizes = [point_size(count) for count in (4, 100, 101, 400, 401, 2000)]
    assert sizes == [40, 40, 26, 26, 14, 14]
