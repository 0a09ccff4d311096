"""Choose the plots of a run, and draw them into files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bpcli.errors import ConfigError, RunError
from bpcli.nn.numerics import repeatable_numerics
from bpcli.plots import PLOTS, figure_of, plot_file, reasons
from bpcli.plots.style import house_style
from bpcli.runs.files import make_folder_of, write_atomically
from bpcli.runs.store import Run
from bpcli.runs.subject import Subject
from bpcli.text import did_you_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "plots"
"""The folder of plots within a run's folder, unless a file is named."""


def chosen_kinds(subject: Subject, asked: Sequence[str]) -> list[str]:
    """Return the requested kinds, once each; if none was requested, all that apply.

    Raises `ConfigError` if one is unknown, or none shows the intervals of the subject, `RunError`
    if one does not apply, or none does.
    """
    for kind in asked:
        if kind not in PLOTS:
            near = did_you_mean(kind, PLOTS)
            raise ConfigError(f"There is no plot `{kind}`{near}; allowed: {', '.join(PLOTS)}.")
    reason_by_kind = reasons(subject, asked or None)
    kinds = [kind for kind, reason in reason_by_kind.items() if reason is None]
    for kind, reason in reason_by_kind.items():
        if asked and reason is not None:
            raise RunError(f"{subject.run_id} has no plot `{kind}`: {reason}")
    if subject.intervals is not None and not any(PLOTS[kind].shows_intervals for kind in kinds):
        showing = " and ".join(kind for kind in PLOTS if PLOTS[kind].shows_intervals)
        raise ConfigError(f"Intervals are drawn by the plots {showing}: name one of them.")
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
