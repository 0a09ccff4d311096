"""References to runs on the command line.

A run is named by its id or a unique beginning of it, a tag, its name, `latest`, `latest~2`, or a
path.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from bpcli.errors import NoSuchRun, RunError
from bpcli.runs.layout import CONFIG, RECORD, SWEEP, TRAININGS
from bpcli.runs.store import Run, name_in
from bpcli.runs.tags import tagged
from bpcli.text import plural

_LATEST = re.compile(r"latest(?:~(?P<back>[0-9]{1,9}))?")
_MOST_SHOWN = 5
_USUAL = Path("runs")


def list_runs(runs_dir: Path) -> list[Run]:
    """Return the runs in a folder, newest first."""
    try:
        entries = list(os.scandir(runs_dir))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RunError(f"{runs_dir} cannot be read: {error.strerror}.") from None
    folders = [Path(entry) for entry in entries if entry.is_dir() and name_in(entry.name)]
    times = {folder: _time_of(folder) for folder in folders if (folder / RECORD).is_file()}
    by_time = [(each.name[:15], time, each) for each, time in times.items() if time is not None]
    return [Run(folder) for _, _, folder in sorted(by_time, reverse=True)]


def _time_of(folder: Path) -> int | None:
    """When the config was written, in ns; None if the run is being removed at this moment."""
    config = folder / CONFIG
    try:
        return (config if config.is_file() else folder / RECORD).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def find_run(reference: str, runs_dir: Path, *, keeps_link: bool = False) -> Run:
    """Return the run that a reference names; with `keeps_link`, a link is not followed.

    Raises `NoSuchRun` if it names no run, or several.
    """
    if not reference:
        raise NoSuchRun(
            "The reference to a run is empty: give its id, a tag, its name, `latest` or a path."
        )
    if os.sep in reference or "/" in reference or reference in (".", ".."):
        return _by_path(reference, keeps_link)
    runs = list_runs(runs_dir)
    latest = _LATEST.fullmatch(reference)
    if latest:
        return _latest(runs, int(latest["back"] or 0), runs_dir)
    for matches in _readings(reference, runs):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise NoSuchRun(_ambiguous(reference, matches))
    no_run = _of_config(reference) or _of_sweep(runs_dir / reference)
    raise NoSuchRun(no_run or _unknown(reference, runs, runs_dir))


def _readings(reference: str, runs: list[Run]) -> Iterator[list[Run]]:
    """Yield the runs with this id, then those with this tag, this name, this beginning."""
    yield [run for run in runs if run.run_id == reference]
    yield tagged(runs, reference)
    yield [run for run in runs if run.name == reference]
    yield [run for run in runs if run.run_id.startswith(reference)]


def _by_path(reference: str, keeps_link: bool) -> Run:
    folder = Path(reference)
    is_link = keeps_link and folder.is_symlink()
    try:
        has_record = (folder / RECORD).is_file()
    except OSError:  # a path too long to be one
        has_record = False
    if not has_record:
        no_run = _of_config(reference) or _of_sweep(folder)
        raise NoSuchRun(no_run or f"{reference} is not a run: it has no {RECORD}.")
    return Run(folder.parent.resolve() / folder.name if is_link else folder.resolve())


def reference_to(run: Run) -> str:
    """Return a reference for the shell: the id of a run in the default folder, else a path."""
    if run.folder.parent.resolve() == _USUAL.resolve():
        return run.run_id
    path = str(run.folder)
    is_plain = os.sep in path and not path.startswith("-")
    return shlex.quote(path if is_plain else f"{os.curdir}{os.sep}{path}")


def _latest(runs: list[Run], back: int, runs_dir: Path) -> Run:
    if not runs:
        raise NoSuchRun(f"There are no runs in {runs_dir}. Create one with `bpnet train CONFIG`.")
    if back >= len(runs):
        count = plural(len(runs), "run")
        raise NoSuchRun(f"There is no latest~{back}: {runs_dir} contains {count}.")
    return runs[back]


def _ambiguous(reference: str, matches: list[Run]) -> str:
    shown = [f"  {run.run_id}" for run in matches[:_MOST_SHOWN]]
    if len(matches) > _MOST_SHOWN:
        shown.append(f"  … and {len(matches) - _MOST_SHOWN} more")
    head = f"`{reference}` matches several runs; give an id (`latest` is the newest run of all):"
    return "\n".join([head, *shown])


def _of_config(reference: str) -> str | None:
    """Return the error if a config is given instead of a run."""
    if Path(reference).suffix not in (".yaml", ".yml"):
        return None
    return f"{reference} is a config, not a run: `bpnet train {reference}` creates one."


def _of_sweep(folder: Path) -> str | None:
    """Return the error if a sweep is given instead of a run."""
    try:
        if not (folder / SWEEP).is_file():
            return None
    except OSError:  # a path too long to be one
        return None
    return (
        f"{folder.name} is a sweep of many trainings: `bpnet runs show {folder.name}` shows them. "
        f"Each is a run in {folder / TRAININGS}: give the path of one."
    )


def _unknown(reference: str, runs: list[Run], runs_dir: Path) -> str:
    newest = f"; the latest is {runs[0].run_id}" if runs else ", which contains no runs"
    return f"There is no run `{reference}` in {runs_dir}{newest}."
