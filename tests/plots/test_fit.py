"""Fitted curves, against the saved model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from plotted import laid_out, subject_of

from bpcli.export.model import load_model
from bpcli.runs.references import find_run


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
