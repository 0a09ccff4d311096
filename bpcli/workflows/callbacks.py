"""What a training calls after its epochs: its log, its checkpoints, and what shows it."""

from __future__ import annotations

from typing import Protocol

from bpcli.runs.run_json import RunRecord
from bpcli.training.loop import Epoch
from bpcli.training.stopping import Stopping
from bpcli.workflows.scores import EpochScores


class Callback(Protocol):
    """Is called after the epochs that it asks for, and after others that training stops at."""

    def next_due(self, number: int) -> int:
        """The next epoch after this one that it has to be called for."""
        ...

    def on_epoch(self, epoch: Epoch, scores: EpochScores, is_last: bool) -> None:
        """Called once for an epoch; what it does not read of the epoch is not computed."""
        ...


class TrainingCallback(Callback, Protocol):
    """Shows the training of a run."""

    def on_start(self, record: RunRecord, stopping: Stopping) -> None:
        """Called before the first epoch, with the run's record and the stop rules."""
        ...
