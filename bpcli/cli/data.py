"""`bpnet data`, which describes a table, and `bpnet data convert`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import console, examples
from bpcli.cli.data_convert import command as convert_command
from bpcli.cli.dialect import given_options, read_table, table_options
from bpcli.cli.documents import print_json

if TYPE_CHECKING:
    from bpcli.data.files.look import Look


class _Description(click.Group):
    """A command with an argument, and another command in place of the argument."""

    allow_extra_args = False
    allow_interspersed_args = True

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        if args[:1] == ["convert"]:
            name = f"{info_name} convert"
            return self.commands["convert"].make_context(name, args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return click.Command.collect_usage_pieces(self, ctx)


@click.group(
    "data",
    cls=_Description,
    invoke_without_command=True,
    no_args_is_help=False,
    epilog=examples("data"),
)
@click.argument("file", type=click.Path(path_type=Path))
@table_options
def command(
    file: Path,
    target: tuple[str, ...],
    signs: Mapping[str, Any],
    as_json: bool,
) -> None:
    """Describe a table before training on it, or convert a large one (bpnet data convert).

    Shows for each column its kind (number, boolean or category), the missing values, the range or
    the most frequent categories, and the association with the target (with several targets, the
    strongest one); then warnings, and the next command. The target is guessed unless --target names
    it. The options from --encoding to --missing-only describe the file's format; without them, it
    is detected.
    """
    look = read_table(file, target, signs)
    if as_json:
        print_json(_document(look))
        return
    _print(look)
    options = list(given_options())
    console().say(f"write a config with: {shlex.join(['bpnet', 'init', str(file), *options])}")


command.add_command(convert_command)


def _document(look: Look) -> dict[str, object]:
    return {
        "file": str(look.path),
        "header": look.dialect.header,
        "encoding": look.dialect.encoding,
        "separator": look.dialect.separator,
        "decimal": look.dialect.decimal,
        "thousands": look.dialect.thousands,
        "skip": look.dialect.skip,
        "skip_last": look.dialect.skip_last,
        "comment": look.dialect.comment,
        "notes": list(look.notes),
        **asdict(look.description),
        "target": look.description.target,
    }


def _print(look: Look) -> None:
    from bpcli.terminal import description as view

    out, about = console(), look.description
    out.show_facts(view.table_facts(look))
    if view.has_more_columns(about):
        out.show_facts(view.all_columns_facts(about))
    left_out = out.show(view.columns_table(about), view.EXPENDABLE)
    if left_out:
        out.say(f"columns that do not fit: {', '.join(left_out)}; use a wider terminal, or --json")
    if view.has_more_columns(about):
        out.say(
            f"shown: the target, and at most {view.MOST_COLUMNS} inputs with the strongest "
            f"association, of {len(about.columns):,} columns; --json shows all"
        )
    for meaning in view.measures(about):
        out.say(meaning)
    out.say("")
    if about.classes:
        out.show(view.classes_table(about))
    if len(about.classes) > view.MOST_CLASSES:
        out.say(f"and {len(about.classes) - view.MOST_CLASSES:,} more classes; --json shows all\n")
    for line in view.warning_lines(about.warnings):
        out.say(f"warning: {line}")
