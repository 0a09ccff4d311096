"""Load as much of a run as can be loaded, for what is drawn or said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bpcli.data.types import SplitName
from bpcli.errors import BpnetError, LimitTooLow, NumericsNotPinned, RunError
from bpcli.intervals.bounds import Bounds
from bpcli.nn.arrays import Array
from bpcli.runs.folds import siblings
from bpcli.runs.integrity import checked_log
from bpcli.runs.layout import PATH
from bpcli.runs.metrics_log import LogLine
from bpcli.runs.parameter_path import load_path
from bpcli.runs.store import Run
from bpcli.runs.subject import Intervals, Need, Subject
from bpcli.runs.trained import Trained, Weights, load_trained, load_without_rows
from bpcli.workflows.evaluate import default_split
from bpcli.workflows.intervals import Method, calibrated

MOST_STREAMED_ROWS = 20_000
"""The most rows of a split that plots show of a training whose rows were streamed."""


def load_subject(
    run: Run,
    weights: Weights,
    split: SplitName | None,
    level: float | None = None,
    method: Method = "conformal",
) -> Subject:
    """Load a run, with intervals of a level; `errors` says what is missing or damaged.

    Raises `RunError` if the split has no rows, or there is no record, and like `calibrated`.
    """
    record, errors = run.record(), dict[Need, str]()
    lines = _lines(run, record.status, errors)
    trained = rebuilt = path = without_rows = None
    try:
        trained = load_trained(run, weights)
        rebuilt = with_rows_in_memory(trained)
        if run.path(PATH).is_file():
            experiment = rebuilt.uncalibrated.experiment
            path = load_path(run, experiment.network.n_params, experiment.dtype)
    except (NumericsNotPinned, LimitTooLow):
        raise  # the run is not damaged: another process can draw all
    except BpnetError as error:
        errors["network"] = str(error)
        without_rows = _without_rows(run, weights, errors)
    if level is not None and trained is None:
        raise RunError(errors["network"])
    return Subject(
        run.run_id,
        record,
        lines,
        rebuilt,
        weights,
        _split(run, rebuilt, split),
        path,
        errors,
        run.folder,
        siblings(record, run.folder.parent),
        without_rows,
        None if level is None or trained is None else _intervals(trained, level, method),
    )


def _lines(run: Run, status: str, errors: dict[Need, str]) -> Sequence[LogLine]:
    """The log; without any or with a damaged one, `errors` says so."""
    try:
        lines = checked_log(run)
    except RunError as error:
        errors["log"] = str(error)
        return ()
    if not lines:
        errors["log"] = f"{run.run_id} has no epochs: its status is `{status}`."
    return lines


def _intervals(trained: Trained, level: float, method: Method) -> Intervals:
    """Intervals of a run, which are calibrated on all rows that it has for that."""
    if trained.experiment.preprocessor.class_names:
        raise RunError(
            f"{trained.run.run_id} predicts classes: plots show intervals of values, and `bpnet "
            "predict --interval` writes sets of classes."
        )
    if method == "cross":
        raise RunError(
            f"Plots show rows of {trained.run.run_id} that `cross` calibrates on: use another one."
        )
    intervals = calibrated(trained, level, method)

    def bounds(inputs: Array, outputs: Array) -> Bounds:
        arrays = intervals.columns.arrays(inputs, outputs)
        return Bounds(arrays["low"], arrays["high"])

    return Intervals(level, bounds, intervals.note)


def _without_rows(run: Run, weights: Weights, errors: dict[Need, str]) -> Trained | None:
    """The network with its weights alone; None if it cannot be loaded either."""
    try:
        return load_without_rows(run, weights)
    except BpnetError:
        errors["weights"] = errors["network"]
        return None


def with_rows_in_memory(trained: Trained) -> Trained:
    """The run with some of its rows, if they were streamed; a note says so."""
    experiment = trained.experiment
    if not experiment.table.is_stored:
        return trained
    note = f"drawn from at most {MOST_STREAMED_ROWS:,} evenly spaced rows of each split"
    sampled = experiment.sampled(MOST_STREAMED_ROWS)
    return replace(trained, experiment=sampled, notes=(*trained.notes, note))


def _split(run: Run, rebuilt: Trained | None, asked: SplitName | None) -> SplitName:
    if rebuilt is None:
        return asked or "train"
    if asked is not None and not len(rebuilt.experiment.splits[asked]):
        raise RunError(f"The {asked} split of {run.run_id} is empty: choose another split.")
    return asked or default_split(rebuilt.experiment)
