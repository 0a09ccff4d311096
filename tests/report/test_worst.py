"""The rows that are predicted worst: the wrong ones, and the least sure ones."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from systems import trained

from bpcli.report.html import Html
from bpcli.report.words import words_of
from bpcli.report.worst import worst_rows
from bpcli.runs.subject import Subject
from bpcli.workflows.subject import load_subject


def subject_of(folder: Path, config: str, **overrides: object) -> Subject:
    return load_subject(trained(folder, config, **overrides).run, "best", None)


def tables_of(markup: Html | None) -> list[tuple[list[str], list[list[str]]]]:
    """The heads and the rows of each table."""
    found = []
    for content in re.findall("<table.*?</table>", str(markup), re.DOTALL):
        heads = re.findall("<th [^>]*scope=.col.[^>]*>(.*?)</th>", content)
        rows = re.findall("<tr>(.*?)</tr>", content.partition("<tbody>")[2])
        found.append((heads, [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]))
    return found


def test_wrong_predictions_are_apart_from_the_least_sure_ones(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "softmax_iris", training__epochs=20)
    (heads, wrong), (_, right) = tables_of(worst_rows(subject, words_of("en")))
    labels, classes = subject.rows.labels, subject.predictions.classes
    assert classes is not None
    assert len(wrong) == np.count_nonzero(classes != labels) > 0
    assert all(row[1] != row[2] for row in wrong)
    assert len(right) == 10
    assert all(row[1] == row[2] for row in right)
    surety = [float(row[-1]) for row in right]
    assert surety == sorted(surety)
    sure = np.sort(subject.predictions.outputs.max(axis=1)[classes == labels])[:10]
    np.testing.assert_allclose(surety, sure, rtol=1e-3)
    assert heads[:3] == ["row", "true class", "predicted class"]
    assert heads[3:] == [*subject.experiment.table.input_names, "P of the true class"]


def test_no_wrong_prediction_is_said(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=3000)
    markup = worst_rows(subject, words_of("en"))
    assert "No row of the training set is predicted wrongly." in str(markup)
    assert len(tables_of(markup)) == 1


def test_numbers_have_their_error_last(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "sine", training__epochs=3)
    ((heads, rows),) = tables_of(worst_rows(subject, words_of("en")))
    assert heads == ["row", "y, true", "y, predicted", "x1", "absolute error"]
    errors = [float(row[-1]) for row in rows]
    assert errors == sorted(errors, reverse=True)
