"""The trainings of a run with restarts, and how much their results differ."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from bpcli.runs.run_json import Restart, RestartsRecord
from bpcli.runs.saved import Scores
from bpcli.terminal.cells import aligned
from bpcli.terminal.grid import Grid
from bpcli.text import duration, plural, rounded

_MOST = 20


def restarts_table(restarts: RestartsRecord) -> Grid:
    """One row per training, the best first; those that are kept are marked."""
    ranked = _ranked(restarts)
    shown, more = ranked[:_MOST], len(ranked) - _MOST
    mark = "kept" if restarts.combine == "best" else "averaged"
    grid = Grid(
        ["restart", "init seed", restarts.criterion, "epochs", "time", "stop reason", "result"],
        0,
        text_names=["stop reason", "result"],
    )
    values = aligned([each.value for each in shown], 4)
    for each, value in zip(shown, values, strict=True):
        grid.add_row(
            str(each.number),
            str(each.init_seed),
            value,
            str(each.epochs),
            duration(each.seconds),
            each.stop_reason if each.status == "finished" else each.status,
            mark * (each.number in restarts.kept),
        )
    if more > 0:
        grid.add_row(f"{more} more", "", "", "", "", "", "")
    return grid


def _ranked(restarts: RestartsRecord) -> Sequence[Restart]:
    """The trainings, the best first; those without a value last."""
    sign = -1 if restarts.criterion == "log_evidence" else 1
    return sorted(
        restarts.trainings, key=lambda each: (each.value is None, sign * (each.value or 0))
    )


def spread_line(restarts: RestartsRecord) -> str:
    """The best, the median and the worst value: val.loss of 20 restarts: best 0.002, …"""
    values = [each.value for each in _ranked(restarts) if each.value is not None]
    count = plural(len(restarts.trainings), "restart")
    if not values:  # bpnet writes no such record, but a stranger may
        return f"{count}, none with a result"
    best, middle, worst = (rounded(each, 4) for each in (values[0], median(values), values[-1]))
    without = len(restarts.trainings) - len(values)
    end = f"; {without} without a result" * bool(without)
    return f"{restarts.criterion} of {count}: best {best}, median {middle}, worst {worst}{end}"


def average_line(restarts: RestartsRecord, metrics: Scores) -> str | None:
    """The value of an average beside that of the best network, if it is a metric."""
    value = metrics.get(restarts.criterion)
    if restarts.combine == "best" or value is None:
        return None
    best = rounded(_ranked(restarts)[0].value, 4)
    return f"{restarts.criterion}: {rounded(value, 4)} of the average, {best} of the best network"
