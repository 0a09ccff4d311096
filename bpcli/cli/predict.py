"""`bpnet predict`."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click

from bpcli.cli.common import (
    console,
    examples,
    load_run,
    load_run_or_config,
    method_options,
    names_a_config,
    require_interval,
    run_or_config_options,
    say_notes,
    was_given,
)
from bpcli.cli.dialect import dialect_options
from bpcli.cli.documents import SCHEMA, print_json, print_text
from bpcli.errors import ConfigError
from bpcli.text import harmless, plural, printable_json, readable

if TYPE_CHECKING:
    from bpcli.experiment import Experiment
    from bpcli.nn.arrays import Array, Vector
    from bpcli.terminal.grid import Grid
    from bpcli.workflows.intervals import Method
    from bpcli.workflows.new_rows import NewRows
    from bpcli.workflows.predict import PredictedRows
    from bpcli.workflows.predicted_blocks import Beside, Predictions
    from bpcli.workflows.prediction_files import Separated, Write

_MOST_ROWS_ON_A_TERMINAL = 50


@click.command(
    "predict",
    epilog=examples("predict"),
)
@click.argument("run_or_config", metavar="RUN|CONFIG")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to write predictions for FILE: a .csv, .tsv, .xlsx, .json, .jsonl or .npz file, or "
    "`-`.",
)
@click.option(
    "--keep",
    multiple=True,
    metavar="COLUMNS",
    help="Columns of FILE to copy unchanged before the predictions: names, numbers from 1 or "
    'patterns, separated by commas; "*": all. May be repeated.',
)
@click.option(
    "--interval",
    "level",
    type=float,
    metavar="LEVEL",
    help="Add to each value an interval that contains the target with this probability, such as "
    "0.9, or to each class a set of classes. By default, they are calibrated on the "
    "validation rows.",
)
@method_options
@click.option(
    "--split",
    type=click.Choice(["all", "train", "val", "test"]),
    default="all",
    show_default=True,
    help="Without FILE: the split to predict, or all rows.",
)
@click.option(
    "--raw",
    is_flag=True,
    help="In CSV and TSV, write text unchanged that a spreadsheet would read as a formula; without "
    "--raw, a ' is put before such text.",
)
@click.option(
    "--bom",
    is_flag=True,
    help="Begin a CSV or TSV file with a byte order mark, which Excel needs to read ä or 中 "
    "correctly.",
)
@dialect_options
@run_or_config_options
def command(
    run_or_config: str,
    file: Path | None,
    output: Path | None,
    keep: tuple[str, ...],
    level: float | None,
    method: Method | None,
    by: str | None,
    split: str,
    raw: bool,
    bom: bool,
    signs: Mapping[str, Any],
    weights: str,
    overrides: tuple[str, ...],
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Print a network's outputs.

    Without FILE: predicts the rows of the run's data, in original units. A CONFIG is not trained:
    its initial weights are used, and --set may change it. A terminal shows a table; a pipe gets
    tab-separated lines.

    With FILE (runs only): predicts the rows of FILE in order, as classes and probabilities or as
    values in original units. A terminal shows the first rows, with rounded numbers; a pipe and
    `-o -` get all rows and all digits in tab-separated lines. Columns are matched by name; a file
    of any size takes little memory. `-` reads standard input. The file is read like the training
    file; the options from --encoding to --missing-only describe differences.

    In CSV and TSV, a ' is put before text that begins with = + - @, a tab or a line break, because
    a spreadsheet would read it as a formula. Numbers never change. --raw leaves text unchanged.
    """
    require_interval(level, method, by)
    if raw and as_json:
        raise ConfigError("--raw is for CSV and TSV: JSON never changes names.")
    if file is not None:
        _refuse_options_of_own_rows()
        from bpcli.workflows.predicted_blocks import NOTHING

        write = _writer(file, output, as_json, raw=raw, bom=bom, keeps=bool(keep))
        with _new_rows(run_or_config, file, signs, keep, weights, runs_dir) as rows:
            beside = (
                NOTHING
                if level is None
                else _intervals(run_or_config, level, method, by, weights, runs_dir)
            )
            _write(write, output, rows, beside)
        return
    if signs:
        raise ConfigError("The options from --encoding to --missing-only need a FILE.")
    for name, is_given in (("--keep", keep), ("--bom", bom), ("--interval", level is not None)):
        if is_given:
            raise ConfigError(f"{name} needs a FILE.")
    if output is not None:
        raise ConfigError("--output needs a FILE; without one, write to a file with `>`.")
    from bpcli.nn.numerics import repeatable_numerics

    with repeatable_numerics():
        experiment, params = load_run_or_config(
            run_or_config, overrides, runs_dir, weights=weights, needs_targets=False
        )
        _predict_own_rows(experiment, params, split, raw, as_json)


# New rows.


def _refuse_options_of_own_rows() -> None:
    for option, name in (("split", "--split"), ("overrides", "--set")):
        if was_given(option):
            raise ConfigError(f"{name} is for the rows of the run's own data, not for a FILE.")


@contextmanager
def _new_rows(
    reference: str,
    file: Path,
    signs: Mapping[str, Any],
    keep: tuple[str, ...],
    weights: str,
    runs_dir: Path,
) -> Iterator[NewRows]:
    """Yield the rows of a file for a run, and print notes on them."""
    from bpcli.export.model import load_model
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.runs.references import find_run
    from bpcli.workflows.new_rows import new_rows

    if names_a_config(reference):
        raise ConfigError(f"{reference} is a CONFIG: to predict a FILE, name a trained RUN.")
    with repeatable_numerics():
        model = load_model(find_run(reference, runs_dir), weights)  # type: ignore[arg-type]  # click checked it
        with _on_disk(file) as path:  # not earlier: this process may have to restart
            rows = new_rows(path, model, signs, keep)
            say_notes([*model.notes, *rows.notes])
            yield rows


def _writer(
    file: Path, output: Path | None, as_json: bool, *, raw: bool, bom: bool, keeps: bool
) -> Write:
    """Return the function that writes the predictions.

    Raises `ConfigError` if options contradict each other, or if `output` cannot be written.
    """
    from bpcli.workflows.prediction_files import Separated, writer_for

    if output is None or output == _STANDARD:
        if bom:
            raise ConfigError("--bom is for a CSV or TSV file: name one with --output.")
        if as_json:
            return _write_document
        is_shown = output is None and not raw and sys.stdout.isatty()
        return _show_first_rows if is_shown else Separated("\t", raw)
    if as_json:
        raise ConfigError(
            "--json prints to standard output; to write a JSON file, leave it out and name a .json "
            "or .jsonl file with --output."
        )
    if output.exists() and (not output.is_file() or (file.exists() and output.samefile(file))):
        raise ConfigError(f"{output} is FILE itself or not a regular file: name another --output.")
    return writer_for(output, raw=raw, bom=bom, keeps=keeps)


def _intervals(
    reference: str,
    level: float,
    method: Method | None,
    by: str | None,
    weights: str,
    runs_dir: Path,
) -> Beside:
    """Calibrate intervals, and print a note on what they promise."""
    from bpcli.workflows.intervals import calibrated

    trained = load_run(reference, runs_dir, weights)
    found = calibrated(trained, level, method or "conformal", by=by, weights=weights)  # type: ignore[arg-type]  # click checked it
    say_notes(found.notes)
    return found.columns


def _write(write: Write, output: Path | None, rows: NewRows, beside: Beside) -> None:
    from bpcli.runs.files import atomic_file
    from bpcli.workflows.prediction_files import Separated

    if output is None or output == _STANDARD:
        printable = printable_json if write is _write_document else harmless
        file = _Terminal(printable) if sys.stdout.isatty() else sys.stdout.buffer
        write(cast("BinaryIO", file), rows.predictions(beside))
    else:
        with atomic_file(output) as handle:
            count = write(handle, rows.predictions(beside))
        console(stderr=True).say(f"wrote {output}: {count} row{'s' * (count != 1)}")
    say_notes([*rows.later_notes, *beside.notes])
    if isinstance(write, Separated):
        _say_marked(write)
        if output is not None and output != _STANDARD:
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
    from bpcli.terminal.tables import predictions_table
    from bpcli.workflows.prediction_files import first_rows

    shown, texts, count = first_rows(predictions, _MOST_ROWS_ON_A_TERMINAL)
    table = predictions_table(["row", *predictions.columns], shown, texts)
    beside = predictions.beside.number_names
    names = [*predictions.model.output_names, *predictions.kept, *beside]
    _show_table(table, names, count, "-o writes all to a file, with all digits")
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


def _say_marked(written: Separated) -> None:
    """Print how many names and cells were changed."""
    counts = {"name": len(written.marked), "kept value": written.marked_cells}
    marked = [plural(count, what) for what, count in counts.items() if count]
    if marked:
        what = "values" if written.marked_cells else "names"
        console(stderr=True).say(
            f"note: a ' was put before {' and '.join(marked)} that a spreadsheet would read as a "
            f"formula; --raw leaves {what} unchanged"
        )


_STANDARD = Path("-")


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


# The run's own rows.


def _predict_own_rows(
    experiment: Experiment, params: Vector, split: str, raw: bool, as_json: bool
) -> None:
    from bpcli.workflows.predict import predict_rows

    predicted = predict_rows(experiment, params, _rows(experiment, split))
    if as_json:
        print_json({"rows": predicted.to_json()})
    elif sys.stdout.isatty():
        _print_table(predicted)
    else:
        _print_lines(predicted, raw)


def _rows(experiment: Experiment, split: str) -> Array:
    import numpy as np

    if split == "all":
        return np.arange(len(experiment.table))
    index: Array = experiment.splits[split].index[:]  # type: ignore[index]  # click checked it
    if not len(index):
        raise ConfigError(
            f"The {split} split is empty: set its rows in `data.split`, or choose another split."
        )
    return index


def _print_table(predicted: PredictedRows) -> None:
    from bpcli.terminal.tables import predictions_table

    rows = predicted.cells(readable, _MOST_ROWS_ON_A_TERMINAL)
    table = predictions_table(predicted.columns, rows, predicted.text_columns)
    names = [*predicted.output_names, *predicted.input_names]
    _show_table(table, names, len(predicted), "pipe them to a file, or use --json")


def _show_table(table: Grid, expendable: list[str], count: int, hint: str) -> None:
    """Show the first of `count` rows; if they are too wide, leave out expendable columns.

    The last columns of `expendable` are left out first.
    """
    out = console()
    left_out = out.show(table, expendable[::-1])
    more = count - len(table.rows)
    missing = [plural(more, "more row")] if more > 0 else []
    columns = "1 column that does" if len(left_out) == 1 else f"{len(left_out)} columns that do"
    missing += [f"{columns} not fit"] if left_out else []
    if missing:
        out.say(f"and {' and '.join(missing)}: {hint}")


def _print_lines(predicted: PredictedRows, raw: bool) -> None:
    from bpcli.workflows.prediction_files import Separated

    written = Separated("\t", raw)
    print_text("\n".join(map(written.line, [predicted.columns, *predicted.cells()])))
    _say_marked(written)
