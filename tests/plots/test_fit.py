"""Fitted curves, against the saved model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from plotted import laid_out, subject_of
from systems import trained

from bpcli.export.model import load_model
from bpcli.plots import PLOTS
from bpcli.runs.references import find_run
from bpcli.runs.trained import load_trained
from bpcli.workflows.intervals import Method, calibrated
from bpcli.workflows.subject import load_subject

METHODS: tuple[Method, ...] = ("conformal", "delta")


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


def test_the_band_is_that_of_the_intervals_of_predict(tmp_path: Path) -> None:
    run = trained(
        tmp_path, "linear_regression", training__epochs=20, data__n_samples=60,
        data__split="{train: 0.5, val: 0.5}", training__l2=0.01,
    ).run  # fmt: skip
    plain = laid_out("fit", load_subject(run, "best", None)).axes[0]
    assert not plain.collections
    for method in METHODS:
        subject = load_subject(run, "best", None, 0.8, method)
        (axes,) = laid_out("fit", subject).axes
        assert PLOTS["fit"]().details(subject) == ("80 % intervals",)
        (band,) = axes.collections
        assert band.get_label() == "interval"
        curve, low, high = (line.get_xydata() for line in axes.lines[-3:])
        bounds = calibrated(load_trained(run), 0.8, method).columns.numbers(
            curve[:, :1], curve[:, 1:]
        )
        np.testing.assert_allclose(low, np.column_stack([curve[:, 0], bounds[:, 0]]))
        np.testing.assert_allclose(high, np.column_stack([curve[:, 0], bounds[:, 1]]))
