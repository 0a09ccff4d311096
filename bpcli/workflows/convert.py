"""Convert a table of any size to a .npy file, in constant memory and with one pass over its text.

The rows become cells in an intermediate file (`data/conversion/cells.py`); when all are read, it is
decided what the columns hold, and the cells become the numbers of the array. If a column turns out
to hold something else than its first rows, the text is read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bpcli import system
from bpcli.data.conversion.cells import Cells, Plan
from bpcli.data.conversion.kept import Read
from bpcli.data.conversion.rows import Place, rows_from
from bpcli.data.conversion.store import Store
from bpcli.data.conversion.table import Choices, ConvertedTable, Gaps, converted
from bpcli.data.files.arrays import is_array_file
from bpcli.data.files.beside import sidecar_path
from bpcli.data.files.codes import note_on_codes
from bpcli.data.files.delimited import cleaner_of
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.look import layout_as_asked
from bpcli.data.files.packed import is_packed
from bpcli.data.files.parquet import is_parquet, stored_as_categories
from bpcli.data.files.regular import require_regular
from bpcli.data.files.rendered import is_rendered
from bpcli.data.files.sniff import Layout
from bpcli.data.files.table import naming
from bpcli.data.roles import find_targets
from bpcli.data.selection import choose, select, selectors_of
from bpcli.errors import ConfigError, DataError, Interrupted, RunError
from bpcli.runs.files import digest_of_first, not_saved
from bpcli.terminal.progress.conversion import SilentConversion
from bpcli.text import listed_names, plural
from bpcli.version import __version__
from bpcli.workflows.conversion_files import (
    SCHEMA,
    Files,
    Journal,
    Resumed,
    locked,
    replace_array,
    resumed,
)
from bpcli.workflows.interrupts import StopRequest, stop_requests

_HEAD = 2**20
"""The bytes at the beginning of the source whose digest must be the same to go on."""


@dataclass(frozen=True)
class Request:
    """What to convert: columns are chosen by selectors in texts, as on the command line.

    `signs` are the options of the dialect. Columns in `categories` are categories even if they look
    like numbers, or have many values.
    """

    source: Path
    array: Path
    signs: Mapping[str, Any] = field(default_factory=dict)
    targets: Sequence[str] = ()
    inputs: Sequence[str] = ()
    categories: Sequence[str] = ()
    choices: Choices = field(default_factory=Choices)
    overwrites: bool = False


@dataclass(frozen=True)
class Conversion:
    """A conversion that is done."""

    request: Request
    table: ConvertedTable
    inexact: Mapping[str, int]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The document of `--json`."""
        table, request = self.table, self.request
        summary = table.kept.counted
        return {
            "source": str(request.source),
            "file": str(request.array),
            "names": str(sidecar_path(request.array)),
            "rows": table.rows,
            "columns": list(table.names),
            "targets": [target.column.name for target in table.targets],
            "classes": {each.column.name: each.classes for each in table.targets if each.classes},
            "dtype": table.dtype,
            "why_dtype": table.why_dtype,
            "bytes": request.array.stat().st_size,
            "left_out": {
                "without_target": summary.without_target,
                "with_missing_values": table.kept.read.store.rows
                - summary.kept
                - summary.without_target,
            },
            "filled": {
                each.column.name: {
                    "values": summary.gaps[each.column.name],
                    "by": each.rule.fill_text,
                }
                for each in table.inputs
                if each.rule.fill is not None
            },
            "inexact": dict(self.inexact),
            "notes": list(self.notes),
        }


def convert(request: Request, progress: SilentConversion) -> Conversion:
    """Convert a table; an interrupted conversion of the same table goes on where it was.

    Raises `ConfigError` for paths that cannot be used, `DataError` with column and row of a value
    that cannot be used, `Gaps` for missing values, and `RunError` if a file cannot be written.
    """
    _check_paths(request)
    files = Files(request.array)
    with ExitStack() as stack:
        locked(files, stack)
        notes = _Notes(progress)
        with naming(request.source):
            chosen = _chosen(request, notes)
        stack.enter_context(_leaving_files_in_order(files, request))
        stack.enter_context(naming(request.source))
        stop = stack.enter_context(stop_requests())
        read = _read(request, chosen, files, notes, _Watched(progress, stop, request))
        table = converted(read, replace(request.choices, many=chosen.many))
        for note in (*_notes_on_reading(request.source, read), *table.notes):
            notes(note)
        inexact = _write(table, files, notes, _Watched(progress, stop, request))
        about = _sidecar(request, table, chosen.layout.dialect, notes.said)
        replace_array(files, sidecar_path(request.array), about)
        files.remove()
        return Conversion(request, table, inexact, tuple(notes.said))


class _Notes:
    """Passes notes on, and remembers them."""

    def __init__(self, progress: SilentConversion) -> None:
        self.said: list[str] = []
        self._progress = progress

    def __call__(self, note: str) -> None:
        self.said.append(note)
        self._progress.note(note)


@dataclass(frozen=True)
class _Watched:
    """The progress of a conversion that a signal may stop between two pieces."""

    progress: SilentConversion
    stop: StopRequest
    request: Request

    def check(self) -> None:
        """Raises `Interrupted` if a signal has arrived."""
        if self.stop.signal_number is not None:
            raise Interrupted(
                f"Interrupted: what was read of {self.request.source} is kept. Give the same "
                "command again to go on from there.",
                self.stop.signal_number,
            )


@contextmanager
def _leaving_files_in_order(files: Files, request: Request) -> Iterator[None]:
    """Keep the intermediate files if the same command can go on with them, else remove them."""
    try:
        yield
    except Gaps as error:
        error.add_note(f"What was read is kept in {files.cells} for that command.")
        raise
    except DataError:
        files.remove()
        raise
    except RunError as error:
        error.add_note(
            f"What was read of {request.source} is kept: give the same command again to go on."
        )
        raise


# Before the rows are read.


def _check_paths(request: Request) -> None:
    """Raises `ConfigError` or `DataError` if the files cannot be read or written."""
    source, array = request.source, request.array
    require_regular(source)
    if array.suffix.lower() != ".npy":
        raise ConfigError(f"{array}: the table becomes an array: expected a name that ends in .npy")
    if is_array_file(source):
        raise ConfigError(f"{source} holds arrays already: train on it as it is")
    if is_rendered(source):
        raise ConfigError(
            f"{source}: text such as CSV and Parquet files are converted; a file of this kind is "
            "read as a whole: train on it as it is, or save it as CSV"
        )
    for path in (array, sidecar_path(array)):
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path} is not a regular file: choose another name")
        if path.exists() and path.samefile(source):
            raise ConfigError(f"{path} is the table itself: choose another name")
        if path.exists() and not request.overwrites:
            raise ConfigError(f"{path} exists; --force overwrites it")


@dataclass(frozen=True)
class _Chosen:
    """The layout of the source, with all columns to be read as text; inputs, and targets.

    The columns `many` may have many categories.
    """

    layout: Layout
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    many: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.inputs, *self.targets)


def _chosen(request: Request, notes: _Notes) -> _Chosen:
    import pandas as pd

    layout = layout_as_asked(request.source, Dialect(header=None).told(request.signs))
    for note in layout.notes:
        notes(note)
    columns = layout.dialect.columns
    given = selectors_of(columns, request.categories)
    many = tuple(select(columns, given, "categories")) if given else ()
    empty = pd.DataFrame(columns=list(columns))
    places, why = find_targets(empty, request.targets)
    targets = [columns[place] for place in places]
    if not request.targets:
        notes(f"the target is {listed_names(targets)}: {why}; --target names another")
    selectors = tuple(selectors_of(columns, request.inputs)) or ("*",)
    inputs, _ = choose(columns, selectors, tuple(targets))
    stored = stored_as_categories(request.source) if is_parquet(request.source) else ()
    text = (*layout.dialect.text, *stored, *many)
    layout = replace(layout, dialect=replace(layout.dialect, text=text))
    return _Chosen(layout, tuple(inputs), tuple(targets), (*layout.dialect.text, *many))


def _header(request: Request, chosen: _Chosen) -> dict[str, Any]:
    """What must be the same to go on with the rows that were read before."""
    about = request.source.stat()
    return {
        "schema": SCHEMA,
        "version": __version__,
        "source": request.source.name,
        "size": about.st_size,
        "modified_ns": about.st_mtime_ns,
        "sha256": digest_of_first(request.source, _HEAD).hexdigest(),
        "dialect": hashlib.sha256(repr(chosen.layout.dialect).encode()).hexdigest(),
        "columns": list(chosen.names),
    }


# Reading.


def _read(
    request: Request, chosen: _Chosen, files: Files, notes: _Notes, watched: _Watched
) -> Read:
    """Read all rows into the store, from the beginning or from where the journal ends."""
    header = _header(request, chosen)
    found = resumed(files, header)
    _say_how_it_begins(files, found, notes)
    journal = Journal(files, header, found)
    try:
        return _passes(chosen, journal, found, files, notes, watched)
    finally:
        journal.close()


def _say_how_it_begins(files: Files, found: Resumed | None, notes: _Notes) -> None:
    if found is not None and found.place.row:
        notes(f"going on after row {found.place.row:,}, from {files.cells.name}")
    elif found is None and files.journal.exists():
        notes(
            f"begins anew: {files.journal.name} is of another table, of other options, or damaged"
        )


def _passes(
    chosen: _Chosen,
    journal: Journal,
    found: Resumed | None,
    files: Files,
    notes: _Notes,
    watched: _Watched,
) -> Read:
    """Read all rows once, or again as long as columns turn out to hold something else."""
    plan, place = (Plan(), Place()) if found is None else (found.plan, found.place)
    while True:
        layout = _as_planned(chosen.layout, plan)
        cells = Cells(chosen.names, layout.dialect, plan, cleans=not is_parquet(layout.path))
        if found is not None:
            cells.resume(found.modes, found.texts)
        place = _one_pass(layout, cells, journal, place, watched)
        if not cells.must_read_again:
            width = 1 + len(chosen.names)
            store = Store(files.cells, width, journal.size // (8 * width))
            return _as_read(layout, cells, store, chosen, place, notes)
        for note in _why_again(cells.again):
            notes(note)
        plan, place, found = plan.joined(cells.again), Place(), None
        journal.begin_again(plan)


def _as_planned(layout: Layout, plan: Plan) -> Layout:
    dialect = layout.dialect
    return replace(layout, dialect=replace(dialect, text=(*dialect.text, *plan.codes)))


def _one_pass(
    layout: Layout, cells: Cells, journal: Journal, place: Place, watched: _Watched
) -> Place:
    """Read all rows from a place on; return the place after them."""
    has_offsets = not is_parquet(layout.path) and not is_packed(layout.path)
    total = layout.path.stat().st_size if has_offsets else 0
    for rows in rows_from(layout, place, lambda: cells.read_as_text):
        place = rows.after
        cells.find_codes(place.codes)
        array = cells.add(rows.frame)
        if array is not None:
            journal.append(array, cells, place)
        watched.progress.read(place.offset or 0, total, place.row)
        watched.check()
    return place


def _why_again(again: Plan) -> Iterator[str]:
    """Notes on columns for which the file is read again."""
    for name in again.texts:
        yield f"column `{name}` has text below its first rows: the file is read again"
    for name in again.codes:
        yield f"{note_on_codes(name)}: the file is read again"
    for name in (*again.shown, *again.dates):
        what = "dates" if name in again.dates else "numbers"
        yield f"column `{name}` has very many {what} as text: the file is read again"


def _as_read(
    layout: Layout, cells: Cells, store: Store, chosen: _Chosen, place: Place, notes: _Notes
) -> Read:
    cleaner = None
    if not is_parquet(layout.path):
        cleaner = cleaner_of(layout)
        if place.cleaned is not None:
            cleaner.resume(place.cleaned)
    return Read(store, cells, chosen.inputs, chosen.targets, cleaner, layout.dialect.date_format)


def _notes_on_reading(source: Path, read: Read) -> Iterator[str]:
    """What was ignored or changed in the rows of a text."""
    if read.cleaner is not None:
        yield from (f"{source.name}: {note}" for note in read.cleaner.notes)


# Writing.


def _write(table: ConvertedTable, files: Files, notes: _Notes, watched: _Watched) -> dict[str, int]:
    """Write the array under its intermediate name; return what float32 changes, by column."""
    inexact = table.inexact()
    if inexact:
        notes(
            f"{plural(sum(inexact.values()), 'number')} in {listed_names([*inexact])} change by "
            "more than 1e-7 of their size as float32: --dtype float64 keeps them"
        )
    try:
        with files.written.open("wb") as file:
            for rows in table.write(file):
                watched.progress.written(rows, table.rows)
                watched.check()
            file.flush()
            system.sync_file(file.fileno())
    except OSError as error:
        system.unlink(files.written)
        raise not_saved(files.array, error) from None
    return inexact


def _sidecar(
    request: Request, table: ConvertedTable, dialect: Dialect, notes: Sequence[str]
) -> bytes:
    from bpcli.data.files.sidecar import ClassNames, Sidecar, SourceFile

    about = request.source.stat()
    document = {
        "schema": 1,
        "rows": table.rows,
        "columns": list(table.names),
        "targets": [target.column.name for target in table.targets],
        "classes": [
            ClassNames(target=each.column.name, names=list(each.classes))
            for each in table.targets
            if each.classes
        ],
        "dtype": table.dtype,
        "source": SourceFile(
            name=request.source.name, size=about.st_size, modified_ns=about.st_mtime_ns
        ),
        "dialect": {key: getattr(dialect, key) for key in _KEYS},
        "notes": list(notes),
    }
    return Sidecar.model_validate(document).to_bytes()


_KEYS = (
    "header", "encoding", "separator", "decimal", "thousands", "skip", "skip_last", "comment",
)  # fmt: skip
"""What of the dialect is kept beside the array."""
