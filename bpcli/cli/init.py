"""`bpnet init`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import console, examples
from bpcli.cli.dialect import read_table, table_options
from bpcli.cli.documents import print_json, print_text
from bpcli.errors import ConfigError

if TYPE_CHECKING:
    from bpcli.data.files.look import Look


@click.command(
    "init",
    epilog=examples("init"),
)
@click.argument("template", metavar="[TEMPLATE|FILE]", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write, or `-` for standard output; default: the name of TEMPLATE or FILE "
    "with .yaml, in the current folder.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@table_options
def command(
    template: str | None,
    output: Path | None,
    force: bool,
    target: tuple[str, ...],
    signs: Mapping[str, Any],
    as_json: bool,
) -> None:
    """Write a starter config.

    TEMPLATE is one of the configs that come with bpnet; without an argument, they are listed. FILE
    is a table: what cannot be read from it is guessed, and comments in the config say so. The
    options from --target to --missing-only are for a FILE.
    """
    if as_json and output == _STANDARD:
        raise ConfigError("-o - prints the config and --json a document about it: use one of them.")
    if template is None:
        _list_templates(as_json)
    elif _names_a_table(template):
        written = output or Path(f"{Path(template).stem}.yaml")
        look = _write_for_table(Path(template), written, force, target, signs)
        _report(written, as_json, {"table": template, **_guesses(look)})
    elif target or signs:
        raise ConfigError(
            f"The options from --target to --missing-only are for a FILE; `{template}` is not a "
            "file."
        )
    else:
        _write_template(template, output or Path(f"{template}.yaml"), force, as_json)


def _list_templates(as_json: bool) -> None:
    from bpcli.config.templates import templates

    if as_json:
        print_json({"templates": templates()})
    else:
        console().show_facts(list(templates().items()))


def _names_a_table(template: str) -> bool:
    """True if the argument has an ending, as no template has, or is a file."""
    try:
        return bool(Path(template).suffix) or Path(template).is_file()
    except OSError:  # too long to be a file's name
        return False


def _write_template(template: str, target: Path, force: bool, as_json: bool) -> None:
    from bpcli.config.templates import template_text

    text = template_text(template)
    if target == _STANDARD:
        print_text(text, end="")
        return
    _write(target, text, force)
    _report(target, as_json, {"template": template})


_STANDARD = Path("-")


def _write_for_table(
    file: Path,
    written: Path,
    force: bool,
    targets: tuple[str, ...],
    signs: Mapping[str, Any],
) -> Look:
    """Read the table, write a config for it, and print what was guessed."""
    from bpcli.config.load import validate
    from bpcli.config.source import Source
    from bpcli.terminal.description import guesses
    from bpcli.workflows.starter import starter_config

    if written == _STANDARD:
        raise ConfigError(
            "-o - is for a TEMPLATE: the config for a table refers to it by a relative path, so it "
            "must be a file."
        )
    look = read_table(file, targets, signs, casefold=True)
    text = starter_config(look, written)
    source = Source.parse(text, str(written))
    source.tree.setdefault("name", "table")
    validate(source)
    _write(written, text, force)
    err = console(stderr=True)
    for line in guesses(look):
        err.say(line)
    return look


def _guesses(look: Look) -> dict[str, Any]:
    """Return what was guessed, with reasons, and the columns left out."""
    about = look.description
    return {
        "header": look.dialect.header,
        "why_header": look.why_header,
        "target": about.target,
        "targets": list(about.targets),
        "why_target": about.why_target,
        "inputs": [column.name for column in look.inputs],
        "task": about.task,
        "why_task": about.why_task,
        "left_out": dict(about.unusable) if look.chooses_columns else {},
    }


def _report(written: Path, as_json: bool, facts: dict[str, Any]) -> None:
    if as_json:
        print_json({"file": str(written), **facts})
    command = shlex.join(["bpnet", "train", str(written)])
    console(stderr=True).say(f"wrote {written}; train it with: {command}")


def _write(target: Path, text: str, force: bool) -> None:
    """Write the config whole or not at all; replace an existing file only with `force`."""
    from bpcli.runs.files import write_atomically

    if not force and (target.exists() or target.is_symlink()):
        raise ConfigError(f"{target} exists; --force overwrites it.")
    write_atomically(target, text.encode())
