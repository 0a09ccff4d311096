"""Error histograms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plotted import entries, laid_out, subject_of

from bpcli.plots import PLOTS
from bpcli.plots.errors import error_edges
from bpcli.plots.predicted import TargetRows


def test_the_bars_have_all_rows_of_all_splits(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "matlab_defaults", training__epochs=3)
    figure = laid_out("errors", subject)
    (axes,) = figure.axes
    names = ["training rows", "validation rows", "test rows"]
    for bars, name, split in zip(axes.containers, names, ("train", "val", "test"), strict=True):
        assert bars.get_label() == name
        rows = len(subject.experiment.splits[split])
        assert sum(bar.get_height() for bar in bars.patches) == rows
    assert sorted(entries(figure)) == sorted([*names, "zero error"])
    top = max(bar.get_y() + bar.get_height() for bar in axes.patches)
    assert top == np.sum([[bar.get_height() for bar in bars] for bars in axes.containers], 0).max()


@pytest.mark.parametrize(
    "errors", [[-1.0, 0.5, 3], [2, 2.5], [-4, -3], [0, 0], [1e-300], [1e9, 2e9]]
)
def test_zero_is_the_middle_of_a_bin_and_no_error_is_left_out(errors: list[float]) -> None:
    true = np.ones(len(errors))
    rows = TargetRows("train", "y", true, true + errors)
    edges = error_edges([rows])
    assert len(edges) == 21
    assert (np.diff(edges) > 0).all()
    assert np.histogram(rows.residuals, edges)[0].sum() == len(errors)
    middles = (edges[1:] + edges[:-1]) / 2
    assert np.abs(middles).min() < 1e-9 * np.abs(edges).max()


def test_classes_have_no_errors(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=2)
    assert PLOTS["errors"]().why_not(subject) == "The targets are classes, not numbers."
