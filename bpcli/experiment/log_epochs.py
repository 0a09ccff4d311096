"""The epochs that get a line in the log, and those whose line has metrics."""

from __future__ import annotations

from dataclasses import dataclass

from bpcli.config.models import Training

_MOST_LINES = 1000
_SCORED_LINES = 50
_EARLY = 52
"""The number of first epochs that all have a line with metrics, as training may stop early.

Where the distance doubles, at 52, 104, 208 …, it divides the epoch: the next line is never missed.
"""


@dataclass(frozen=True)
class SpacedEpochs:
    """Multiples of `unit`: all up to 52 units, then at distances that double, up to `most` units.

    `most` is a power of 2; with 1, the distances stay the same.
    """

    unit: int = 1
    most: int = 1

    def __contains__(self, epoch: int) -> bool:
        number, rest = divmod(epoch, self.unit)
        return rest == 0 and number % self._step(number) == 0

    def after(self, epoch: int) -> int:
        """Return the next epoch among them."""
        number = epoch // self.unit
        step = self._step(number)
        return (number - number % step + step) * self.unit

    def _step(self, number: int) -> int:
        if self.most == 1 or number < _EARLY:
            return 1
        return min(self.most, _power_of_two(4 * number // _EARLY))

    def up_to(self, last: int) -> int:
        """Return how many there are from 0 to `last`."""
        regular = self.unit * self.most
        count, epoch, end = 0, 0, self.unit * max(_EARLY, _EARLY // 4 * self.most)
        while self.most > 1 and epoch < min(end, last + 1):
            count, epoch = count + 1, self.after(epoch)
        return count + max(0, last - epoch + regular) // regular


class LogEpochs:
    """The epochs of the log; the last epoch of a training always has a line with metrics.

    With `log_every: auto`, lines are denser at the beginning. With `metrics_every: auto`, the first
    52 lines have metrics, and up to 200 of the others. Every multiple of a number there has a line
    with metrics, whatever `log_every` is. The distances are powers of 2 or fixed, so that the
    epochs do not depend on where training was resumed.
    """

    def __init__(self, training: Training) -> None:
        epochs, unit, every = training.epochs, 1, 1
        if training.log_every == "auto":
            every = max(1, 2 * _power_of_two((epochs - 1) // _MOST_LINES))
        else:
            unit = training.log_every
        self._lines = SpacedEpochs(unit, every)
        self.metrics = SpacedEpochs(
            unit, max(every, _power_of_two(epochs // unit // _SCORED_LINES))
        )
        """The epochs whose line has metrics."""
        if training.metrics_every != "auto":
            self.metrics = SpacedEpochs(training.metrics_every)
        self._last = epochs

    def __contains__(self, epoch: int) -> bool:
        return epoch in self._lines or epoch in self.metrics

    def after(self, epoch: int) -> int:
        """Return the next epoch with a line."""
        return min(self._lines.after(epoch), self.metrics.after(epoch))

    @property
    def counts(self) -> tuple[int, int]:
        """About the number of lines of all epochs, and of those with metrics."""
        scored = self.metrics.up_to(self._last)
        return max(self._lines.up_to(self._last), scored), scored


def _power_of_two(number: int) -> int:
    """Return the largest power of 2 up to a whole number; 0 for 0."""
    return 1 << number.bit_length() >> 1
