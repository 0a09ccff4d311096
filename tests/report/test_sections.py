"""Sentences and cells of the sections say what the drawings and tables beside them show."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from systems import trained

from bpcli.report.charts import Curve, line_chart
from bpcli.report.words import words_of
from bpcli.runs.subject import Subject
from bpcli.workflows.subject import load_subject

WORDS = words_of("en")


def subject_of(folder: Path, config: str, **overrides: object) -> Subject:
    return load_subject(trained(folder, config, **overrides).run, "best", None)


def text_of(subject: Subject, name: str) -> str:
    found = import_module(f"bpcli.report.sections.{name}").section(subject, WORDS)
    return str(found.body)


@pytest.mark.parametrize(
    ("hidden", "circles", "said"),
    [
        (12, 17, []),
        (13, 14, ["Of layers with more than 12 units, the first 8 and the last are drawn."]),
    ],
)
def test_the_units_that_are_said_to_be_drawn_are_drawn(
    tmp_path: Path, hidden: int, circles: int, said: list[str]
) -> None:
    layers = {"network__layers": [4, hidden, 1], "network__activations": ["tanh", "identity"]}
    data = {"data": "{inputs: [[1, 2, 3, 4], [2, 1, 0, 3]], targets: [0, 1]}"}
    text = text_of(
        subject_of(
            tmp_path, "sine", training__epochs=1, **layers, **data, training__batch_size="full"
        ),
        "network",
    )
    assert text.count('class="unit"') == circles
    assert re.findall("Of layers with [^.]*[.]", text) == said
    assert "largest are drawn" not in text


def test_the_last_cell_of_a_confusion_matrix_is_the_accuracy(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "softmax_iris", training__epochs=20)
    accuracy = 100 * (subject.record.metrics["test.accuracy"] or 0)
    assert f">accuracy {accuracy:.1f} %<" in text_of(subject, "quality")


def test_a_table_without_missing_values_says_so(tmp_path: Path) -> None:
    text = text_of(subject_of(tmp_path, "softmax_iris", training__epochs=1), "data")
    assert text.count(">0 missing<") == 4


def test_the_epochs_at_which_a_metric_was_measured_are_counted(tmp_path: Path) -> None:
    settings = {"training__record_params": "true", "training__epochs": 100}
    subject = subject_of(tmp_path, "sine", training__metrics_every=20, **settings)
    text = text_of(subject, "history")
    assert ">Loss by epoch; test set measured at 60 epochs<" in text
    count = len(subject.series("train.rmse")[0])
    assert 1 < count < 20
    said = f">RMSE by epoch; training set measured at {count} epochs; test set measured at 60"
    assert said in text


def test_a_logarithmic_axis_says_so() -> None:
    x = np.arange(4)
    for y, title in ((10.0**x, "loss, log scale"), (1.0 + x, "loss")):
        chart = line_chart("c", [Curve("a", x, y)], "Loss", WORDS, x_title="e", y_title="loss")
        assert f'class="title">{title}<' in str(chart)
