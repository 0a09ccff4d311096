"""Headings: a title, and the run with details below it."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from plotted import heading_texts

from bpcli.plots.heading import DETAILS, heading
from bpcli.plots.style import house_style


@pytest.mark.parametrize("width", [4.0, 7.0, 12.0])
@pytest.mark.parametrize("detail", ["", "short", "a detail of some words " * 6])
def test_a_heading_is_inside_the_figure_and_above_the_axes(width: float, detail: str) -> None:
    with house_style():
        figure = Figure(figsize=(width, 4), layout="constrained")
        heading(figure, "Predicted against true values", "moons", detail)
        axes = figure.subplots()
        figure.draw_without_rendering()
    (details,) = [text for text in figure.findobj(Text) if text.get_gid() == DETAILS]
    box = details.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    assert box.y0 > axes.get_window_extent().y1
    title = figure._suptitle.get_window_extent()  # type: ignore[attr-defined]
    assert box.y1 < title.y1
    assert title.y1 <= figure.bbox.height
    said = " · ".join(filter(None, ["moons", detail.strip()]))
    assert heading_texts(figure)[0] == "Predicted against true values"
    assert heading_texts(figure)[1].replace(" ·", "") == said.replace(" ·", "")
