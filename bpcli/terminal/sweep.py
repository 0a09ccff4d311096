"""A sweep: its table, its counts in sentences, and its progress as plain lines.

The progress on a terminal is in `sweep_live`, which imports rich.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from bpcli.terminal.cells import (
    count_text,
    is_finite,
    is_number,
    key_heading,
    spreads,
    time_text,
    value_text,
)
from bpcli.terminal.grid import Grid
from bpcli.text import duration, plain, plural, rounded

if TYPE_CHECKING:
    from bpcli.terminal.console import Console
    from bpcli.terminal.stream import Stream

_MOST_OF_AN_ERROR = 300
_PARAMETERS, _EPOCHS, _TIME = "parameters", "epochs", "time"
_TRAININGS, _FAILED, _STOPPED = "trainings", "failed", "stopped"
_OWN = ("setting", _PARAMETERS, _EPOCHS, _TIME, _TRAININGS, _FAILED, _STOPPED)


def sweep_table(document: Mapping[str, Any], most: int = 10) -> tuple[Grid, list[str]]:
    """Return a table of the best settings, and the columns to drop if there is no room.

    It has one row per setting, best first, and a last row with the number of those left out.
    """
    settings = document["settings"][:most]
    columns = _columns(document, settings)
    grid = Grid([*columns], 0, text_names=_text_names(document, settings))
    for cells in zip(*columns.values(), strict=True):
        grid.add_row(*cells)
    more = len(document["settings"]) - len(settings)
    if more:
        grid.add_row(f"{more} more", *[""] * (len(columns) - 1))
    expendable = [_TIME, _PARAMETERS, _EPOCHS, _test_metric(document), _STOPPED, _TRAININGS]
    return grid, [name for name in expendable if name in columns]


def _columns(
    document: Mapping[str, Any], settings: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """The cells of each column by its heading."""
    keys, test = document["keys"], _test_metric(document)
    columns = {
        document["noun"]: [str(each["setting"]) for each in settings],
        **{
            _heading(key, keys): [value_text(each["values"].get(key)) for each in settings]
            for key in keys
        },
        document["metric"]: spreads(settings),
        **(
            {test: spreads([each["test"] for each in settings])}
            if test and test != document["metric"]
            else {}
        ),
        **_remarks(document, settings),
    }
    if len({each["n_params"] for each in document["settings"]} - {None}) > 1:
        columns[_PARAMETERS] = [count_text(each["n_params"]) for each in settings]
    columns[_EPOCHS] = [count_text(each["epochs"]) for each in settings]
    columns[_TIME] = [time_text(each["seconds"]) for each in settings]
    return columns


def _remarks(
    document: Mapping[str, Any], settings: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    """Columns for settings that are not complete, each only if the sweep has such a setting."""
    every, expected = document["settings"], _expected(document)
    columns = {}
    if any(_counted(each) + each["failed"] < expected for each in every):
        columns[_TRAININGS] = [f"{_counted(each)} of {expected}" for each in settings]
    if any(each["failed"] for each in every):
        columns[_FAILED] = [str(each["failed"]) for each in settings]
    if any(each["stopped"] is not None for each in every):
        columns[_STOPPED] = [_stopped_text(each["stopped"]) for each in settings]
    return columns


def _heading(key: str, keys: Sequence[str]) -> str:
    return key_heading(key, keys, _OWN)


def _text_names(document: Mapping[str, Any], settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The headings of keys with a value that is no number, and of the remarks."""
    keys = document["keys"]
    texts = [
        _heading(key, keys)
        for key in keys
        if not all(is_number(each["values"].get(key)) for each in settings)
    ]
    return [*texts, _STOPPED]


def _test_metric(document: Mapping[str, Any]) -> str:
    """The metric of the test split, or an empty text."""
    return next((each["test"]["metric"] for each in document["settings"] if each["test"]), "")


def _counted(setting: Mapping[str, Any]) -> int:
    """The number of trainings that a mean is of."""
    return sum(map(is_finite, setting["values_by_training"]))


def _expected(document: Mapping[str, Any]) -> int:
    """The number of trainings of every setting."""
    counts = document["counts"]
    return int(counts["trainings"] // max(1, counts["settings"]))


def _stopped_text(epoch: int | None) -> str:
    return "" if epoch is None else f"at epoch {epoch}"


def summary_lines(document: Mapping[str, Any]) -> list[str]:
    """How settings are ranked, how trainings ended, the first error, and what is missing."""
    return [
        _ranking(document),
        *_luck(document),
        _counts_text(document),
        *_first_error(document),
        *missing_lines(document, "sweep"),
    ]


def _ranking(document: Mapping[str, Any]) -> str:
    first = "highest" if document["greater_is_better"] else "lowest"
    seeds, folds, several = document["seeds"], document["folds"], _expected(document) > 1
    which = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    which += f", {plural(folds, 'fold')}" if folds else ""
    over = f": mean ± standard deviation over {which}" if several else f" ({which})"
    return f"Settings are ranked by {document['metric']}, {first} first{over}."


def _luck(document: Mapping[str, Any]) -> list[str]:
    """A hint that one training of each setting may mislead."""
    if _expected(document) > 1 or len(document["settings"]) < _FEW:
        return []
    return [
        "Each setting was trained only once, so the best one may be luck: repeat with --seeds 5."
    ]


_FEW = 3


def _total(document: Mapping[str, Any]) -> str:
    """48 trainings of 16 settings; or 20 restarts, if each is one training."""
    counts = document["counts"]
    things = plural(counts["settings"], document["noun"])
    if document["noun"] == "restart":
        return things
    return f"{plural(counts['trainings'], 'training')} of {things}"


def _counts_text(document: Mapping[str, Any]) -> str:
    """48 trainings of 16 settings: 46 finished, 1 failed, 1 stopped by halving."""
    counts, total = document["counts"], _total(document)
    parts = [f"{counts['finished']:,} finished"]
    names = {"failed": "failed", "stopped": "stopped by halving", "missing": "missing"}
    parts += [f"{counts[key]:,} {name}" for key, name in names.items() if counts[key]]
    return f"{total}: {', '.join(parts)}."


def _first_error(document: Mapping[str, Any]) -> list[str]:
    failed = [each for each in document["trainings"] if each["status"] in ("failed", "diverged")]
    if not failed:
        return []
    first = failed[0]
    which = "First failure" if document["counts"]["failed"] > 1 else "Failure"
    return [f"{which}: {first['label']}: {_error(first) or _ending(first)}"]


def missing_lines(document: Mapping[str, Any], noun: str) -> list[str]:
    """How many trainings a sweep or a search lacks, and why; nothing if it lacks none."""
    counts = document["counts"]
    if not counts["missing"]:
        return []
    of = f"{counts['missing']:,} of {plural(counts['trainings'], 'training')}"
    verb = "is" if counts["missing"] == 1 else "are"
    why = "was interrupted" if document["interrupted"] else "is not complete"
    return [f"The {noun} {why}: {of} {verb} missing. Train what is missing with --resume."]


def _ending(training: Mapping[str, Any]) -> str:
    """Why a training ended."""
    status, error = training["status"], _error(training)
    if status == "finished":
        return f"stop reason: {training['stop_reason']}"
    reason = "paused by halving" if status == "stopped" else status
    return f"{reason}: {error}" if error else reason


def _error(training: Mapping[str, Any]) -> str:
    """The error of a training on one line, or an empty text."""
    return plain(" ".join((training["error"] or "").split()), _MOST_OF_AN_ERROR)


def training_line(training: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """The result of a training that has ended, and how many have."""
    value = training["value"]
    parts = [
        *([] if value is None else [f"{document['metric']} {rounded(value)}"]),
        *([f"epoch {training['epochs']}"] if training["epochs"] else []),
        *([duration(training["seconds"])] if training["epochs"] else []),
        _ending(training),
    ]
    counts = document["counts"]
    number = f"{ended(counts)} of {counts['trainings']}"
    return f"{number}: {training['label']}: {', '.join(parts)}"


def ended(counts: Mapping[str, int]) -> int:
    """The number of trainings that have ended."""
    return counts["finished"] + counts["failed"] + counts["stopped"]


class SilentProgress:
    """Shows nothing of a sweep.

    The process that starts the trainings calls it: they run in other processes. A document is that
    of the sweep so far, in which trainings that have not ended are missing.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def on_start(self, document: Mapping[str, Any], processes: int) -> None:
        """The sweep begins or resumes, in a number of processes."""

    def on_training_start(self, training: Mapping[str, Any]) -> None:
        """A training begins."""

    def on_training_end(self, training: Mapping[str, Any], document: Mapping[str, Any]) -> None:
        """A training has ended; the document has it already."""

    def on_stop(self, count: int) -> None:
        """A signal has asked so many trainings to save their runs."""

    def tick(self) -> None:
        """Time has passed: called about five times a second."""


class PlainProgress(SilentProgress):
    """One line per training, when it has ended."""

    def __init__(self, console: Console | Stream) -> None:
        self._console = console

    def on_start(self, document: Mapping[str, Any], processes: int) -> None:
        done = ended(document["counts"])
        before = f"; {done:,} ended before" * bool(done)
        self._console.say(f"{_total(document)}, {processes} at a time{before}")

    def on_training_end(self, training: Mapping[str, Any], document: Mapping[str, Any]) -> None:
        self._console.say(training_line(training, document))

    def on_stop(self, count: int) -> None:
        verb = "is" if count == 1 else "are"
        self._console.say(
            f"Interrupted: {plural(count, 'training')} that {verb} running will be saved first. "
            "Interrupt again to stop at once."
        )
