"""ROC curves of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from plotted import drawn, entries, laid_out, subject_of
from sklearn.metrics import roc_auc_score

from bpcli.config.load import load_config
from bpcli.data.table import Classes
from bpcli.experiment import build
from bpcli.plots import PLOTS
from bpcli.runs.subject import Subject
from bpcli.terminal.progress import SilentView
from bpcli.workflows.subject import load_subject
from bpcli.workflows.train import train


def test_a_split_of_one_class_has_no_roc(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=1)
    only_ones = replace(subject.experiment.table, targets=Classes(np.ones(4, np.intp), ("0", "1")))
    splits = {
        name: replace(split, table=only_ones) for name, split in subject.experiment.splits.items()
    }
    assert subject.rebuilt is not None
    rebuilt = replace(subject.rebuilt, experiment=replace(subject.experiment, splits=splits))
    reason = PLOTS["roc"]().why_not(replace(subject, rebuilt=rebuilt))
    assert reason == "All rows of the training set are of one class."


LABELS = """\
name: t
data: {file: t.csv, inputs: [x], targets: [a, b, c], task: multilabel}
network: {layers: [1, 2, 3], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {epochs: 1}
"""


def of_labels(folder: Path, last: str) -> Subject:
    rows = "".join(f"{n},{'yn'[n % 2]},{n // 5},{last if n else 'yes'}\n" for n in range(10))
    folder.joinpath("t.csv").write_text("x,a,b,c\n" + rows)
    folder.joinpath("t.yaml").write_text(LABELS)
    outcome = train(build(load_config(folder / "t.yaml")), folder / "runs", SilentView())
    return load_subject(outcome.run, "best", None)


def test_every_label_with_rows_of_both_words_has_a_curve(tmp_path: Path) -> None:
    subject = of_labels(tmp_path, "no")
    with drawn("roc", subject) as figure:
        texts = entries(figure)
    Y, ranks = subject.rows.values, subject.predictions.ranks
    assert Y is not None
    areas = [roc_auc_score(y, rank) for y, rank in zip(Y.T, ranks.T, strict=True)]
    named = zip("abc", areas, strict=True)
    assert texts[1:-1] == [f"label {name}: area {area:.4f}" for name, area in named]
    laid_out("roc", subject)
    laid_out("precision_recall", subject)
    laid_out("calibration", subject)


def test_the_networks_own_decisions_are_a_point_of_each_curve(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "moons", training__epochs=15)
    (axes,) = laid_out("roc", subject).axes
    labels, classes = subject.rows.labels, subject.predictions.classes
    assert labels is not None
    assert classes is not None
    (dot,) = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
    rates = [np.mean(classes[labels == true] == 1) for true in (0, 1)]
    np.testing.assert_allclose(dot.get_xydata(), [rates])


def test_labels_without_a_curve_are_counted(tmp_path: Path) -> None:
    subject = of_labels(tmp_path, "yes")
    with drawn("roc", subject) as figure:
        assert len(entries(figure)) == 4
        assert figure.legends[0].get_title().get_text() == "2 of 3 labels drawn"


def test_plots_of_classes_and_of_numbers_are_not_for_labels(tmp_path: Path) -> None:
    subject = of_labels(tmp_path, "no")
    assert PLOTS["confusion"]().why_not(subject) == (
        "The targets are labels, not classes: `bpnet eval` shows the scores of each label."
    )
    for kind in ("predicted", "residuals"):
        assert PLOTS[kind]().why_not(subject) == "The targets are labels, not numbers."
    laid_out("fit", subject)
    laid_out("network", subject)
