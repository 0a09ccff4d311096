"""A comparison of optimizers: its table, and its progress while it trains."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bpcli.terminal.cells import count_text
from bpcli.terminal.grid import Grid
from bpcli.terminal.progress import SilentView
from bpcli.terminal.region import InRegion, Region, bar_of
from bpcli.text import duration, rounded

if TYPE_CHECKING:
    from bpcli.terminal.console import Console
    from bpcli.terminal.stream import Stream
    from bpcli.training.epoch import Epoch

_REFRESH_SECONDS = 0.1


def comparison_table(document: Mapping[str, Any]) -> Grid:
    """One row per optimizer with finished trainings; medians if it has several."""
    rows = [row for row in document["optimizers"] if row["trainings"]]
    has_losses = any(row["loss_evaluations"] for row in rows)
    grid = Grid(
        ["optimizer", "learning rate", "epochs", "gradient evaluations"]
        + ["loss evaluations"] * has_losses
        + ["time", "final loss", document["metric"], "stop reason"]
    )
    for row in rows:
        grid.add_row(
            row["label"],
            _rate(row["learning_rate"]),
            count_text(row["epochs"]),
            count_text(row["gradient_evaluations"]),
            *([count_text(row["loss_evaluations"])] * has_losses),
            duration(row["seconds"]),
            rounded(row["loss"]),
            rounded(row["metric"]),
            stop_reason(row),
        )
    return grid


def _rate(rate: float | Mapping[str, Any] | None) -> str:
    """The number, or only the name of a schedule, as its options would make the table wide."""
    return str(rate["schedule"]) if isinstance(rate, Mapping) else rounded(rate)


def stop_reason(row: Mapping[str, Any]) -> str:
    """The stop reason, with counts if there are several trainings: goal 3, epochs 2."""
    reasons: Mapping[str, int] = row["stop_reason"]
    if row["trainings"] == 1:
        return next(iter(reasons))
    return ", ".join(f"{reason} {count}" for reason, count in reasons.items())


class PlainProgress(SilentView):
    """One line per training, when it has ended."""

    def __init__(self, console: Console | Stream, trainings: int) -> None:
        self._console = console
        self._trainings = trainings
        self._ended = 0

    def on_trial_end(self, trial: Any) -> None:
        self._ended += 1
        loss = "" if trial.loss is None else f", loss {rounded(trial.loss)}"
        self._console.say(
            f"{self._ended} of {self._trainings}: {trial.optimizer}, seed {trial.seed}: epoch "
            f"{trial.epochs}{loss}, {duration(trial.seconds)}, "
            f"{'' if trial.diverged else 'stop reason: '}{trial.stop_reason}"
        )


class LiveProgress(InRegion, PlainProgress):
    """The same lines, and below them a bar for the current training.

    Draws from the training's own thread, as `LiveView` does, because workers are forked.
    """

    def __init__(self, console: Console, trainings: int) -> None:
        super().__init__(console, trainings)
        self._progress = bar_of(console, "{task.description}")
        self._region = Region(console)
        self._task = self._progress.add_task("", total=None)
        self._next_drawing = 0.0

    def on_trial_start(self, label: str, seed: int, epochs: int) -> None:
        text = f"{label}, seed {seed}"
        self._progress.update(self._task, description=text, completed=0, total=epochs)

    def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
        if time.perf_counter() >= self._next_drawing:
            self._progress.update(self._task, completed=epoch.number)
            self._region.show(self._progress.get_renderable())
            self._next_drawing = time.perf_counter() + _REFRESH_SECONDS
