"""`bpnet docs`."""

from __future__ import annotations

import os
import shutil
import sys

import click

from bpcli import docs
from bpcli.cli.common import console, examples
from bpcli.cli.documents import print_text
from bpcli.errors import ConfigError
from bpcli.terminal.grid import Grid
from bpcli.text import plain

_MOST_COLUMNS = 110
"""Longer lines are hard to read."""
_MOST_HITS = 15
_MOST_CHARACTERS = 100


@click.command("docs", short_help="Read the handbook.", epilog=examples("docs"))
@click.argument("topic", required=False, metavar="[TOPIC]")
@click.option(
    "--search", metavar="TEXT", help="List the sections that match TEXT: words or a question."
)
def command(topic: str | None, search: str | None) -> None:
    """List the chapters of the handbook, or show one.

    TOPIC is a chapter, such as `tables`, or a section of it, such as `tables#several-targets`. On a
    terminal, long chapters open in a pager; a pipe or a file gets the Markdown source.
    """
    if search is None:
        _show(docs.read(topic or docs.CONTENTS))
    elif topic is None:
        _list(search)
    else:
        raise ConfigError("--search searches all chapters: leave out TOPIC.")


def _show(text: str) -> None:
    if not sys.stdout.isatty():
        print_text(text, end="")
        return
    from bpcli.terminal.handbook import rendered

    width, height = shutil.get_terminal_size()
    lines = rendered(text, min(width, _MOST_COLUMNS), colors=not os.environ.get("NO_COLOR"))
    if lines.count("\n") < height:
        print_text(lines, end="")
    else:
        click.echo_via_pager(lines)  # without `color`: only then is less told to show styles


def _list(words: str) -> None:
    hits = docs.search(words)
    if not hits:
        raise ConfigError(f"No section contains a word of `{words}`: try other words.")
    grid = Grid(["section", "text"], text_columns=2)
    for hit in hits[:_MOST_HITS]:
        grid.add_row(hit.reference, plain(hit.line, _MOST_CHARACTERS))
    console().show(grid)
    if len(hits) > _MOST_HITS:
        console(stderr=True).say(f"the best {_MOST_HITS} of {len(hits)} sections are shown")
    console(stderr=True).say(f"read one with: bpnet docs {hits[0].reference}")
