"""Confusion matrix and ROC curves of a run, against what eval says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plotted import laid_out, subject_of

from bpcli.runs.references import find_run
from bpcli.runs.trained import load_trained
from bpcli.workflows.evaluate import evaluate


@pytest.mark.parametrize("config", ["softmax_iris", "moons"])
def test_the_plots_show_what_eval_says(tmp_path: Path, config: str) -> None:
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
