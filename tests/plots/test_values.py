"""Predicted values, residuals, fitted curves and diagrams, against the saved model's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plotted import laid_out, subject_of

from bpcli.export.model import load_model
from bpcli.plots import PLOTS
from bpcli.plots.network import lines_of
from bpcli.plots.outcome import shown_targets
from bpcli.plots.subject import MOST_POINTS, some_rows
from bpcli.runs.references import find_run


def test_predicted_and_residuals_are_in_original_units(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "matlab_defaults", training__epochs=3)
    true = subject.rows.values
    assert true is not None
    X = subject.experiment.table.X[subject.rows.index]
    outputs = load_model(find_run("latest", tmp_path)).outputs(X)[:, 0]
    (axes,) = laid_out("predicted", subject).axes
    np.testing.assert_allclose(axes.lines[0].get_xydata(), np.column_stack([true[:, 0], outputs]))
    rmse = np.sqrt(((outputs - true[:, 0]) ** 2).mean())
    assert axes.get_title() == f"y: RMSE {rmse:.4g}"
    assert axes.get_xlim() == axes.get_ylim()
    scatter, histogram = laid_out("residuals", subject).axes
    points = np.column_stack([outputs, outputs - true[:, 0]])
    np.testing.assert_allclose(scatter.lines[0].get_xydata(), points)
    assert sum(bar.get_width() for bar in histogram.patches) == len(true)


def test_of_many_targets_those_that_vary_most_have_panels() -> None:
    values = np.random.default_rng(0).normal(size=(50, 9)) * [0, 1, 2, 3, 0, 4, 5, 6, 0.1]
    assert shown_targets(values).tolist() == [1, 2, 3, 5, 6, 7]
    assert shown_targets(np.ones((3, 2))).tolist() == [0, 1]


@pytest.mark.parametrize("count", [1, 2, MOST_POINTS, MOST_POINTS + 1, 10**6])
def test_rows_are_taken_evenly_and_never_twice(count: int) -> None:
    some = some_rows(count)
    assert len(some) == min(count, MOST_POINTS)
    assert (some[0], some[-1]) == (0, count - 1)
    assert (np.diff(some) > 0).all()


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "linear_regression", training__epochs=2, data__n_samples=2500)
    figure = laid_out("predicted", subject)
    assert figure.get_supxlabel() == "2,000 of 2,500 rows drawn, evenly taken"


def test_the_fitted_curve_is_the_model_and_all_splits_are_there(tmp_path: Path) -> None:
    subject = subject_of(
        tmp_path, "linear_regression", training__epochs=20, data__n_samples=80,
        data__split="{train: 0.5, val: 0.25, test: 0.25}",
        data__scale="{inputs: standard, targets: standard}",
    )  # fmt: skip
    (axes,) = laid_out("fit", subject).axes
    *splits, curve = axes.lines
    labels = [line.get_label() for line in splits]
    assert labels == ["training rows", "validation rows", "test rows"]
    assert [len(line.get_xdata()) for line in splits] == [40, 20, 20]
    x, y = curve.get_xydata().T
    expected = load_model(find_run("latest", tmp_path)).outputs(x[:, np.newaxis])[:, 0]
    np.testing.assert_allclose(y, expected)


def test_a_line_of_the_diagram_is_as_wide_as_its_weight(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=50)
    values = np.array([line.value for line in lines_of(subject)])
    assert values.tolist() == subject.params.tolist()
    (axes,) = laid_out("network", subject).axes
    drawn = axes.lines[: len(values)]
    widths = np.array([line.get_linewidth() for line in drawn])
    np.testing.assert_allclose(widths / widths.max(), np.abs(values) / np.abs(values).max())
    assert [line.get_linestyle() for line in drawn] == ["--" if v < 0 else "-" for v in values]


def test_a_network_that_is_too_large_for_a_diagram_says_so(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "digits", training__epochs=1)
    reason = PLOTS["network"].why_not(subject)
    assert reason == "A layer of 64 units is too wide for a diagram: at most 16."
