"""`bpnet trace`."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import console, examples, was_given
from bpcli.cli.documents import print_json, print_text
from bpcli.cli.references import Reference, run_or_config_options
from bpcli.cli.signs import HANDLER
from bpcli.errors import ConfigError

if TYPE_CHECKING:
    from bpcli.trace.numbers import Trace


@click.command(
    "trace",
    short_help="Show every number of one training update.",
    epilog=examples("trace"),
)
@click.argument("run_or_config", metavar="RUN|CONFIG")
@click.option("--row", type=click.IntRange(min=1), help="Use only this row.")
@click.option("--rows", metavar="A:B", help="Use rows A to B as one batch, such as 1:4.")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of consecutive updates.",
)
@click.option(
    "--entry", metavar="NAME", help="The entry to compute in detail, such as W1[2,1] or b1[2]."
)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["rich", "markdown", "latex", "json"]),
    default="rich",
    show_default=True,
    help="Output: text for a terminal or a pipe, Markdown or LaTeX for notes, or JSON.",
)
@run_or_config_options
def command(
    run_or_config: Reference,
    row: int | None,
    rows: str | None,
    steps: int,
    entry: str | None,
    layout: str,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print one update of a network, layer by layer: forward, loss, backward, step.

    Each formula is followed by its numbers, which come from the training code; one entry is
    computed in detail. Rows, without the header, and entries count from 1. Without --row and
    --rows, the update uses the whole training set if it has at most 8 rows, else its first row.
    Large matrices are shortened, except in JSON. --json means --format json.
    """
    if as_json and was_given("layout") and layout != "json":
        raise ConfigError(f"--json and --format {layout} exclude each other: use one of them.")
    chosen = _rows(row, rows)
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.trace.numbers import trace

    with repeatable_numerics():
        experiment, params = run_or_config.load_experiment(overrides, as_trained=True)
        traced = trace(experiment, params, rows=chosen, steps=steps, entry=entry)
        _print(traced, "json" if as_json else layout)


def _rows(row: int | None, rows: str | None) -> range | None:
    """Return the range of --row or --rows. Raises `ConfigError` for one that is not valid."""
    if row is not None and rows is not None:
        raise ConfigError("--row and --rows exclude each other: use one of them.")
    if row is not None:
        return range(row, row + 1)
    if rows is None:
        return None
    match = re.fullmatch(r"(\d{1,12}):(\d{1,12})", rows, re.ASCII)
    if match is None or int(match[1]) > int(match[2]):
        raise ConfigError(f"--rows {rows}: expected A:B with A ≤ B, such as 1:4 for rows 1 to 4.")
    return range(int(match[1]), int(match[2]) + 1)


def _print(traced: Trace, layout: str) -> None:
    if layout == "json":
        print_json(traced.to_json())
        return
    from bpcli.trace.walk import walk

    blocks = walk(traced)
    if layout == "markdown":
        from bpcli.trace.markdown import document

        print_text(document(blocks))
    elif layout == "latex":
        from bpcli.trace.latex import document as fragment

        print_text(fragment(blocks))
    else:
        from bpcli.trace.plain import show

        show(blocks, console(), _spelt)


def _spelt(text: str) -> str:
    """Return the text as standard output will show it."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, HANDLER).decode(encoding)
