"""The plots of an explanation and of a pruning show the numbers of their documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bpcli.nn.arrays import Vector
from bpcli.plots.effects import draw_effects, effects_size
from bpcli.plots.explanation import explanation_plot
from bpcli.plots.importance import draw_importance, draw_row
from bpcli.plots.pruning import pruning_figure
from bpcli.plots.surface import draw_surface, surface_title


def change(value: float | None, error: float | None = 0.1) -> dict[str, Any]:
    return {"value": value, "error": error}


def effect(name: str, kind: str, at: list[Any], values: list[float]) -> dict[str, Any]:
    low, high = ([value + by for value in values] for by in (-0.5, 0.5))
    line = {"output": "predicted y", "effect": values, "low": low, "high": high}
    return {"input": name, "kind": kind, "at": at, "rows": [1.0] * len(at), "outputs": [line]}


DOCUMENT: dict[str, Any] = {
    "name": "flats",
    "split": "test",
    "rows": 9,
    "method": "ale",
    "bands": "bootstrap",
    "outputs": ["predicted y"],
    "inputs": [
        {"name": "area", "importance": {"loss": change(0.5)}},
        {"name": "rooms", "importance": {"loss": change(None, None)}},
        {"name": "colour", "importance": {"loss": change(0.7, 0.2)}},
    ],
    "groups": [{"inputs": ["area", "rooms"], "importance": {"loss": change(0.6)}}],
    "effects": [
        effect("area", "number", [1.0, 2.0, 4.0], [-1.0, 0.0, 2.0]),
        effect("colour", "category", ["red", "green", "blue"], [0.3, -0.4, 0.1]),
    ],
    "surface": {
        "inputs": ["area", "rooms"],
        "at": [[0.0, 1.0, 3.0], [0.0, 2.0, 5.0]],
        "rows": [[3, 0], [1, 2]],
        "outputs": [
            {
                "output": "predicted y",
                "effect": [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0], [4.0, 5.0, 6.0]],
                "interaction": 0.25,
            }
        ],
    },
}


def drawn(draw: Any, document: dict[str, Any]) -> list[Axes]:
    figure = Figure(figsize=(9, 9), layout="constrained")
    draw(figure, document)
    figure.draw_without_rendering()
    return figure.axes


def spans(axes: Axes) -> Vector:
    """The first and last x of each horizontal line, sorted by y."""
    (lines,) = axes.collections
    ends = np.array(lines.get_segments())
    return ends[np.argsort(ends[:, 0, 1]), :, 0]


def test_the_bars_are_the_importances_from_the_largest_to_the_smallest() -> None:
    (axes,) = drawn(draw_importance, DOCUMENT)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["colour", "area + rooms", "area", "rooms"]
    bars = {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for bar in axes.patches}
    assert [bars[at] for at in range(4)] == [0.7, 0.6, 0.5, 0]
    np.testing.assert_allclose(spans(axes), [[0.5, 0.9], [0.5, 0.7], [0.4, 0.6], [0, 0]])


def test_curves_have_their_numbers_and_levels_are_sorted_by_their_effect() -> None:
    curve, levels = drawn(draw_effects, DOCUMENT)
    line = next(each for each in curve.lines if each.get_label() == "predicted y")
    np.testing.assert_array_equal(line.get_xydata(), [[1, -1], [2, 0], [4, 2]])
    names = [label.get_text() for label in levels.get_yticklabels()]
    assert names == ["green", "blue", "red"]
    dots = next(each for each in levels.lines if each.get_label() == "predicted y")
    np.testing.assert_array_equal(dots.get_xdata(), [-0.4, 0.1, 0.3])
    assert curve.get_ylim() == levels.get_xlim()


def test_a_note_tells_how_many_inputs_are_not_drawn() -> None:
    effects = [effect(f"x{at}", "number", [0.0, 1.0], [0.0, 1.0]) for at in range(8)]
    document = DOCUMENT | {"effects": effects}
    figure = Figure(figsize=effects_size(document), layout="constrained")
    draw_effects(figure, document)
    assert len(figure.axes) == 6
    texts = [
        text.get_text() for text in figure.findobj(match=lambda each: hasattr(each, "get_text"))
    ]
    assert "drawn: 6 of 8 inputs" in texts


def test_a_surface_has_no_colour_where_there_are_no_rows() -> None:
    axes, _ = drawn(draw_surface, DOCUMENT)
    (mesh,) = axes.collections
    values = np.ma.asarray(mesh.get_array()).reshape(2, 2)
    np.testing.assert_array_equal(np.ma.getmaskarray(values), [[False, False], [True, False]])
    np.testing.assert_array_equal(values.compressed(), [1.5, 3.5, 4.5])  # means of four corners
    assert surface_title(DOCUMENT)[1] == [
        "effect on predicted y",
        "interaction 0.25 (standard deviation)",
    ]


def test_a_row_has_the_shapley_values_of_its_inputs() -> None:
    document = {
        "outputs": ["predicted y"],
        "inputs": [
            {"name": "area", "value": 75, "shapley": [change(2.0, 0.5)]},
            {"name": "colour", "value": "red", "shapley": [change(-1.0)]},
        ],
        "base": {"predicted y": 5.0},
        "prediction": {"predicted y": 6.0},
    }
    (axes,) = drawn(draw_row, document)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["area = 75", "colour = red"]
    assert [bar.get_width() for bar in axes.patches] == [2, -1]
    assert axes.get_title() == "predicted y: 5 on average, 6 here"


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")]
)
def test_an_explanation_in_each_format(suffix: str, start: bytes) -> None:
    assert explanation_plot(DOCUMENT, Path(f"a{suffix}")).startswith(start)


def test_a_pdf_has_a_page_for_each_plot() -> None:
    content = explanation_plot(DOCUMENT, Path("a.pdf"))
    assert content.count(b"/Type /Page ") == 3


def test_the_path_of_a_pruning_marks_what_was_removed_and_kept() -> None:
    def step(n_params: int, loss: float, removed: dict[str, str] | None) -> dict[str, Any]:
        return {
            "n_params": n_params, "inputs": 2, "val_loss": loss, "se": 0.1, "removed": removed
        }  # fmt: skip

    document = {
        "name": "flats",
        "rows": {"val": 30},
        "steps": [
            step(40, 0.5, None),
            step(30, 0.4, {"kind": "unit", "name": "unit 2"}),
            step(20, 0.45, {"kind": "input", "name": "floor"}),
        ],
        "best": 1,
        "kept": 2,
        "limit": 0.5,
    }
    (axes,) = pruning_figure(document).axes
    marks = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert marks["kept"] == [[20, 0.45]]
    assert marks["lowest loss"] == [[30, 0.4]]
    assert [text.get_text() for text in axes.texts] == ["floor"]
    assert axes.xaxis_inverted()
