"""The callbacks of a training: its log, its checkpoints and its view."""

from __future__ import annotations

from typing import Protocol

from bpcli.runs.run_json import RunRecord
from bpcli.training.loop import Epoch
from bpcli.training.stopping import Stopping
from bpcli.workflows.scores import EpochScores


class Callback(Protocol):
    """Is called after the epochs that it asks for, and after those that training stops at."""

    def next_due(self, number: int) -> int:
        """Return the next epoch after this one that it must be called for."""
        ...

    def on_epoch(self, epoch: Epoch, scores: EpochScores, is_last: bool) -> None:
        """Called once per epoch; values of the epoch are computed only when they are read."""
        ...


class TrainingCallback(Callback, Protocol):
    """Shows the training of a run."""

    def on_start(self, record: RunRecord, stopping: Stopping) -> None:
        """Called before the first epoch, with the run's record and the stop rules."""
        ...
