"""Convert a table of any size to a .npy file, in constant memory and with one pass over its text.

The rows become cells in an intermediate file (`data/conversion/cells.py`); when all are read, it is
decided what the columns hold, and the cells become the numbers of the array. If a column turns out
to hold something else than its first rows, the text is read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bpcli import system
from bpcli.data.conversion.kept import Read
from bpcli.data.conversion.table import ConvertedTable, WrongChoice, converted
from bpcli.data.files.array_files import is_array_file
from bpcli.data.files.beside import MOST_BYTES, sidecar_path
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.frames import naming
from bpcli.data.files.open_signs import open_sign, thousandths
from bpcli.data.files.regular import require_regular
from bpcli.data.files.rendered import is_rendered
from bpcli.data.files.sniff import Layout
from bpcli.data.rounding import rounding_notes
from bpcli.errors import ConfigError, DataError, RunError
from bpcli.runs.files import not_saved
from bpcli.terminal.progress.conversion import SilentConversion
from bpcli.text import listed_names, plural, visible
from bpcli.workflows.conversion_files import Files, locked, replace_array
from bpcli.workflows.conversion_reading import Notes, Request, Watched, chosen_in, read_all
from bpcli.workflows.interrupts import stop_requests


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
        notes = Notes(progress)
        with naming(request.source):
            chosen = chosen_in(request, notes)
        stack.enter_context(_leaving_files_in_order(files, request))
        stack.enter_context(naming(request.source))
        stop = stack.enter_context(stop_requests())
        read = read_all(request, chosen, files, notes, Watched(progress, stop, request))
        table = converted(read, replace(request.choices, many=chosen.many))
        for note in (*_notes_on_reading(chosen.layout, read), *table.notes):
            notes(note)
        inexact = _inexact(table, notes)
        about = _sidecar(request, table, chosen.layout.dialect, notes.said)
        _write(table, files, Watched(progress, stop, request))
        replace_array(files, sidecar_path(request.array), about)
        files.remove()
        return Conversion(request, table, inexact, tuple(notes.said))


@contextmanager
def _leaving_files_in_order(files: Files, request: Request) -> Iterator[None]:
    """Keep the intermediate files if the same command can continue with them, else remove them."""
    try:
        yield
    except WrongChoice as error:
        error.add_note(f"The rows that were read are kept in {files.cells} for that command.")
        raise
    except DataError:
        files.remove()
        raise
    except RunError as error:
        error.add_note(
            f"The rows that were read from {request.source} are kept: repeat the command to "
            "continue."
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
        raise ConfigError(f"{source} already contains arrays: train on it directly")
    if is_rendered(source):
        raise ConfigError(
            f"{source}: only text such as CSV and Parquet files can be converted; a file of "
            "this kind is read as a whole: train on it directly, or save it as CSV"
        )
    for path in (array, sidecar_path(array)):
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path} is not a regular file: choose another name")
        if path.exists() and path.samefile(source):
            raise ConfigError(f"{path} is the table itself: choose another name")
        if path.exists() and not request.overwrites:
            raise ConfigError(f"{path} exists; --force overwrites it")


def _notes_on_reading(layout: Layout, read: Read) -> Iterator[str]:
    """What was ignored or changed in the rows of a text."""
    notes = [] if read.cleaner is None else [*read.cleaner.notes]
    notes += _open_signs(read) if layout.is_sign_open else ()
    for note in rounding_notes(read.cells.rounded):
        notes.append(f"{note}: read codes by --categories, or leave the column out by --inputs")
    yield from (f"{layout.path.name}: {note}" for note in notes)


def _open_signs(read: Read) -> Iterator[str]:
    """Notes on columns where all fractions of all rows have three decimals."""
    fractions_by_name: dict[str, float] = {}
    names = {name for name, mode in read.cells.modes.items() if mode == "number"}
    for cells in read.store.chunks():
        for name in [*names]:
            numbers = cells[:, read.place(name)]
            if len(fractions := thousandths(numbers)):
                fractions_by_name.setdefault(name, float(fractions[0]))
            elif (numbers % 1 > 0).any():
                names.discard(name)
    yield from (
        open_sign(name, fractions_by_name[name])
        for name in read.cells.names
        if name in names & fractions_by_name.keys()
    )


# Writing.


def _inexact(table: ConvertedTable, notes: Notes) -> dict[str, int]:
    """How many numbers float32 changes, by column; a note says so."""
    inexact = table.inexact()
    if inexact:
        notes(
            f"{plural(sum(inexact.values()), 'number')} in {listed_names([*inexact])} change by "
            "more than 1e-7 of their size as float32: --dtype float64 keeps them"
        )
    return inexact


def _write(table: ConvertedTable, files: Files, watched: Watched) -> None:
    """Write the array under its intermediate name."""
    try:
        with files.written.open("wb") as file:
            for rows in table.write(file):
                watched.progress.written(rows, table.rows)
                watched.check()
            file.flush()
            system.sync_file(file.fileno())
    except BaseException as error:
        system.unlink(files.written)
        if isinstance(error, OSError):
            raise not_saved(files.array, error) from None
        raise


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
            name=visible(request.source.name), size=about.st_size, modified_ns=about.st_mtime_ns
        ),
        "dialect": {key: getattr(dialect, key) for key in _KEYS},
        "notes": [*map(visible, notes)],
    }
    content = Sidecar.model_validate(document).to_bytes()
    if len(content) > MOST_BYTES:
        raise DataError(
            f"the names of {plural(len(table.names), 'column')} need {len(content) >> 20} MB, more "
            f"than the {MOST_BYTES >> 20} allowed: exclude columns of long categories by --inputs",
            "file",
        )
    return content


_KEYS = (
    "header", "encoding", "separator", "decimal", "thousands", "skip", "skip_last", "comment",
)  # fmt: skip
"""What of the dialect is kept beside the array."""
