"""Panels, legends and reasons that all kinds of plot share."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from bpcli.plots.base import BARE, Plot, legend_below, panels, why_not, without_axes
from bpcli.plots.style import house_style
from bpcli.runs.subject import Subject


class NeverFits(Plot):
    def why_not(self, subject: Subject) -> str | None:
        return "It never fits."


@pytest.mark.parametrize(
    ("count", "across", "rows", "columns"), [(1, 3, 1, 1), (3, 3, 1, 3), (5, 3, 2, 3), (4, 1, 4, 1)]
)
def test_panels_fill_rows_and_none_is_left_empty(
    count: int, across: int, rows: int, columns: int
) -> None:
    figure = Figure()
    found = panels(figure, count, across)
    assert figure.axes == found
    places = [axes.get_subplotspec() for axes in found]
    assert all(place.get_gridspec().get_geometry() == (rows, columns) for place in places)
    assert [(place.rowspan.start, place.colspan.start) for place in places] == [
        divmod(number, columns) for number in range(count)
    ]


@pytest.mark.parametrize(("width", "label"), [(12, "short"), (4, "a label that is long" * 2)])
def test_a_legend_is_no_wider_than_its_figure(width: float, label: str) -> None:
    with house_style():
        figure = Figure(figsize=(width, 4), layout="constrained")
        axes = figure.subplots()
        for number in range(12):
            axes.plot([number], label=f"{label} {number}")
        legend_below(figure, axes)
        figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    assert box.y1 <= axes.get_window_extent().y0
    assert len(legend.get_texts()) == 12


def test_what_is_lacking_is_said_before_what_does_not_fit() -> None:
    lacking = Subject("r", {}, [], None, "best", "train", None, {"network": "It has no weights."})
    assert why_not(NeverFits(), lacking) == "It has no weights."
    whole = Subject("r", {}, [], None, "best", "train", None, {})
    assert why_not(NeverFits(), whole) == "It never fits."
    assert why_not(Plot(), whole) is None


def test_axes_without_scales_are_marked() -> None:
    axes = Figure().subplots()
    without_axes(axes)
    assert axes.get_gid() == BARE
    assert not axes.axison
