"""`bpnet init`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from bpcli.cli.common import console, looked_at, print_text, table_options
from bpcli.errors import ConfigError


@click.command(
    "init",
    epilog="""\b
Examples:
  bpnet init                 list the templates
  bpnet init xor             write xor.yaml
  bpnet init moons -o my.yaml
  bpnet init iris.csv        write iris.yaml, for that table
  bpnet init adult.csv --target income --missing "?" """,
)
@click.argument("template", metavar="[TEMPLATE|FILE]", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write, or `-` for standard output; default: TEMPLATE.yaml here.",
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@table_options
def command(
    template: str | None,
    output: Path | None,
    force: bool,
    target: str | None,
    header: bool | None,
    missing: tuple[str, ...],
) -> None:
    """Write a starter config.

    TEMPLATE is one of the configs that come with bpnet; without it, they are listed. FILE is a
    table: what it does not say for certain is guessed, and comments in the config say so.
    --target, --header and --missing are for a FILE.
    """
    from bpcli.config.templates import templates

    if template is None:
        console().show_facts(list(templates().items()))
    elif _names_a_table(template):
        _write_for_table(Path(template), output, force, target, header, missing)
    elif target is not None or header is not None or missing:
        raise ConfigError(f"--target, --header and --missing are for a FILE; `{template}` is none.")
    else:
        _write_template(template, output, force)


def _names_a_table(template: str) -> bool:
    """Templates have no ending; a file has one, or is there."""
    try:
        return bool(Path(template).suffix) or Path(template).is_file()
    except OSError:  # too long to be a file's name
        return False


def _write_template(template: str, output: Path | None, force: bool) -> None:
    from bpcli.config.templates import template_text

    text = template_text(template)
    target = output or Path(f"{template}.yaml")
    if target == _STANDARD:
        print_text(text, end="")
        return
    _write(target, text, force)
    _say_what_next(target)


_STANDARD = Path("-")


def _write_for_table(
    file: Path,
    output: Path | None,
    force: bool,
    target: str | None,
    header: bool | None,
    missing: tuple[str, ...],
) -> None:
    """Look at the table, say what was guessed, and write the config."""
    from bpcli.config.load import validate
    from bpcli.config.source import Source
    from bpcli.terminal.description import guesses
    from bpcli.workflows.starter import starter_config

    if output == _STANDARD:
        raise ConfigError("-o - is for a TEMPLATE: a table's config stands in a file, near it.")
    written = output or Path(f"{file.stem}.yaml")
    look = looked_at(file, target, header, missing)
    text = starter_config(look, written)
    source = Source.parse(text, str(written))
    source.tree.setdefault("name", "table")
    validate(source)
    _write(written, text, force)
    err = console(stderr=True)
    for line in guesses(look):
        err.say(line)
    _say_what_next(written)


def _say_what_next(written: Path) -> None:
    command = shlex.join(["bpnet", "train", str(written)])
    console(stderr=True).say(f"wrote {written}; train it with: {command}")


def _write(target: Path, text: str, force: bool) -> None:
    """Write the config whole or not at all, and over nothing that is there without `force`."""
    from bpcli.runs.files import write_atomically

    if not force and (target.exists() or target.is_symlink()):
        raise ConfigError(f"{target} exists; --force overwrites it.")
    write_atomically(target, text.encode())
