"""The losses and the speed that the live view keeps, in bounded memory."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.training.epoch import Epoch

_MOST_POINTS = 1000
_SECONDS_OF_SPEED = 5.0


class History:
    """Losses by epoch, thinned when they become too many.

    With validation, training losses are mean losses, to be comparable; else they are the objective.
    """

    def __init__(self, has_validation: bool) -> None:
        self.has_validation = has_validation
        self._points: list[tuple[int, float, float]] = []
        self._least_gap = 1

    def add(self, epoch: Epoch) -> None:
        """Add the losses of an epoch; they replace a latest point close to the one before."""
        while len(self._points) > 1 and self._gap() < self._least_gap:
            self._points.pop()
        train_loss = epoch.mean_loss if self.has_validation else epoch.loss
        val_loss = epoch.val_loss
        self._points.append((epoch.number, train_loss, math.nan if val_loss is None else val_loss))
        if len(self._points) > _MOST_POINTS:
            del self._points[1:-1:2]
            span = self._points[-1][0] - self._points[0][0]
            self._least_gap = 2 * span // _MOST_POINTS

    def _gap(self) -> int:
        """The number of epochs between the last two points."""
        return self._points[-1][0] - self._points[-2][0]

    @property
    def arrays(self) -> tuple[Array, Array, Array]:
        """Epochs, training losses and validation losses (n,)."""
        epochs, train, val = np.array(self._points, float).T
        return epochs, train, val


class Speed:
    """Epochs per second over the latest seconds."""

    def __init__(self) -> None:
        self._latest: deque[tuple[int, float]] = deque()

    def update(self, epoch: Epoch) -> None:
        self._latest.append((epoch.number, epoch.seconds))
        while len(self._latest) > 2 and epoch.seconds - self._latest[1][1] > _SECONDS_OF_SPEED:
            self._latest.popleft()

    @property
    def epochs_per_second(self) -> float | None:
        """The speed; None before two epochs were measured."""
        if len(self._latest) < 2:
            return None
        (first, began), (last, ended) = self._latest[0], self._latest[-1]
        return (last - first) / (ended - began) if ended > began else None
