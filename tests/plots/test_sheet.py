"""Several plots in one figure: each in its place, at its size, with nothing over another."""

from __future__ import annotations

import io
import os
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import imread
from plotted import check_room, subject_of

from bpcli.plots import PLOTS, plot_file, reasons, sheet_of
from bpcli.plots.sheet import arranged, extent, sheet
from bpcli.plots.style import DPI, FORMATS, house_style, rendered

FULL = bool(os.environ.get("BPNET_FULL"))
SIZES = [(4.0, 3.3), (19.0, 4.3), (3.0, 2.3), (5.0, 2.0), (24.5, 2.5)]
GUTTER = 0.35
BESIDE = [(7.0, 4.0), (5.0, 9.0), (6.0, 4.6)]


def filled() -> tuple[Figure, list[SubFigure]]:
    figure, panels = sheet(SIZES)
    for number, panel in enumerate(panels, start=1):
        panel.suptitle(f"title {number}")
        panel.subplots().plot([number, 1, 2 * number], label=f"line {number}")
        panel.legend(loc="outside lower center")
    return figure, panels


def inches(panel: SubFigure) -> list[float]:
    """Left, top, width and height of a part of a figure."""
    whole, box = panel.figure.bbox, panel.bbox
    left, top = box.x0, whole.y1 - box.y1
    return [float(length / panel.dpi) for length in (left, top, box.width, box.height)]


def places(sizes: list[tuple[float, float]]) -> list[list[float]]:
    """Left, top, width and height of each plot, in inches."""
    found, top = {}, 0.0
    for row in arranged(sizes):
        left = 0.0
        for stack in row.stacks:
            down = top
            for index in stack.plots:
                found[index] = [left, down, *sizes[index]]
                down += sizes[index][1] + GUTTER
            left += stack.width + GUTTER
        top += row.height + GUTTER
    return [found[index] for index in range(len(sizes))]


def test_each_plot_has_its_own_size_and_place() -> None:
    with house_style():
        figure, panels = filled()
        figure.draw_without_rendering()
    np.testing.assert_allclose([inches(panel) for panel in panels], places(SIZES), atol=1e-6)
    np.testing.assert_allclose(figure.get_size_inches(), extent(arranged(SIZES)))


def test_low_plots_fill_the_room_beside_a_high_one() -> None:
    corners = [place[:2] for place in places(BESIDE)]
    np.testing.assert_allclose(corners, [(0, 0), (7.35, 0), (0, 4.35)])


sizes = st.lists(st.tuples(st.floats(3, 14), st.floats(1.5, 16)), min_size=1, max_size=9)


@given(sizes)
def test_no_plot_is_over_another_or_outside(sizes: list[tuple[float, float]]) -> None:
    every = places(sizes)
    width, height = extent(arranged(sizes))
    for (left, top, wide, high), (left2, top2, wide2, high2) in combinations(every, 2):
        apart = max(
            left - left2 - wide2, left2 - left - wide, top - top2 - high2, top2 - top - high
        )
        assert apart > GUTTER - 1e-9
    assert max(left + wide for left, _, wide, _ in every) <= width + 1e-9
    assert max(top + high for _, top, _, high in every) <= height + 1e-9
    assert width <= max(24.0, *(size[0] for size in sizes)) + 1e-9


def test_the_plots_of_a_usual_run_leave_little_of_a_sheet_empty() -> None:
    usual = [
        (7.0, 4.6), (9.0, 4.6), (7.0, 4.7), (7.0, 4.6), (9.9, 4.1), (9.9, 4.1), (7.0, 1.7),
        (7.0, 5.8), (6.0, 6.0), (6.9, 4.9), (9.0, 11.5), (7.5, 6.4), (9.1, 9.4),
    ]  # fmt: skip
    width, height = extent(arranged(usual))
    assert sum(wide * high for wide, high in usual) / (width * height) > 0.68


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_sheets_give_equal_bytes(suffix: str) -> None:
    first, again = (rendered(filled()[0], suffix) for _ in range(2))
    assert first == again


@pytest.mark.slow
def test_the_plots_of_a_run_fit_into_their_places(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "moons", training__epochs=4, training__record_params="true")
    possible = [kind for kind, reason in reasons(subject).items() if reason is None]
    assert len(possible) == 15
    kinds = possible if FULL else possible[::4]
    with house_style():
        figure = sheet_of(kinds, subject)
        check_room(figure)
    titled = {part.get_suptitle().strip(): part for part in figure.findobj(SubFigure)}
    panels = [titled[PLOTS[kind]().title(subject)] for kind in kinds]
    boxes = [panel.get_tightbbox() for panel in panels]  # in dots
    for kind, panel, box in zip(kinds, panels, boxes, strict=True):
        left, top, width, height = inches(panel)
        assert (width, height) == pytest.approx(PLOTS[kind]().size(subject), abs=1e-4)
        assert min(left, top) > -1e-6, kind
        assert box.x0 >= panel.bbox.x0 - 2, kind
        assert box.y0 >= panel.bbox.y0 - 2, kind
        assert box.x1 <= panel.bbox.x1 + 2, kind
        assert box.y1 <= panel.bbox.y1 + 2, kind
    for first, second in combinations(boxes, 2):
        assert not first.overlaps(second)


def test_several_plots_of_a_run_are_one_drawing_or_pages(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=3)
    kinds = ["loss", "network"]
    (width, height), (other, lower) = (PLOTS[kind]().size(subject) for kind in kinds)
    size = (width + 0.35 + other, max(height, lower))
    root = ElementTree.fromstring(plot_file(kinds, subject, ".svg"))
    shown = [float(str(root.get(key)).removesuffix("pt")) / 72 for key in ("width", "height")]
    assert shown == pytest.approx(size)
    dots = imread(io.BytesIO(plot_file(kinds, subject, ".png")))
    expected = (DPI * size[1], DPI * size[0])
    assert dots.shape[:2] == pytest.approx(expected, abs=1)  # old versions of matplotlib round down
    assert (dots[:, :, :3] < 0.5).any(axis=(0, 2))[int(150 * width) :].any()  # the second plot
    assert plot_file(kinds, subject, ".pdf").count(b"/Type /Page ") == 2
