"""Which checkpoints a training saves, and when."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from time import perf_counter as clock
from typing import TypeAlias

from bpcli.config.models import EverySeconds
from bpcli.runs.checkpoint import Checkpoint, Checkpoints
from bpcli.text import duration
from bpcli.training.epoch import Epoch
from bpcli.workflows.stop_decision import StopDecision
from bpcli.workflows.training_log import LogSizes, TrainingLog

_LARGEST_SHARE = 0.01
"""The largest fraction of the training time that saving every so many seconds may take."""

_NOTED_SECONDS = 1.0
"""Saving that takes less in total is not worth a note, whatever its share."""


@dataclass(frozen=True)
class EveryEpochs:
    """A checkpoint every `epochs` epochs, however long saving takes; none at epoch 0."""

    epochs: int

    def next_due(self, number: int) -> int:
        """Return the next epoch that is due regardless of the time."""
        return number - number % self.epochs + self.epochs

    def is_due(self, epoch: Epoch) -> bool:
        return epoch.number > 0 and epoch.number % self.epochs == 0

    def on_saved(self, epoch: Epoch, cost: float) -> None:
        """Called after a checkpoint was saved, which took `cost` seconds."""


class ByTheClock:
    """A checkpoint every `seconds`, or less often, so that saving takes at most 1 % of the time.

    `now` is the training time so far in seconds; it is above 0 after a resume.
    """

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self._next = now + seconds

    def next_due(self, number: int) -> int:
        return sys.maxsize

    def is_due(self, epoch: Epoch) -> bool:
        return epoch.seconds >= self._next

    def on_saved(self, epoch: Epoch, cost: float) -> None:
        self._next = epoch.seconds + cost + max(self._seconds, cost / _LARGEST_SHARE)


Pace: TypeAlias = EveryEpochs | ByTheClock


def pace_of(every: int | EverySeconds, start: Checkpoint | None) -> Pace:
    """Return the pace that `training.checkpoint_every` sets."""
    if isinstance(every, int):
        return EveryEpochs(every)
    return ByTheClock(every.seconds, 0.0 if start is None else start.seconds)


class Checkpointer:
    """Saves the state of a training: at a pace, and at the end.

    It must be called before the log. Training resumes with the epoch of a checkpoint: the stop
    rules have measured it, and its line in the log is not yet written.
    """

    def __init__(
        self, pace: Pace, checkpoints: Checkpoints, decision: StopDecision, log: TrainingLog
    ) -> None:
        self._pace = pace
        self._checkpoints = checkpoints
        self._decision = decision
        self._log = log
        self._saving_seconds = 0.0
        self._reached: tuple[Epoch, LogSizes] | None = None
        """An epoch that the stop rules have measured, and the sizes of the log before it."""

    def next_due(self, number: int) -> int:
        """Return the next epoch that is due regardless of the time."""
        return self._pace.next_due(number)

    def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
        """Save a checkpoint if one is due; `save_last` saves that of the last epoch.

        None is saved if the loss is not finite, as training could not be resumed from it.
        """
        self._reached = epoch, self._log.sizes
        if not is_last and self._pace.is_due(epoch) and math.isfinite(epoch.loss):
            cost = self._save(*self._reached)
            self._saving_seconds += cost
            self._pace.on_saved(epoch, cost)

    def save_last(self, last: Epoch | None) -> None:
        """Save the last epoch, unless training was interrupted before the stop rules measured it.

        Raises `RunError` if saving fails.
        """
        if self._reached is None or self._reached[0] is not last:
            return
        if last.is_evaluated and not math.isfinite(last.loss):
            return
        last.release()  # saving takes memory too
        self._save(*self._reached)

    def note(self, seconds: float) -> str | None:
        """Return a note if checkpoints took more than 1 % of so many seconds of training.

        Only a number of epochs can cause that.
        """
        saving, share = self._saving_seconds, self._saving_seconds / max(seconds, 1e-9)
        if saving < _NOTED_SECONDS or share <= _LARGEST_SHARE or isinstance(self._pace, ByTheClock):
            return None
        return (
            f"saving checkpoints took {duration(saving)}, {100 * share:.1f} % of the training "
            "time: set a larger `training.checkpoint_every`, or leave it out for at most 1 %"
        )

    def _save(self, epoch: Epoch, sizes: LogSizes) -> float:
        """Save a checkpoint; return the seconds that this took."""
        began = clock()
        log, path = self._log.extents(sizes)
        self._checkpoints.save(
            Checkpoint(
                epoch.state,
                self._decision.best.memory(),
                self._decision.stopping.memory(),
                epoch.seconds,
                epoch.val_loss,
                log,
                path,
            )
        )
        return clock() - began
