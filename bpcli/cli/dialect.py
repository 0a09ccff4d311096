"""The options that describe the format of a table, for every command that reads one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from bpcli.cli.common import json_option, say_notes, stacked, was_given
from bpcli.data.date_formats import is_date_format
from bpcli.data.files.dialect import (
    SEPARATORS,
    Decimal,
    Dialect,
    Samples,
    Thousands,
    is_separator,
)
from bpcli.errors import DataError

if TYPE_CHECKING:
    from bpcli.data.files.look import Look


def _one_sign(_: click.Context, __: click.Parameter, sign: str | None) -> str | None:
    if sign is None or is_separator(sign):
        return sign
    raise click.BadParameter(f"expected {SEPARATORS}")


def _date_format(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    if text and not is_date_format(text):
        raise click.BadParameter("expected a format such as %d.%m.%Y")
    return text


_SIGNS = stacked(
    click.option("--encoding", help="The text encoding, such as utf-8, gbk or cp1252."),
    click.option(
        "--separator",
        callback=_one_sign,
        help="The column separator: one character, `whitespace`, or `fixed` for columns of a fixed "
        "width.",
    ),
    click.option("--decimal", type=click.Choice(get_args(Decimal)), help="The decimal sign."),
    click.option(
        "--thousands",
        type=click.Choice(get_args(Thousands)),
        help="The sign between groups of three digits; empty: none.",
    ),
    click.option(
        "--header/--no-header",
        default=None,
        help="Whether the first row contains the column names.",
    ),
    click.option("--sheet", help="The sheet of a spreadsheet, by name; default: the first."),
    click.option("--skip", type=click.IntRange(0), help="The number of lines before the table."),
    click.option(
        "--skip-last",
        type=click.IntRange(0),
        help="The number of lines at the end that are not rows, such as totals; blank lines do not "
        "count.",
    ),
    click.option("--comment", help="The sign that comment lines begin with; empty: none."),
    click.option(
        "--layout",
        type=click.Choice(get_args(Samples)),
        help="Whether the rows or the columns of arrays are samples; default: inferred from the "
        "sizes.",
    ),
    click.option(
        "--date-format",
        callback=_date_format,
        help="The format of dates, such as %d.%m.%Y; empty: no column contains dates.",
    ),
    click.option(
        "--missing",
        multiple=True,
        metavar="WORD",
        help="An additional entry that means a missing value, such as -999. May be repeated.",
    ),
    click.option(
        "--missing-only",
        multiple=True,
        metavar="WORD",
        help="An entry that means a missing value, instead of the usual ones. May be repeated.",
    ),
)
_NAMES = (
    "encoding", "separator", "decimal", "thousands", "header", "sheet", "skip", "skip_last",
    "comment", "layout", "date_format", "missing", "missing_only",
)  # fmt: skip


def dialect_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add options on a file's format; the command gets those that were given as `signs`."""

    @wraps(command)
    def with_signs(**options: Any) -> Any:
        signs = {name: options.pop(name) for name in _NAMES}
        return command(**options, signs={name: signs[name] for name in _NAMES if was_given(name)})

    return _SIGNS(with_signs)


table_options = stacked(
    click.option(
        "--target",
        multiple=True,
        metavar="NAME|NUMBER",
        help="The column to predict, by name, number from 1 or pattern; default: guessed. May be "
        "repeated for several numeric targets, or for labels with two values each.",
    ),
    dialect_options,
    json_option,
)
"""The options of a command that reads a table and guesses what no option gives."""


def given_options() -> Iterator[str]:
    """Yield the table options of this command line, as arguments for the next command."""
    context = click.get_current_context()
    for name in ("target", *_NAMES):
        if was_given(name):
            value = context.params[name]
            if isinstance(value, bool):
                yield "--header" if value else "--no-header"
                continue
            for each in value if isinstance(value, tuple) else (value,):
                yield from (f"--{name.replace('_', '-')}", str(each))


def read_table(
    file: Path, targets: Sequence[str], signs: Mapping[str, Any], *, casefold: bool = False
) -> Look:
    """Read and describe a table, and print notes on how it was read.

    With `casefold`, spellings of one category that differ only in case are described as one.
    Raises `DataError` naming the file.
    """
    from bpcli.data.files.look import look_at
    from bpcli.text import plain

    try:
        look = look_at(file, Dialect(header=None).with_signs(signs), targets, casefold=casefold)
        say_notes(plain(note, 200) for note in look.notes)
        return look
    except DataError as error:
        named = str(error) if file.name in str(error) else f"{file}: {error}"
        raise DataError(named) from None
