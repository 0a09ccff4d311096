"""`bpnet data convert`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import console, examples, json_option
from bpcli.cli.dialect import dialect_options
from bpcli.cli.documents import print_json

if TYPE_CHECKING:
    from bpcli.workflows.convert import Conversion


@click.command(
    "convert",
    epilog=examples("data convert"),
)
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("dest", type=click.Path(path_type=Path))
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="NAME|NUMBER",
    help="The column to predict, by name, number from 1 or pattern; default: by its name, else the "
    "last one. May be repeated.",
)
@click.option(
    "--inputs",
    multiple=True,
    metavar="COLUMNS",
    help='The columns of inputs: names, numbers or patterns, separated by commas; "!id" excludes '
    "one; default: all but the targets. May be repeated.",
)
@click.option(
    "--categories",
    multiple=True,
    metavar="COLUMNS",
    help="Columns to read as categories although they look like numbers, or have more than 50 "
    "unique values. May be repeated.",
)
@click.option(
    "--fill",
    type=click.Choice(["mean", "median", "zero"]),
    help="How missing numbers are filled, computed from all rows; missing categories become the "
    "most frequent one.",
)
@click.option(
    "--indicator",
    is_flag=True,
    help="With --fill: add an input that is 1 where a value was missing, for each column with "
    "missing values.",
)
@click.option("--drop-missing", is_flag=True, help="Leave out rows with a missing value.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    help="The type of the numbers; default: float32 if that changes no number, else float64.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@dialect_options
@json_option
def command(
    source: Path,
    dest: Path,
    targets: tuple[str, ...],
    inputs: tuple[str, ...],
    categories: tuple[str, ...],
    force: bool,
    signs: Mapping[str, Any],
    as_json: bool,
    **choices: Any,
) -> None:
    """Convert a table to numbers, also if it is larger than the memory.

    SOURCE is text such as CSV, also compressed, or a Parquet file. DEST is a .npy file; the names
    of its columns, the targets and the classes are written to DEST.json. The columns are those
    that training on SOURCE would have: categories become one column each. Training then reads DEST
    instead of the text.

    To continue an interrupted conversion, repeat the command. The options from
    --encoding to --missing-only describe the format of SOURCE; without them, it is detected.
    """
    from bpcli.data.conversion.table import Choices
    from bpcli.errors import ConfigError
    from bpcli.terminal.progress.conversion import progress_of
    from bpcli.workflows.conversion_reading import Request
    from bpcli.workflows.convert import convert

    if choices["drop_missing"] and choices["fill"]:
        raise ConfigError("--fill keeps the rows that --drop-missing leaves out: use only one.")
    if choices["indicator"] and not choices["fill"]:
        raise ConfigError("--indicator needs --fill: without it, no missing value is replaced.")
    request = Request(
        source, dest, signs, targets, inputs, categories, Choices(**choices), overwrites=force
    )
    with progress_of(console(stderr=True)) as progress:
        done = convert(request, progress)
    if as_json:
        print_json(done.to_json())
    else:
        _report(done)


def _report(done: Conversion) -> None:
    from bpcli.terminal.conversion import facts_of

    console().show_facts(facts_of(done.to_json()))
    path = shlex.quote(str(done.request.array))
    console().say(f"describe it with: bpnet data {path}")
