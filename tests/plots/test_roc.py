"""ROC curves of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from plotted import subject_of

from bpcli.data.table import Classes
from bpcli.plots import PLOTS


def test_a_split_of_one_class_has_no_roc(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=1)
    only_ones = replace(subject.experiment.table, targets=Classes(np.ones(4, np.intp), ("0", "1")))
    splits = {
        name: replace(split, table=only_ones) for name, split in subject.experiment.splits.items()
    }
    assert subject.rebuilt is not None
    rebuilt = replace(subject.rebuilt, experiment=replace(subject.experiment, splits=splits))
    reason = PLOTS["roc"]().why_not(replace(subject, rebuilt=rebuilt))
    assert reason == "All rows of the train split are of one class."
