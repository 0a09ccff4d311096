from __future__ import annotations

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from bpcli.plots.sheet import SHEETS, Placed
from bpcli.plots.style import dots

SVG = "{http://www.w3.org/2000/svg}svg"


def drawn(number: int) -> Figure:
    figure = Figure(figsize=(3 + number, 2.3 + number), layout="constrained")
    axes = figure.subplots()
    axes.plot([number, 1, 2 * number], label=f"line {number}")
    figure.legend(loc="outside lower center")
    return figure


def placed() -> list[Placed]:
    return [Placed(drawn(1), 0.0, 0.0), Placed(drawn(2), 4.0, 0.0), Placed(drawn(0), 0.0, 4.3)]


def test_the_dots_of_each_picture_are_in_its_place() -> None:
    sheet = (imread(io.BytesIO(SHEETS[".png"](placed())))[..., :3] * 255).round()
    assert sheet.shape == (990, 1350, 3)  # 6.6 and 9 inches
    for figure, left, top in placed():
        own, row, column = dots(figure), int(top * 150), int(left * 150)
        within = sheet[row : row + own.shape[0], column : column + own.shape[1]]
        np.testing.assert_array_equal(within, own)
    assert (sheet[-1, -1] == 255).all()  # where no picture is


def test_an_svg_has_each_picture_in_its_place() -> None:
    root = ElementTree.fromstring(SHEETS[".svg"](placed()))
    assert (root.get("width"), root.get("height")) == ("648pt", "475.2pt")
    keys = ("x", "y", "width", "height")
    found = [[float(part.get(key, "")) for key in keys] for part in root.findall(SVG)]
    expected = [[0, 0, 288, 237.6], [288, 0, 360, 309.6], [0, 309.6, 216, 165.6]]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("suffix", SHEETS)
def test_equal_pictures_make_equal_sheets(suffix: str) -> None:
    assert SHEETS[suffix](placed()) == SHEETS[suffix](placed())
