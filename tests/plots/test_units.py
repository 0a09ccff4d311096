"""Dead and saturated units, against the counts of the log."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from plotted import heading_texts, laid_out, logged, subject_of

from bpcli.plots import PLOTS
from bpcli.plots.base import BARE
from bpcli.runs.subject import Subject


@pytest.fixture(scope="module")
def moons(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(tmp_path_factory.mktemp("runs"), "moons", training__epochs=6)


def counts(axes: Axes) -> list[float]:
    (line,) = axes.lines
    return np.asarray(line.get_ydata()).tolist()


def test_each_layer_that_failed_has_a_panel_from_zero_up(moons: Subject) -> None:
    lines = [
        {"dead_units": [0, 0, 0], "saturated_units": [1, 0, 0]},
        {"dead_units": [2, 0, 0], "saturated_units": [1, 0, 1]},
        {"dead_units": [1, 0, 0], "saturated_units": [3, 0, 0]},
    ]
    figure = laid_out("units", logged(moons, *lines))
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes}
    assert list(panels) == [
        "layer 1: 16 tanh, at most 2, finally 1",
        "layer 1: 16 tanh, at most 3, finally 3",
        "layer 3: 1 sigmoid, none",
        "layer 3: 1 sigmoid, at most 1, finally 0",
    ]
    assert [counts(axes) for axes in figure.axes] == [[0, 2, 1], [1, 1, 3], [0, 0, 0], [0, 1, 0]]
    assert {axes.get_ylim()[0] for axes in figure.axes} == {0}
    assert len({axes.get_ylim()[1] for axes in figure.axes}) == 1
    assert [axes.get_ylabel() for axes in figure.axes] == ["dead", "saturated"] * 2
    assert figure.get_supxlabel() == (
        "Layer 2: no unit was dead or saturated in any epoch of the log."
    )


def test_a_kind_of_failure_that_never_happened_has_no_panel(moons: Subject) -> None:
    lines = [{"dead_units": [3, 0, 1], "saturated_units": [0, 0, 0]}] * 2
    figure = laid_out("units", logged(moons, *lines))
    assert [axes.get_ylabel() for axes in figure.axes] == ["dead", "dead"]
    assert "saturated:" not in heading_texts(figure)[1]


def test_one_sentence_says_that_no_unit_ever_failed(moons: Subject) -> None:
    lines = [{"dead_units": [0, 0, 0], "saturated_units": [0, 0, 0]}] * 4
    subject = logged(moons, *lines)
    (axes,) = laid_out("units", subject).axes
    assert axes.get_gid() == BARE
    assert [text.get_text() for text in axes.texts] == [
        "No unit of any layer was dead or saturated, in all 4 epochs of the log."
    ]
    assert PLOTS["units"]().size(subject)[1] < 2


def test_counts_that_are_missing_leave_gaps(moons: Subject) -> None:
    lines = [
        {"dead_units": [2, 0, 0], "saturated_units": [0, 0, 0]},
        {"dead_units": [None, 0, 0], "saturated_units": [0, 0, 0]},
    ]
    (axes,) = laid_out("units", logged(moons, *lines)).axes
    assert axes.get_title(loc="left") == "layer 1: 16 tanh, at most 2, finally 2"
