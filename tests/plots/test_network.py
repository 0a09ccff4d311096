"""Diagrams of networks, against their weights."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from plotted import entries, laid_out, subject_of

from bpcli.plots import PLOTS
from bpcli.plots.network import Paper, placed_lines
from bpcli.plots.network_layout import layout_of
from bpcli.runs.subject import Subject


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(tmp_path_factory.mktemp("runs"), "digits", training__epochs=2)


def weight_lines(axes: Axes) -> list[Line2D]:
    return [line for line in axes.lines if len(line.get_xdata()) == 2]


def test_a_line_of_the_diagram_is_as_wide_as_its_weight(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=50)
    layout = layout_of(subject.network, subject.params)
    values = np.array([line.value for line in placed_lines(layout, Paper.of(subject))])
    assert values.tolist() == subject.params.tolist()
    (axes,) = laid_out("network", subject).axes
    drawn = weight_lines(axes)
    widths = np.array([line.get_linewidth() for line in drawn])
    expected = np.maximum(0.35, 4.5 * np.abs(values) / np.abs(values).max())
    np.testing.assert_allclose(widths, expected)
    assert [line.get_linestyle() for line in drawn] == ["--" if v < 0 else "-" for v in values]


def test_of_a_small_network_every_value_is_written_beside_no_other(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=50)
    figure = laid_out("network", subject)
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    values = [f"{value:.3g}".replace("-", "\N{MINUS SIGN}") for value in subject.params]
    boxes = [texts[value].get_window_extent() for value in values]
    assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))


def test_a_large_network_shows_its_largest_weights_and_says_so(digits: Subject) -> None:
    figure = laid_out("network", digits)
    (axes,) = figure.axes
    layout = layout_of(digits.network, digits.params)
    assert len(weight_lines(axes)) == layout.drawn == 80
    details = PLOTS["network"]().details(digits)
    assert "80 of 2,410 weights and biases drawn, the largest of each layer" in details
    texts = [text.get_text() for text in axes.texts]
    assert {"50 more", "18 more", "pixel_2_3", "P(9)"} <= set(texts)
    least = min(abs(line.value) for line in layout.lines[0])
    assert f"40 of 2,080\n|w| ≥ {least:.2g}" in texts
    assert entries(figure)[:2] == ["positive", "negative"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"network__layers": [2, 4, 1], "network__activations": "[maxout, sigmoid]"},
            "Maxout units have several weights per input: the diagram can show only one.",
        ),
        (
            {
                "network__layers": [2, *[2] * 12, 1],
                "network__activations": ["tanh"] * 12 + ["sigmoid"],
            },
            "13 layers are too many for a diagram: at most 12 fit.",
        ),
    ],
)
def test_a_network_that_no_diagram_can_show_says_so(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    changes = {key: str(value).replace("'", "") for key, value in changes.items()}
    subject = subject_of(tmp_path, "moons", training__epochs=1, **changes)
    assert PLOTS["network"]().why_not(subject) == reason
