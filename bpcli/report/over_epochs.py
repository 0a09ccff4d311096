"""The scores of the test set over the epochs.

The log has none: the test set has no part in training. Where the parameters of each epoch were
recorded, they are computed from these; else there is one point, that of the epoch kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.report.scores import is_sampled
from bpcli.runs.subject import Subject
from bpcli.workflows.scores import split_objective, split_scores

MOST_EPOCHS = 60
_MOST_WORK = 2e8
"""The most rows times parameters times epochs: about half a second."""


class TestScores(NamedTuple):
    """The epochs (k,) and the values (k,) of each metric; a curve, or a single point."""

    epochs: Array
    values: Mapping[str, Array]

    @property
    def is_curve(self) -> bool:
        return len(self.epochs) > 1


def test_scores(subject: Subject) -> TestScores | None:
    """The test set's scores as far as they are known; None if there are none."""
    if _has_path(subject):
        return _along_path(subject)
    metrics = subject.record.metrics
    values = {
        path.removeprefix("test."): np.array([value], np.float64)
        for path, value in metrics.items()
        if path.startswith("test.") and value is not None
    }
    return TestScores(np.array([subject.record.best_epoch]), values) if values else None


def _has_path(subject: Subject) -> bool:
    if subject.path is None or subject.rebuilt is None or is_sampled(subject):
        return False
    rows = len(subject.experiment.splits["test"])
    work: float = rows * subject.path.shape[1] * MOST_EPOCHS
    return 0 < work <= _MOST_WORK


def _along_path(subject: Subject) -> TestScores:
    path = subject.path
    assert path is not None, "the caller has asked"
    last = len(path) - 1
    epochs = np.unique(
        np.append(np.linspace(0, last, min(MOST_EPOCHS, last + 1)).round().astype(int), last)
    )
    objective = split_objective(subject.experiment, "test")
    scores = [split_scores(subject.experiment, "test", path[epoch], objective) for epoch in epochs]
    values = {
        metric: np.array([np.nan if each[metric] is None else each[metric] for each in scores])
        for metric in scores[0]
    }
    return TestScores(epochs, values)
