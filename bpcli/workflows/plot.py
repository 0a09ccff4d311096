"""Load as much of a run as can be loaded, and draw its plots into files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bpcli.data.types import SplitName
from bpcli.errors import BpnetError, ConfigError, LimitTooLow, NumericsNotPinned, RunError
from bpcli.nn.numerics import repeatable_numerics
from bpcli.plots import PLOTS, figure_of, plot_file, reasons
from bpcli.plots.style import house_style
from bpcli.plots.subject import Need, Subject
from bpcli.runs.files import make_folder_of, write_atomically
from bpcli.runs.integrity import checked_log
from bpcli.runs.layout import PATH
from bpcli.runs.metrics_log import LogLine
from bpcli.runs.parameter_path import load_path
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained, Weights, load_trained
from bpcli.text import did_you_mean
from bpcli.workflows.evaluate import default_split

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_STREAMED_ROWS = 20_000
"""The most rows of a split that plots show of a training whose rows were streamed."""

FOLDER = "plots"
"""The folder of plots within a run's folder, unless a file is named."""


def load_subject(run: Run, weights: Weights, split: SplitName | None) -> Subject:
    """Load a run for its plots; `errors` says what is missing or damaged.

    Raises `RunError` if the split has no rows, or there is no record.
    """
    record, errors = run.record(), dict[Need, str]()
    lines: Sequence[LogLine] = ()
    rebuilt = path = None
    try:
        lines = checked_log(run)
        if not lines:
            errors["log"] = f"{run.run_id} has no epochs: its status is `{record.status}`."
    except RunError as error:
        errors["log"] = str(error)
    try:
        rebuilt = _with_rows_in_memory(load_trained(run, weights))
        if run.path(PATH).is_file():
            experiment = rebuilt.experiment
            path = load_path(run, experiment.network.n_params, experiment.dtype)
    except (NumericsNotPinned, LimitTooLow):
        raise  # the run is not damaged: another process can draw all
    except BpnetError as error:
        errors["network"] = str(error)
    chosen = _split(run, rebuilt, split)
    return Subject(run.run_id, record, lines, rebuilt, weights, chosen, path, errors)


def _with_rows_in_memory(trained: Trained) -> Trained:
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


def chosen_kinds(subject: Subject, asked: Sequence[str]) -> list[str]:
    """Return the requested kinds, once each; if none was requested, all that apply.

    Raises `ConfigError` if one is unknown, `RunError` if one does not apply, or none does.
    """
    for kind in asked:
        if kind not in PLOTS:
            near = did_you_mean(kind, PLOTS)
            raise ConfigError(f"There is no plot `{kind}`{near}; allowed: {', '.join(PLOTS)}.")
    reason_by_kind = reasons(subject)
    for kind in asked:
        if reason_by_kind[kind] is not None:
            raise RunError(f"{subject.run_id} has no plot `{kind}`: {reason_by_kind[kind]}")
    available = [kind for kind, reason in reason_by_kind.items() if reason is None]
    kinds = list(dict.fromkeys(asked)) or available
    if not kinds:
        why = " ".join(dict.fromkeys(subject.errors.values()))
        raise RunError(f"No plot of {subject.run_id} can be drawn. {why}")
    return kinds


def drawn(subject: Subject, kind: str) -> Figure:
    """Draw a plot as a figure. Raises as `chosen_kinds` does."""
    (kind,) = chosen_kinds(subject, [kind])
    with repeatable_numerics(), house_style():
        return figure_of(kind, subject)


def save_plots(run: Run, subject: Subject, kinds: Sequence[str], output: Path | None) -> list[Path]:
    """Draw into one file, or one file per kind in the run's folder; return their paths.

    Raises `RunError` if a file cannot be written.
    """
    files: list[tuple[Path, Sequence[str]]]
    if output is None:
        folder = _own_folder(run)
        files = [(folder / f"{kind}.png", [kind]) for kind in kinds]
    else:
        files = [(output, kinds)]
    with repeatable_numerics():
        for path, shown in files:
            make_folder_of(path)
            write_atomically(path, plot_file(shown, subject, path.suffix.lower()))
    return [path for path, _ in files]


def _own_folder(run: Run) -> Path:
    """Return the run's folder of plots. Raises `RunError` for a symbolic link."""
    folder = run.path(FOLDER)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        what = "a symbolic link" if folder.is_symlink() else "not a folder"
        raise RunError(f"{folder} is {what}: remove it, or name a file with -o.")
    return folder
