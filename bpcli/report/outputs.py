"""The network's outputs for the rows of each split, computed once for all sections."""

from __future__ import annotations

from typing import NamedTuple

from bpcli.data.types import Labels, SplitName
from bpcli.metrics.metrics import Predictions, predictions
from bpcli.nn.arrays import Array
from bpcli.report.once import once
from bpcli.report.scores import MOST_WITH_REPORT
from bpcli.runs.subject import Subject


class Outputs(NamedTuple):
    """Predictions of a split's rows beside their targets: classes (n,), or values (n, k)."""

    predicted: Predictions
    ranks: Array
    labels: Labels | None
    values: Array | None

    @property
    def is_probable(self) -> bool:
        """Whether the outputs are probabilities of classes or labels."""
        return self.predicted.log_losses is not None


@once
def outputs_of(subject: Subject, name: SplitName) -> Outputs | None:
    """The outputs for a split; None if it has no rows, or very many."""
    experiment = subject.experiment
    split = experiment.splits[name]
    if not 0 < len(split) <= MOST_WITH_REPORT:
        return None
    Z = experiment.output_z(name, subject.params)
    predicted = predictions(subject.network, Z, experiment.preprocessor, split)
    return Outputs(predicted, predicted.ranks, split.labels, split.values)
