"""Confusion matrices and ROC curves, against scikit-learn and counts by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotted import laid_out, subject_of
from sklearn import metrics

from bpcli.plots import PLOTS
from bpcli.plots.confusion import confusion_counts, row_shares
from bpcli.plots.roc import roc_curve
from bpcli.runs.references import find_run
from bpcli.runs.trained import load_trained
from bpcli.workflows.evaluate import evaluate


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_confusion_counts_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    labels, classes = np.array(pairs, np.intp).T
    expected = metrics.confusion_matrix(labels, classes, labels=range(5))
    assert confusion_counts(labels, classes, 5).tolist() == expected.tolist()


def test_a_row_of_shares_adds_up_to_one_or_has_no_rows() -> None:
    shares = row_shares(np.array([[3, 1], [0, 0]]))
    assert shares.tolist() == [[0.75, 0.25], [0, 0]]


scored = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0, 0.1, 0.25, 0.5, 0.75, 1])), min_size=2, max_size=60
).filter(lambda rows: len({positive for positive, _ in rows}) == 2)


@given(scored)
def test_roc_points_and_area_are_scikit_learns_with_ties_too(
    rows: list[tuple[bool, float]],
) -> None:
    positive = np.array([each for each, _ in rows])
    score = np.array([each for _, each in rows])
    curve = roc_curve(positive, score)
    x, y, _ = metrics.roc_curve(positive, score, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, x, rtol=1e-15)
    np.testing.assert_allclose(curve.true_positive_rate, y, rtol=1e-15)
    assert curve.area == pytest.approx(metrics.roc_auc_score(positive, score), abs=1e-14)


@pytest.mark.parametrize("config", ["softmax_iris", "moons"])
def test_the_pictures_show_what_eval_says(tmp_path: Path, config: str) -> None:
    subject = subject_of(tmp_path, config, training__epochs=15)
    report = evaluate(load_trained(find_run("latest", tmp_path)), "test").report
    assert report is not None
    assert report.roc_auc is not None
    confusion = laid_out("confusion", subject).axes[0]
    written = {text.get_position(): text.get_text().split("\n")[0] for text in confusion.texts}
    assert written == {
        (column, row): str(count)
        for row, counts in enumerate(report.confusion)
        for column, count in enumerate(counts)
        if count
    }
    legend = laid_out("roc", subject).axes[0].get_legend()
    assert legend is not None
    areas = [float(text.get_text().split("area ")[1]) for text in legend.get_texts()[1:]]
    assert np.mean(areas) == pytest.approx(report.roc_auc, abs=1e-4)


def test_a_split_of_one_class_has_no_roc(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=1)
    only_ones = replace(subject.experiment.table, labels=np.ones(4, np.intp))
    splits = {
        name: replace(split, table=only_ones) for name, split in subject.experiment.splits.items()
    }
    assert subject.rebuilt is not None
    rebuilt = replace(subject.rebuilt, experiment=replace(subject.experiment, splits=splits))
    reason = PLOTS["roc"].why_not(replace(subject, rebuilt=rebuilt))
    assert reason == "All rows of the train split are of one class."
