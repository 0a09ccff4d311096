"""`bpnet predict`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from bpcli.cli.common import examples, interval_asked, method_options, was_given
from bpcli.cli.dialect import dialect_options
from bpcli.cli.references import Reference, run_or_config_options
from bpcli.errors import ConfigError

if TYPE_CHECKING:
    from bpcli.data.types import SplitName
    from bpcli.workflows.intervals import Method


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
    "0.9, or to each class a set of classes. By default, they are calibrated on the validation "
    "rows.",
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
    run_or_config: Reference,
    file: Path | None,
    output: Path | None,
    keep: tuple[str, ...],
    level: float | None,
    method: Method | None,
    by: str | None,
    split: Literal["all"] | SplitName,
    raw: bool,
    bom: bool,
    signs: Mapping[str, Any],
    overrides: tuple[str, ...],
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
    interval = interval_asked(level, method, by)
    if raw and as_json:
        raise ConfigError("--raw is for CSV and TSV: JSON never changes names.")
    if file is None:
        _refuse_options_of_a_file(signs)
        from bpcli.cli.predict_own import predict_own_rows

        rows = None if split == "all" else split
        predict_own_rows(run_or_config, overrides, rows, raw=raw, as_json=as_json)
        return
    _refuse_options_of_own_rows()
    from bpcli.cli.predict_file import Destination, predict_file

    to = Destination(output, as_json, raw, bom)
    predict_file(run_or_config, file, signs, keep, to, interval)


def _refuse_options_of_own_rows() -> None:
    for option, name in (("split", "--split"), ("overrides", "--set")):
        if was_given(option):
            raise ConfigError(f"{name} is for the rows of the run's own data, not for a FILE.")


def _refuse_options_of_a_file(signs: Mapping[str, Any]) -> None:
    if signs:
        raise ConfigError("The options from --encoding to --missing-only need a FILE.")
    for option, name in (("keep", "--keep"), ("bom", "--bom"), ("level", "--interval")):
        if was_given(option):
            raise ConfigError(f"{name} needs a FILE.")
    if was_given("output"):
        raise ConfigError("--output needs a FILE; without one, write to a file with `>`.")
