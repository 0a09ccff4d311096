from __future__ import annotations

import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from bpcli.plots.style import (
    COLOURS,
    FORMATS,
    house_style,
    line_style,
    literal,
    on_grid,
    ordered_style,
    rendered,
    rendered_pages,
)

SIGNATURE = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}


def figure_with(text: str) -> Figure:
    with house_style():
        figure = Figure()
        figure.text(0.5, 0.5, text)
        figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_figures_give_equal_bytes_of_the_format(suffix: str) -> None:
    first, again = (rendered(figure_with("a"), suffix) for _ in range(2))
    assert first == again
    assert first.startswith(SIGNATURE[suffix])
    assert rendered(figure_with("b"), suffix) != first


def test_a_pdf_has_a_page_for_each_figure_and_no_date() -> None:
    made = rendered_pages([figure_with("a"), figure_with("b")])
    assert made == rendered_pages([figure_with("a"), figure_with("b")])
    assert made.count(b"/Type /Page\n") + made.count(b"/Type /Page ") == 2
    assert b"CreationDate" not in made


@pytest.mark.parametrize("name", ["$x^2$", "a_b^c", "\\alpha$", r"\$5", "<b>&amp;", "$$"])
def test_a_name_is_drawn_as_it_is_and_never_as_mathematics(name: str) -> None:
    figure = figure_with(literal(name))
    (text,) = figure.texts
    shown, is_math = text._preprocess_math(text.get_text())
    assert not is_math
    assert shown == name


def test_a_long_name_keeps_its_ends() -> None:
    assert literal("x" * 50) == "x" * 50
    shown = literal("start" + "x" * 500 + "end")
    assert len(shown) == 50
    assert (shown[:5], shown[-3:]) == ("start", "end")


# Linear RGB seen without one kind of cones: Machado, Oliveira & Fernandes 2009, severity 1.
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, vision: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of a colour as it is seen."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(XYZ @ np.clip(vision @ linear, 1e-4, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISION)
def test_colours_differ_for_colour_blind_readers_and_in_grey(vision: str) -> None:
    seen = [lab(colour, VISION[vision]) for colour in COLOURS]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 10
    assert all(abs(one[0] - other[0]) > 7 for one, other in pairwise(seen))


def test_neighbours_differ_in_colour_dashes_and_marker() -> None:
    for first, second in pairwise(line_style(number) for number in range(30)):
        assert all(a != b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("count", [5, 12, 100])
def test_many_lines_in_an_order_go_from_dark_to_light(count: int) -> None:
    shades = [to_rgb(ordered_style(number, count).colour) for number in range(count)]
    grey = [0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in shades]
    assert all(dark <= light for dark, light in pairwise(grey))
    assert grey[-1] - grey[0] > 0.5


def test_few_lines_in_an_order_have_the_colours_of_any_lines() -> None:
    assert [ordered_style(n, 4) for n in range(4)] == [line_style(n) for n in range(4)]


def test_drawing_needs_no_display_and_no_settings_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text(
        "figure.facecolor: red\nbackend: tkagg\nsavefig.dpi: 7\n"
    )
    probe = (
        "import sys\n"
        "from matplotlib.figure import Figure\n"
        "from bpcli.plots.style import house_style, rendered, rendered_pages\n"
        "with house_style():\n"
        "    figure = Figure()\n"
        "    figure.text(0.5, 0.5, 'a')\n"
        "    figure.draw_without_rendering()\n"
        "rendered_pages([figure])\n"
        "sys.stdout.buffer.write(rendered(figure, '.png'))\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'tkinter' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, check=True,
        env={"MPLBACKEND": "tkagg", "HOME": str(Path.home())},
    )  # fmt: skip
    assert done.stdout == rendered(figure_with("a"), ".png")


def test_margins_of_round_sizes_are_rounded_alike_whatever_their_last_digits() -> None:
    margins = 0.04167 / (np.arange(10, 400) / 10)  # matplotlib's own, in widths
    np.testing.assert_array_equal(on_grid(margins * (1 - 1e-10)), on_grid(margins * (1 + 1e-10)))
    np.testing.assert_allclose(on_grid(margins), margins, atol=1e-5)
