"""Predicted values and residuals, against the saved model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from plotted import laid_out, points, subject_of
from systems import trained

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.export.model import load_model
from bpcli.metrics.fitted_line import FittedLine
from bpcli.plots.predicted import line_text
from bpcli.plots.style import literal
from bpcli.runs.references import find_run
from bpcli.runs.subject import some_rows
from bpcli.runs.trained import load_trained
from bpcli.terminal.progress import SilentView
from bpcli.workflows.intervals import calibrated
from bpcli.workflows.subject import load_subject
from bpcli.workflows.train import train


def test_predicted_and_residuals_are_in_original_units(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "matlab_defaults", training__epochs=3)
    true = subject.rows.values
    assert true is not None
    X = subject.experiment.table.X[subject.rows.index]
    outputs = load_model(find_run("latest", tmp_path)).outputs(X)[:, 0]
    training, validation, test, every = laid_out("predicted", subject).axes
    np.testing.assert_allclose(points(test, "test rows"), np.column_stack([true[:, 0], outputs]))
    rmse = np.sqrt(((outputs - true[:, 0]) ** 2).mean())
    r = np.corrcoef(true[:, 0], outputs)[0, 1]
    assert test.get_title(loc="left") == f"Test set: R {r:.4f}, RMSE {rmse:.4g}"
    assert training.get_title(loc="left").startswith("Training set: R ")
    assert validation.get_title(loc="left").startswith("Validation set: R ")
    rows = {
        split: len(points(every, f"{split} rows")) for split in ("training", "validation", "test")
    }
    assert sum(rows.values()) == len(subject.experiment.table)
    for axes in (training, validation, test, every):
        assert axes.get_xlim() == axes.get_ylim() == test.get_xlim()
    scatter, histogram = laid_out("residuals", subject).axes
    expected = np.column_stack([outputs, outputs - true[:, 0]])
    np.testing.assert_allclose(scatter.lines[0].get_xydata(), expected)
    assert sum(bar.get_width() for bar in histogram.patches) == len(true)


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "linear_regression", training__epochs=2, data__n_samples=2500)
    figure = laid_out("predicted", subject)
    (legend,) = figure.legends
    remark = "2,000 of 2,500 training rows drawn, evenly spaced"
    assert legend.get_title().get_text() == remark


def test_the_line_is_written_as_a_formula() -> None:
    assert line_text(FittedLine(0.7, -2.04, 0.9)) == "0.700 · true \N{MINUS SIGN} 2"


def test_each_of_several_targets_has_a_panel_with_the_r_of_every_split(tmp_path: Path) -> None:
    table = np.random.default_rng(0).normal(size=(40, 3))
    rows = "".join(f"{a},{a + b},{c}\n" for a, b, c in table)
    (tmp_path / "t.csv").write_text("x,温度,b\n" + rows)
    (tmp_path / "t.yaml").write_text(SEVERAL)
    outcome = train(build(load_config(tmp_path / "t.yaml")), tmp_path / "runs", SilentView())
    subject = load_subject(outcome.run, "best", None)
    figure = laid_out("predicted", subject)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [literal("温度"), "b"]
    for axes in figure.axes:
        (text,) = axes.texts
        assert [line.split(":")[0] for line in text.get_text().splitlines()] == [
            "training", "validation", "test"
        ]  # fmt: skip
    laid_out("residuals", subject)
    laid_out("errors", subject)


SEVERAL = """\
name: t
data: {file: t.csv, inputs: [x], targets: [温度, b], split: {val: 0.2, test: 0.2}}
network: {layers: [1, 2, 2], activations: [tanh, identity]}
loss: mse
training: {epochs: 2}
"""


def test_equal_intervals_are_a_band_and_others_are_bars(tmp_path: Path) -> None:
    run = trained(
        tmp_path, "linear_regression", training__epochs=20, data__n_samples=120,
        data__split="{train: 0.5, val: 0.5}", training__l2=0.01,
    ).run  # fmt: skip
    subject = load_subject(run, "best", None, 0.8)
    training, validation, _ = laid_out("predicted", subject).axes
    (half,) = calibrated(load_trained(run), 0.8).columns.method.half  # type: ignore[attr-defined]
    limits = np.array(training.get_xlim())
    below, above = (line.get_xydata() for line in training.lines[1:3])
    np.testing.assert_allclose(below, np.column_stack([limits, limits - half]))
    np.testing.assert_allclose(above, np.column_stack([limits, limits + half]))
    inside = [abs(y - x) <= half for x, y in points(validation, "validation rows")]
    assert sum(inside) == 49  # ceil(61 · 0.8): the band has the calibration rows that it must have

    subject = load_subject(run, "best", None, 0.8, "delta")
    (bars,) = laid_out("predicted", subject).axes[0].collections
    assert bars.get_label() == "intervals of 40 rows of each split"
    some = some_rows(60, 40)
    rows = subject.experiment.splits["train"]
    outputs = subject.predictions_of("train").outputs
    X = subject.experiment.table.X[rows.index]
    low, high = calibrated(load_trained(run), 0.8, "delta").columns.numbers(X, outputs).T[:2]
    assert rows.values is not None
    expected = np.stack([[rows.values[:, 0]] * 2, [low, high]], axis=2).swapaxes(0, 1)
    np.testing.assert_allclose(bars.get_segments(), expected[some])
