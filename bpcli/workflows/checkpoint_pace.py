"""When a training saves a checkpoint."""

from __future__ import annotations

import sys
from time import perf_counter as clock

from bpcli.config.models import EverySeconds
from bpcli.training.loop import Epoch

_MOST_OF_THE_TIME = 0.01


class CheckpointPace:
    """After so many epochs each, or so many seconds, but then never more than 1 % of the time.

    A training that is shorter saves none until it ends.
    """

    def __init__(self, every: int | EverySeconds, seconds: float) -> None:
        self._epochs = every if isinstance(every, int) else None
        self._seconds = sys.float_info.max if isinstance(every, int) else every.seconds
        self._next = seconds + self._seconds

    def next_due(self, number: int) -> int:
        """The next epoch that is due whatever the clock says."""
        return (
            sys.maxsize if self._epochs is None else number - number % self._epochs + self._epochs
        )

    def is_due(self, epoch: Epoch) -> bool:
        if self._epochs is not None:
            return epoch.number > 0 and epoch.number % self._epochs == 0
        return epoch.seconds >= self._next

    def saved(self, epoch: Epoch, began: float) -> None:
        """Notes what it took."""
        cost = clock() - began
        self._next = epoch.seconds + cost + max(self._seconds, cost / _MOST_OF_THE_TIME)
