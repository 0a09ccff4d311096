"""Predicted values and residuals, against the saved model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from plotted import laid_out, subject_of

from bpcli.export.model import load_model
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


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "linear_regression", training__epochs=2, data__n_samples=2500)
    figure = laid_out("predicted", subject)
    assert figure.get_supxlabel() == "2,000 of 2,500 rows drawn, evenly spaced"
