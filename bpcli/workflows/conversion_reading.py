"""The reading of a table's rows into cells, from the beginning or from where it was interrupted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bpcli.data.conversion.cells import Cells, Plan
from bpcli.data.conversion.kept import Read
from bpcli.data.conversion.rows import ReadPosition, rows_from
from bpcli.data.conversion.store import Store
from bpcli.data.conversion.table import Choices
from bpcli.data.files.beside import MOST_CHARACTERS
from bpcli.data.files.codes import note_on_codes
from bpcli.data.files.delimited import cleaner_of
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.look import layout_as_asked
from bpcli.data.files.packed import is_packed
from bpcli.data.files.parquet import is_parquet, stored_as_categories
from bpcli.data.files.sniff import Layout
from bpcli.data.roles import find_targets
from bpcli.data.selection import choose, select, selectors_of
from bpcli.data.values import quoted
from bpcli.errors import DataError, Interrupted
from bpcli.runs.files import digest_of_first
from bpcli.terminal.progress.conversion import SilentConversion
from bpcli.text import listed_names, visible
from bpcli.version import __version__
from bpcli.workflows.conversion_files import SCHEMA, Files, Journal, Resumed, resumed
from bpcli.workflows.interrupts import StopRequest

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


class Notes:
    """Passes notes on, and remembers them."""

    def __init__(self, progress: SilentConversion) -> None:
        self.said: list[str] = []
        self._progress = progress

    def __call__(self, note: str) -> None:
        self.said.append(note)
        self._progress.note(note)


@dataclass(frozen=True)
class Watched:
    """The progress of a conversion that a signal may stop between two pieces."""

    progress: SilentConversion
    stop: StopRequest
    request: Request

    def check(self) -> None:
        """Raises `Interrupted` if a signal has arrived."""
        if self.stop.signal_number is not None:
            raise Interrupted(
                f"Interrupted: the rows that were read from {self.request.source} are kept. "
                "Repeat the command to continue.",
                self.stop.signal_number,
            )


@dataclass(frozen=True)
class Chosen:
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


def chosen_in(request: Request, notes: Notes) -> Chosen:
    import pandas as pd

    layout = layout_as_asked(request.source, Dialect(header=None).with_signs(request.signs))
    for note in layout.notes:
        notes(note)
    columns = layout.dialect.columns
    given = selectors_of(columns, request.categories)
    many = tuple(select(columns, given, "categories")) if given else ()
    empty = pd.DataFrame(columns=list(columns))
    places, why = find_targets(empty, request.targets)
    targets = [columns[position] for position in places]
    if not request.targets:
        notes(f"the target is {listed_names(targets)}: {why}; --target names another")
    selectors = tuple(selectors_of(columns, request.inputs)) or ("*",)
    inputs, _ = choose(columns, selectors, tuple(targets))
    _refuse_long_names((*inputs, *targets))
    stored = stored_as_categories(request.source) if is_parquet(request.source) else ()
    text = (*layout.dialect.text, *stored, *many)
    layout = replace(layout, dialect=replace(layout.dialect, text=text))
    return Chosen(layout, tuple(inputs), tuple(targets), (*layout.dialect.text, *many))


def _refuse_long_names(names: Sequence[str]) -> None:
    for name in names:
        if len(name) > MOST_CHARACTERS:
            raise DataError(
                f"the name of column `{quoted(name)}` has {len(name):,} characters, more than the "
                f"{MOST_CHARACTERS:,} allowed: rename it, or exclude it by --inputs",
                "file",
            )


def _header(request: Request, chosen: Chosen) -> dict[str, Any]:
    """What must be the same to continue with the rows that were read before."""
    about = request.source.stat()
    return {
        "schema": SCHEMA,
        "version": __version__,
        "source": visible(request.source.name),
        "size": about.st_size,
        "modified_ns": about.st_mtime_ns,
        "sha256": digest_of_first(request.source, _HEAD).hexdigest(),
        "dialect": hashlib.sha256(repr(chosen.layout.dialect).encode()).hexdigest(),
        "columns": list(chosen.names),
    }


def read_all(
    request: Request, chosen: Chosen, files: Files, notes: Notes, watched: Watched
) -> Read:
    """Read all rows into the store, from the beginning or from where the journal ends."""
    header = _header(request, chosen)
    earlier = resumed(files, header)
    _say_how_it_begins(files, earlier, notes)
    journal = Journal(files, header, earlier)
    try:
        read = _passes(chosen, journal, earlier, files, notes, watched)
    finally:
        journal.close()
    if _header(request, chosen) != header:
        raise DataError("the table was changed while it was read: convert it again", "file")
    return read


def _say_how_it_begins(files: Files, earlier: Resumed | None, notes: Notes) -> None:
    if earlier is not None and earlier.position.row:
        notes(f"continues after row {earlier.position.row:,}, from {files.cells.name}")
    elif earlier is None and files.journal.exists():
        notes(
            f"starts over: {files.journal.name} belongs to another table or other options, or "
            "is damaged"
        )


def _passes(
    chosen: Chosen,
    journal: Journal,
    earlier: Resumed | None,
    files: Files,
    notes: Notes,
    watched: Watched,
) -> Read:
    """Read all rows once, or again as long as columns turn out to hold something else."""
    plan, position = (
        (Plan(), ReadPosition()) if earlier is None else (earlier.plan, earlier.position)
    )
    while True:
        layout = _as_planned(chosen.layout, plan)
        cells = Cells(chosen.names, layout.dialect, plan, cleans=not is_parquet(layout.path))
        if earlier is not None:
            cells.resume(earlier.modes, earlier.texts, earlier.rounded)
        position = _one_pass(layout, cells, journal, position, watched)
        if not cells.must_read_again:
            width = 1 + len(chosen.names)
            store = Store(files.cells, width, journal.size // (8 * width))
            return _as_read(layout, cells, store, chosen, position, notes)
        for note in _why_again(cells.again):
            notes(note)
        plan, position, earlier = plan.joined(cells.again), ReadPosition(), None
        journal.begin_again(plan)


def _as_planned(layout: Layout, plan: Plan) -> Layout:
    dialect = layout.dialect
    return replace(layout, dialect=replace(dialect, text=(*dialect.text, *plan.codes)))


def _one_pass(
    layout: Layout, cells: Cells, journal: Journal, position: ReadPosition, watched: Watched
) -> ReadPosition:
    """Read all rows from a place on; return the place after them."""
    has_offsets = not is_parquet(layout.path) and not is_packed(layout.path)
    total = layout.path.stat().st_size if has_offsets else 0
    for rows in rows_from(layout, position, lambda: cells.read_as_text):
        position = rows.after
        cells.find_codes(position.codes)
        array = cells.add(rows.frame)
        if array is not None:
            journal.append(array, cells, position)
        watched.progress.read(position.offset or 0, total, position.row)
        watched.check()
    return position


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
    layout: Layout, cells: Cells, store: Store, chosen: Chosen, position: ReadPosition, notes: Notes
) -> Read:
    cleaner = None
    if not is_parquet(layout.path):
        cleaner = cleaner_of(layout)
        if position.cleaned is not None:
            cleaner.resume(position.cleaned)
    return Read(store, cells, chosen.inputs, chosen.targets, cleaner, layout.dialect.date_format)
