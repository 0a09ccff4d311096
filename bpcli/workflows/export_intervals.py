"""Intervals of a run for an exported file."""

from __future__ import annotations

from dataclasses import replace

from bpcli.errors import ConfigError, RunError
from bpcli.export.model import Intervals, Model
from bpcli.intervals.conformal import AbsoluteErrors
from bpcli.runs.trained import Trained
from bpcli.workflows.interval_columns import IntervalsOfValues
from bpcli.workflows.intervals import calibrated


def with_intervals(model: Model, trained: Trained, level: float) -> tuple[Model, str]:
    """The model with conformal intervals of a level, and a note on what they promise.

    They are those of `bpnet predict --interval`. Raises like `calibrated`, and `RunError` if a file
    cannot hold what that gives.
    """
    if model.class_names:
        raise RunError(
            "A set of classes depends on all bits of the probabilities, and the last bits differ "
            "between programs: leave out --interval, and use `bpnet predict --interval`."
        )
    intervals = calibrated(trained, level)
    columns = intervals.columns
    assert isinstance(columns, IntervalsOfValues), "there are no classes"
    assert isinstance(columns.method, AbsoluteErrors), "the method is conformal"
    model = replace(model, intervals=Intervals(level, columns.method))
    for name in model.end_names:
        if name in model.output_names:
            raise ConfigError(
                f"A target has the same name as a limit of an interval, `{name}`: rename its "
                "column."
            )
    return model, intervals.note
