"""What the log of a training costs, estimated from counts: lines, bytes and time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bpcli.experiment import Experiment
from bpcli.experiment.log_epochs import LogEpochs
from bpcli.experiment.memory import size_text
from bpcli.runs.metrics_log import LogLine, encoded
from bpcli.text import duration, plural

_LINE_SECONDS = 60e-6
_METRICS_SECONDS = 200e-6
_STEP_SECONDS = 10e-6
_PRODUCT_SECONDS = 1e-10
_UNIT_SECONDS = 3e-9
"""Rough times: of a line of the log and of its metrics; of a step on few rows, and on each row for
each parameter and for each unit. An epoch of moons.yaml takes 49 us, here 50 us (2026-12-01)."""

_MOST_BYTES = 100e6
_LONG_SECONDS = 10.0
_FIGURE = 0.12345678901234567
"""A number with as many digits as most have."""


@dataclass(frozen=True)
class LogCost:
    """The log of a training that reaches its last epoch.

    `seconds` is the time of the log, and `share` its fraction of the time of log and epochs: rough
    numbers, the same on every machine.
    """

    lines: int
    lines_with_metrics: int
    bytes: int
    seconds: float
    share: float

    def __str__(self) -> str:
        time = f"{duration(float(f'{self.seconds:.1g}'))} ({100 * self.share:.0f} % of the time)"
        return f"{plural(self.lines, 'line')}, {size_text(self.bytes)}, about {time}"

    @property
    def warning(self) -> str | None:
        """A warning if the log is large, or takes long, and longer than the epochs."""
        if self.bytes <= _MOST_BYTES and (self.share <= 0.5 or self.seconds <= _LONG_SECONDS):
            return None
        return (
            f"the log of all epochs will have {self}: set a larger `training.log_every` and "
            "`training.metrics_every`, or `auto`"
        )


def log_cost(experiment: Experiment) -> LogCost:
    """Estimate the cost of the log."""
    training = experiment.spec.training
    lines, scored = LogEpochs(training).counts
    plain, full = (len(encoded(_line(experiment, is_scored))) for is_scored in (False, True))
    step = _epoch_seconds(experiment)
    seconds = lines * _LINE_SECONDS + scored * (_METRICS_SECONDS + step / 3)
    return LogCost(
        lines, scored, (lines - scored) * plain + scored * full,
        seconds, seconds / (seconds + training.epochs * step),
    )  # fmt: skip


def _epoch_seconds(experiment: Experiment) -> float:
    """Return the rough time of an epoch of gradient descent; other optimizers take longer."""
    batches, rows = experiment.batches, len(experiment.splits["train"])
    rows = rows if batches.is_full else batches.rows_per_epoch or rows
    steps = 1 if batches.size is None else -(-rows // batches.size)
    network = experiment.network
    units = sum(layer.units for layer in network.layers)
    per_row = network.n_params * _PRODUCT_SECONDS + units * _UNIT_SECONDS
    return steps * _STEP_SECONDS + rows * per_row


def _line(experiment: Experiment, is_scored: bool) -> LogLine:
    """Return a line as long as most."""
    network = experiment.network
    units = [layer.units // 10 for layer in network.layers] if is_scored else []
    return LogLine(
        epoch=experiment.spec.training.epochs,
        loss=_FIGURE,
        grad_norm=_FIGURE,
        grad_norms=[_FIGURE] * len(network.layers),
        diagnostics=dict.fromkeys(experiment.diagnostics, _FIGURE),
        seconds=1.234567,
        metrics=dict.fromkeys(_paths(experiment, is_scored), _FIGURE),
        dead_units=units,
        saturated_units=units,
    )


def _paths(experiment: Experiment, is_scored: bool) -> Iterator[str]:
    for split in ("train", "val"):
        if len(experiment.splits[split]):
            for metric in ("loss", *(experiment.metrics if is_scored else ())):
                yield f"{split}.{metric}"
