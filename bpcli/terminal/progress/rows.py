"""What a row of progress shows, and which epochs get one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from bpcli.text import duration, rounded

if TYPE_CHECKING:
    from bpcli.nn.units import UnitCounts
    from bpcli.training.loop import Epoch

_ROWS_A_TRAINING = 20


class ScoresOf(Protocol):
    """Gives the metrics of an epoch by path, and its dead and saturated units."""

    def of(self, epoch: Epoch) -> dict[str, float | None]: ...

    def units(self, epoch: Epoch) -> UnitCounts: ...


class Columns:
    """The figures that a row of progress shows."""

    def __init__(
        self,
        metric: str | None,
        has_validation: bool,
        loss: str = "loss",
        figures: Sequence[str] = ("learning_rate",),
    ) -> None:
        self._paths = [f"train.{metric}"] if metric else []
        if has_validation:
            self._paths += ["val.loss", f"val.{metric}"] if metric else ["val.loss"]
        self.loss = loss
        self.names = [
            "epoch", loss, *self._paths, "grad norm", *map(_spaced, figures), "time/epoch",
        ]  # fmt: skip
        self._expendable = [*map(_spaced, figures), "grad norm", "time/epoch", *self._paths]
        self._previous: tuple[int, float] = (0, 0.0)

    def row(self, epoch: Epoch, found: Mapping[str, float | None]) -> list[str]:
        """The cells for an epoch and its scores; the time is the mean since the row before."""
        number, seconds = self._previous
        epochs = epoch.number - number
        pace = duration((epoch.seconds - seconds) / epochs) if epochs else "-"
        self._previous = (epoch.number, epoch.seconds)
        return [
            str(epoch.number),
            rounded(epoch.loss),
            *(rounded(found.get(path)) for path in self._paths),
            rounded(epoch.grad_norm, 4),
            *(rounded(figure, 4) for figure in epoch.diagnostics.values()),
            pace,
        ]

    def that_fit(self, width: int) -> list[int]:
        """The positions of the columns that a terminal has room for, the least needed dropped."""
        kept = list(self.names)
        for name in self._expendable:
            if sum(map(width_of, kept)) <= width:
                break
            kept.remove(name)
        return [position for position, name in enumerate(self.names) if name in kept]


def _spaced(figure: str) -> str:
    return figure.replace("_", " ")


def width_of(column: str) -> int:
    """What a column takes on a terminal, with a gap: numbers have up to 11 characters, epochs 7."""
    gap = 3
    return gap + (7 if column == "epoch" else max(len(column), 11))


class Rows:
    """The epochs that get a row: as the log where that was asked for, else about 20 and more.

    Early epochs change most, so 1, 2, 5, 10, 20, 50 … have rows too.
    """

    def __init__(self, epochs: int, log_every: int | None) -> None:
        self._interval = log_every or _round_interval(epochs)
        self._has_early = log_every is None

    def __contains__(self, epoch: int) -> bool:
        if epoch % self._interval == 0:
            return True
        return (
            self._has_early and epoch < self._interval and str(epoch).rstrip("0") in {"1", "2", "5"}
        )

    def after(self, epoch: int) -> int:
        """The next epoch that gets a row."""
        regular = epoch - epoch % self._interval + self._interval
        if not self._has_early or epoch >= self._interval:
            return regular
        tens: list[int] = [10**zeros for zeros in range(len(str(epoch)) + 1)]
        early = (digit * ten for ten in tens for digit in (1, 2, 5) if digit * ten > epoch)
        return min(regular, *early)


def _round_interval(epochs: int) -> int:
    """Epochs between about 20 rows, to one digit."""
    interval, step = max(1, epochs // _ROWS_A_TRAINING), 1
    while interval >= 10 * step:
        step *= 10
    return max(1, round(interval / step) * step)
