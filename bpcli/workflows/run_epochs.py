"""Run the epochs of a training, for `train`, `compare` and `verify`.

It writes nothing: the log, checkpoints and views are callbacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter as clock
from typing import TYPE_CHECKING, Protocol

from bpcli.errors import Diverged, Interrupted
from bpcli.runs.run_json import RunRecord
from bpcli.training.epoch import Epoch
from bpcli.training.loop import NextDue
from bpcli.training.stopping import Stopping
from bpcli.workflows.interrupts import Abandoned
from bpcli.workflows.scores import EpochScores
from bpcli.workflows.stop_decision import StopDecision

if TYPE_CHECKING:
    from bpcli.cluster.connection import ClusterConnection


class Callback(Protocol):
    """Called after each epoch that it requests, after the last one, and perhaps after others."""

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

    def on_cluster(self, cluster: ClusterConnection) -> None:
        """Called before the training begins, if a cluster computes it."""
        ...


@dataclass(frozen=True)
class Ending:
    """How the epochs of a training ended.

    `last` is the last epoch; None if the initial parameters have no finite loss.
    `reason` is the stop reason, and `failure` is to be raised once all is saved.
    `callback_seconds` is the time that decisions and callbacks took, without those of `last`.
    `skips_scores` is true if no final metrics are computed: if a signal abandoned an epoch, as they
    may take long, or if the rows cannot be read any more.
    """

    last: Epoch | None
    reason: str
    failure: Exception | None
    callback_seconds: float
    skips_scores: bool = False


def earliest_due(callbacks: Sequence[Callback]) -> NextDue:
    """Return a function that finds the next epoch that one of the callbacks requests."""
    return lambda number: min(callback.next_due(number) for callback in callbacks)


def run_epochs(
    epochs: Iterable[Epoch],
    decision: StopDecision,
    callbacks: Sequence[Callback],
    scores: EpochScores,
) -> Ending:
    """Run epochs until a stop rule, the optimizer, a signal or a failure ends them.

    The callbacks are called in their order. A failure is returned, not raised.
    """
    last, newest, seconds = None, -1, 0.0
    reason: str | None = None
    try:
        for epoch in epochs:
            began = clock()
            last = epoch
            reason = decision.after(epoch)
            if epoch.number > newest:  # where training diverges, an earlier epoch is repeated
                newest = epoch.number
                for callback in callbacks:
                    callback.on_epoch(epoch, scores, reason is not None)
            if reason is not None:
                break
            seconds += clock() - began
    except Abandoned:
        return Ending(last, "interrupted", _interruption(decision), seconds, skips_scores=True)
    except Diverged as error:
        return Ending(last, "diverged", error, seconds)
    except Exception as error:
        return Ending(last, "failed", error, seconds)
    assert reason is not None, "the rule of `training.epochs` ends the last epoch"
    failure = _interruption(decision) if reason == "interrupted" else None
    return Ending(last, reason, failure, seconds)


def _interruption(decision: StopDecision) -> Interrupted:
    assert decision.signal_number is not None, "only a signal interrupts"
    return Interrupted("Training was interrupted.", decision.signal_number)
