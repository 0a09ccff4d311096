"""`bpnet predict` for the rows of a file."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from bpcli.cli.common import console, say_notes
from bpcli.cli.documents import SCHEMA
from bpcli.cli.predicted_rows import MOST_ROWS_ON_A_TERMINAL, say_marked, show_table, table_of
from bpcli.cli.references import Reference, names_a_config
from bpcli.errors import ConfigError
from bpcli.text import harmless, printable_json

if TYPE_CHECKING:
    from bpcli.workflows.intervals import Method
    from bpcli.workflows.new_rows import NewRows
    from bpcli.workflows.predicted_blocks import Beside, Predictions
    from bpcli.workflows.prediction_files import Write

_STANDARD = Path("-")


class Destination(NamedTuple):
    """Where predictions are written, and in which form."""

    output: Path | None
    as_json: bool
    raw: bool
    bom: bool

    @property
    def path(self) -> Path | None:
        """The file to write; None for standard output."""
        return None if self.output == _STANDARD else self.output

    @property
    def is_default(self) -> bool:
        """Whether nobody asked for standard output."""
        return self.output is None


def predict_file(
    run: Reference,
    file: Path,
    signs: Mapping[str, Any],
    keep: tuple[str, ...],
    to: Destination,
    interval: tuple[float, Method, str | None] | None,
) -> None:
    """Write the predictions for the rows of a file, beside the columns to `keep`."""
    from bpcli.workflows.predicted_blocks import NOTHING

    write = _writer(file, to, keeps=bool(keep))
    with _new_rows(run, file, signs, keep) as rows:
        beside = NOTHING if interval is None else _intervals(run, *interval)
        _write(write, to.path, rows, beside)


@contextmanager
def _new_rows(
    run: Reference, file: Path, signs: Mapping[str, Any], keep: tuple[str, ...]
) -> Iterator[NewRows]:
    """Yield the rows of a file for a run, and print notes on them."""
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.workflows.new_rows import new_rows

    if names_a_config(run.name):
        raise ConfigError(f"{run.name} is a CONFIG: to predict a FILE, name a trained RUN.")
    with repeatable_numerics():
        _, model = run.load_model()
        with _on_disk(file) as path:  # not earlier: this process may have to restart
            rows = new_rows(path, model, signs, keep)
            say_notes(rows.notes)
            yield rows


@contextmanager
def _on_disk(file: Path) -> Iterator[Path]:
    """Yield the file, or a copy of standard input, because it is read twice."""
    if file != _STANDARD:
        yield file
        return
    if sys.stdin is None:
        raise ConfigError("Standard input is closed: name a FILE, or pipe rows to `-`.")
    from shutil import copyfileobj
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "standard input"
        with path.open("wb") as copy:
            copyfileobj(sys.stdin.buffer, copy)
        yield path


def _writer(file: Path, to: Destination, *, keeps: bool) -> Write:
    """Return the function that writes the predictions.

    Raises `ConfigError` if options contradict each other, or if `output` cannot be written.
    """
    from bpcli.workflows.prediction_files import Separated, writer_for

    output, raw, bom = to.path, to.raw, to.bom
    if output is None:
        if bom:
            raise ConfigError("--bom is for a CSV or TSV file: name one with --output.")
        if to.as_json:
            return _write_document
        is_shown = to.is_default and not raw and sys.stdout.isatty()
        return _show_first_rows if is_shown else Separated("\t", raw)
    if to.as_json:
        raise ConfigError(
            "--json prints to standard output; to write a JSON file, leave it out and name a .json "
            "or .jsonl file with --output."
        )
    if output.exists() and (not output.is_file() or (file.exists() and output.samefile(file))):
        raise ConfigError(f"{output} is FILE itself or not a regular file: name another --output.")
    return writer_for(output, raw=raw, bom=bom, keeps=keeps)


def _intervals(run: Reference, level: float, method: Method, by: str | None) -> Beside:
    """Calibrate intervals, and print a note on what they promise."""
    from bpcli.workflows.intervals import calibrated

    intervals = calibrated(run.load(), level, method, by=by)
    say_notes(intervals.notes)
    return intervals.columns


def _write(write: Write, output: Path | None, rows: NewRows, beside: Beside) -> None:
    from bpcli.runs.files import atomic_file
    from bpcli.workflows.prediction_files import Separated

    if output is None:
        printable = printable_json if write is _write_document else harmless
        file = _Terminal(printable) if sys.stdout.isatty() else sys.stdout.buffer
        write(cast("BinaryIO", file), rows.predictions(beside))
    else:
        with atomic_file(output) as handle:
            count = write(handle, rows.predictions(beside))
        console(stderr=True).say(f"wrote {output}: {count} row{'s' * (count != 1)}")
    say_notes([*rows.later_notes, *beside.notes])
    if isinstance(write, Separated):
        say_marked(write)
        if output is not None:
            say_notes(_for_spreadsheets(output, rows, write.bom))


def _for_spreadsheets(output: Path, rows: NewRows, bom: bool) -> Iterator[str]:
    """Yield what a spreadsheet would misread in the predictions if it wrote a file like FILE."""
    from bpcli.workflows.predicted_blocks import result_names

    dialect, model = rows.layout.dialect, rows.model
    is_foreign = not (dialect.encoding or "utf-8").startswith("utf")
    words = chain(rows.kept.values(), result_names(model), *model.answers.values())
    if dialect.decimal == ",":
        yield f"{output} has decimal points; for a spreadsheet with decimal commas, write .xlsx"
    elif is_foreign and not bom and not all(map(str.isascii, words)):
        yield f"{output} is in UTF-8; for Excel, add --bom or write .xlsx"


class _Terminal(io.RawIOBase):
    """Standard output on a terminal, with escapes for text of FILE that could control it."""

    def __init__(self, printable: Callable[[str], str]) -> None:
        self._printable = printable
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def write(self, text: Any) -> int:
        sys.stdout.buffer.write(self._printable(self._decoder.decode(text)).encode())
        return len(text)


def _show_first_rows(file: BinaryIO, predictions: Predictions) -> int:
    """Show the first rows on a terminal after reading all, because any row may have an error."""
    from bpcli.workflows.prediction_files import first_rows

    shown, texts, count = first_rows(predictions, MOST_ROWS_ON_A_TERMINAL)
    table = table_of(["row", *predictions.columns], shown, texts)
    beside = predictions.beside.number_names
    names = [*predictions.model.output_names, *predictions.kept, *beside]
    show_table(table, names, count, "-o writes all to a file, with all digits")
    return count


def _write_document(file: BinaryIO, predictions: Predictions) -> int:
    """Write the document of `--json` after reading all rows, because any row may have an error."""
    from shutil import copyfileobj
    from tempfile import TemporaryFile

    from bpcli.workflows.prediction_files import json_list

    with TemporaryFile() as waiting:
        rows = json_list(waiting, predictions)
        waiting.seek(0)
        file.write(f'{{"schema": {SCHEMA}, "rows": '.encode())
        copyfileobj(waiting, file)
        file.write(b"}\n")
    return rows
