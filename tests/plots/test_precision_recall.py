"""Precision-recall curves of runs, against scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plotted import entries, heading_texts, laid_out, subject_of
from sklearn.metrics import average_precision_score


@pytest.mark.parametrize("config", ["moons", "softmax_iris"])
def test_the_average_precision_of_each_class_is_scikit_learns(tmp_path: Path, config: str) -> None:
    subject = subject_of(tmp_path, config, training__epochs=15)
    figure = laid_out("precision_recall", subject)
    labels, outputs = subject.rows.labels, subject.predictions.outputs
    assert labels is not None
    shown = [float(text.split("AP ")[1]) for text in entries(figure) if "AP " in text]
    classes = range(len(shown)) if len(shown) > 1 else [1]
    expected = [
        average_precision_score(labels == label, outputs[:, label if len(shown) > 1 else 0])
        for label in classes
    ]
    np.testing.assert_allclose(shown, expected, atol=1e-4)
    details = heading_texts(figure)[1]
    if len(shown) > 1:
        assert details.endswith(f"mean AP (average precision) {np.mean(expected):.4f}")
    else:
        assert details.endswith("AP: average precision")
