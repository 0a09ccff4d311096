"""The choice of a view of a training, or of many: live, plain lines, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpcli.experiment import Experiment
from bpcli.experiment.log_epochs import LogEpochs
from bpcli.terminal.progress.plain import PlainView, QuietView
from bpcli.terminal.progress.rows import Columns, Rows
from bpcli.terminal.stream import Stream

if TYPE_CHECKING:
    from bpcli.terminal.console import Console
    from bpcli.terminal.sweep import SilentProgress


def view_of(experiment: Experiment, err: Console | Stream, is_silent: bool) -> QuietView:
    """Return a view of a training: none if silent, live on a terminal, plain lines elsewhere."""
    if is_silent:
        return QuietView(err)
    training = experiment.spec.training
    metric = experiment.metrics[0] if experiment.metrics else None
    loss = "weighted " * (experiment.table.weight is not None)
    loss += ("summed loss" if training.reduction == "sum" else "loss") + " + L2" * bool(training.l2)
    has_validation = bool(len(experiment.splits["val"]))
    columns = Columns(metric, has_validation, loss, experiment.diagnostics)
    is_auto = training.log_every == "auto"
    rows = Rows(training.epochs) if is_auto else LogEpochs(training).metrics
    if isinstance(err, Stream):
        return PlainView(err, columns, rows)
    from bpcli.terminal.progress.live import LiveView, has_second_screen

    if not has_second_screen(err):
        return PlainView(err, columns, rows)
    return LiveView(err, columns, rows, training.epochs, has_validation)


def sweep_view_of(err: Console | Stream, is_silent: bool) -> SilentProgress:
    """Return a view of many trainings, chosen like that of one."""
    from bpcli.terminal.sweep import PlainProgress, SilentProgress  # here: `train` rarely needs it

    if is_silent:
        return SilentProgress()
    if isinstance(err, Stream):
        return PlainProgress(err)
    from bpcli.terminal.sweep_live import LiveProgress

    return LiveProgress(err)
