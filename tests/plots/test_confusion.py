"""Confusion matrix and ROC curves of a run, against what eval says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from plotted import check_texts, entries, laid_out, subject_of

from bpcli.plots import confusion
from bpcli.plots.style import house_style
from bpcli.runs.references import find_run
from bpcli.runs.trained import load_trained
from bpcli.workflows.evaluate import evaluate


@pytest.mark.parametrize("config", ["softmax_iris", "moons"])
def test_the_plots_show_what_eval_says(tmp_path: Path, config: str) -> None:
    subject = subject_of(tmp_path, config, training__epochs=15)
    report = evaluate(load_trained(find_run("latest", tmp_path)), "test").report
    assert report is not None
    assert report.roc_auc is not None
    written = texts(laid_out("confusion", subject))
    counts = np.array(report.confusion)
    size = len(counts)
    for (row, column), count in np.ndenumerate(counts):
        assert written.get((column, row), ["0"])[0] == str(count)
    for label, recall in enumerate(np.diag(counts) / counts.sum(axis=1)):
        assert written[size, label] == [str(counts[label].sum()), f"{100 * recall:.0f} %"]
    whole = [str(counts.sum()), f"{100 * np.trace(counts) / counts.sum():.0f} %"]
    assert written[size, size] == whole
    areas = [float(text.split("area ")[1]) for text in entries(laid_out("roc", subject))[1:-1]]
    assert np.mean(areas) == pytest.approx(report.roc_auc, abs=1e-4)


def texts(figure: Figure) -> dict[tuple[int, int], list[str]]:
    """The texts of each cell, by column and row, from top to bottom."""
    found: dict[tuple[int, int], list[str]] = {}
    for text in figure.axes[0].texts:
        x, y = text.get_position()
        found.setdefault((round(x), round(y)), []).append(text.get_text())
    return found


SIZES = [2, 3, 5, 10, 12, 13, 20, 30, 40] if os.environ.get("BPNET_FULL") else [3, 13, 30, 40]


@pytest.mark.parametrize("classes", SIZES)
def test_numbers_have_room_in_their_cells_for_any_number_of_classes(classes: int) -> None:
    counts = np.random.default_rng(0).integers(0, 2000, (classes, classes))
    counts[0] = 0  # a class without rows
    names = tuple(f"class {number}" for number in range(classes))
    side = confusion.side_of(classes)
    with house_style():
        figure = Figure(figsize=(side + 1.9, side + 1.9), layout="constrained")
        confusion.draw_matrix(figure.subplots(), counts, names)
        figure.draw_without_rendering()
        check_texts(figure)
        (axes,) = figure.axes
        cell = axes.get_window_extent().width / (classes + 1)
        for text in axes.texts:
            assert text.get_window_extent().width < cell, text
    assert bool(axes.texts) == (classes <= 30)


def test_a_class_without_rows_is_counted_and_has_no_recall() -> None:
    with house_style():
        axes = Figure().subplots()
        confusion.draw_matrix(axes, np.array([[0, 0], [1, 3]]), ("a", "b"))
    shown = {(round(x), round(y)): text.get_text() for text in axes.texts
             for x, y in [text.get_position()]}  # fmt: skip
    assert shown[2, 0] == "–"
    assert shown[2, 1] == "75 %"
