"""Reliability diagrams of runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plotted import heading_texts, laid_out, points, subject_of

from bpcli.plots import PLOTS


@pytest.mark.parametrize("config", ["moons", "softmax_iris"])
def test_every_row_is_in_a_bin_and_the_error_is_that_of_the_rows(
    tmp_path: Path, config: str
) -> None:
    subject = subject_of(tmp_path, config, training__epochs=15)
    figure = laid_out("calibration", subject)
    above, below = figure.axes
    assert sum(bar.get_height() for bar in below.patches) == len(subject.rows)
    outputs, labels = subject.predictions.outputs, subject.rows.labels
    assert labels is not None
    if config == "moons":
        probability, is_true = outputs[:, 0], labels == 1
        assert above.get_ylabel() == "share of rows of class 1"
    else:
        probability, is_true = outputs.max(axis=1), labels == outputs.argmax(axis=1)
        assert above.get_ylabel() == "share of rows predicted correctly"
    bins = np.floor(np.minimum(probability, 1 - 1e-12) * 10)
    gaps = [
        (bins == number).mean() * abs((probability - is_true)[bins == number].mean())
        for number in np.unique(bins)
    ]
    assert len(points(above, "test set")) == len(gaps)
    assert heading_texts(figure)[1].endswith(f"expected calibration error {sum(gaps):.3f}")


def test_outputs_that_are_no_probabilities_have_no_calibration(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "two_spirals", training__epochs=2)
    assert PLOTS["calibration"]().why_not(subject) == (
        "The outputs are not probabilities: use softmax, or one sigmoid output for two classes."
    )
    values = subject_of(tmp_path, "sine", training__epochs=2)
    assert PLOTS["calibration"]().why_not(values) == "The targets are numbers, not classes."
