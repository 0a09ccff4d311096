"""The columns of progress, and the epochs that get a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from bpcli.nn.units import UnitCounts
from bpcli.text import duration, rounded
from bpcli.training.epoch import Epoch

_ROWS_PER_TRAINING = 20


class ScoresOf(Protocol):
    """Computes the metrics of an epoch by path, and its dead and saturated units."""

    def of(self, epoch: Epoch) -> dict[str, float | None]: ...

    def units(self, epoch: Epoch) -> UnitCounts: ...


class RowEpochs(Protocol):
    """The epochs that get a row of progress."""

    def __contains__(self, epoch: int) -> bool: ...

    def after(self, epoch: int) -> int:
        """Return the next epoch that gets a row."""
        ...


class Columns:
    """The values that a row of progress shows."""

    def __init__(
        self,
        metric: str | None,
        has_validation: bool,
        loss: str = "loss",
        diagnostics: Sequence[str] = ("learning_rate",),
    ) -> None:
        self._paths = [f"train.{metric}"] if metric else []
        if has_validation:
            self._paths += ["val.loss", f"val.{metric}"] if metric else ["val.loss"]
        self.loss = loss
        self.names = [
            "epoch", loss, *self._paths, "grad norm", *map(_spaced, diagnostics), "time/epoch",
        ]  # fmt: skip
        self._expendable = [*map(_spaced, diagnostics), "grad norm", "time/epoch", *self._paths]
        self._previous: tuple[int, float] = (0, 0.0)

    def row(self, epoch: Epoch, scores: Mapping[str, float | None]) -> list[str]:
        """Return the cells of an epoch; the time is the mean since the previous row."""
        number, seconds = self._previous
        epochs = epoch.number - number
        pace = duration((epoch.seconds - seconds) / epochs) if epochs else "-"
        self._previous = (epoch.number, epoch.seconds)
        return [
            str(epoch.number),
            rounded(epoch.loss),
            *(rounded(scores.get(path)) for path in self._paths),
            rounded(epoch.grad_norm, 4),
            *(rounded(value, 4) for value in epoch.diagnostics.values()),
            pace,
        ]

    def that_fit(self, width: int) -> list[int]:
        """Return the indices of the columns that fit; the least important are dropped first."""
        kept = list(self.names)
        for name in self._expendable:
            if sum(map(width_of, kept)) <= width:
                break
            kept.remove(name)
        return [position for position, name in enumerate(self.names) if name in kept]


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def width_of(column: str) -> int:
    """The width of a column with a gap: numbers have up to 11 characters, epochs up to 7."""
    gap = 3
    return gap + (7 if column == "epoch" else max(len(column), 11))


class Rows:
    """The epochs that get a row by default: about 20 and some early ones.

    The loss changes most in early epochs, so 1, 2, 5, 10, 20, 50 … have rows too.
    """

    def __init__(self, epochs: int) -> None:
        self._interval = _round_interval(epochs)

    def __contains__(self, epoch: int) -> bool:
        is_early = epoch < self._interval and str(epoch).rstrip("0") in {"1", "2", "5"}
        return is_early or epoch % self._interval == 0

    def after(self, epoch: int) -> int:
        """Return the next epoch that gets a row."""
        regular = epoch - epoch % self._interval + self._interval
        if epoch >= self._interval:
            return regular
        tens: list[int] = [10**zeros for zeros in range(len(str(epoch)) + 1)]
        early = (digit * ten for ten in tens for digit in (1, 2, 5) if digit * ten > epoch)
        return min(regular, *early)


def _round_interval(epochs: int) -> int:
    """The interval that gives about 20 rows, rounded to one digit."""
    interval, step = max(1, epochs // _ROWS_PER_TRAINING), 1
    while interval >= 10 * step:
        step *= 10
    return max(1, round(interval / step) * step)
