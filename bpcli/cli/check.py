"""`bpnet check`."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import console, examples, json_option, set_option
from bpcli.cli.documents import print_json

if TYPE_CHECKING:
    from bpcli.workflows.check import Check


@click.command(
    "check",
    epilog=examples("check"),
)
@click.argument("config", type=click.Path(path_type=Path))
@set_option
@json_option
def command(config: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Check a config before training; write nothing.

    Shows every value and its origin, the layers and their parameters, the rows of each split, the
    memory needed, the loss before training, and warnings of likely mistakes. Exit code 2 if the
    config has errors; warnings alone give 0.
    """
    from bpcli.config.load import load_config
    from bpcli.experiment import build
    from bpcli.workflows.check import Check

    check = Check(build(load_config(config, overrides)))
    if as_json:
        print_json(check.to_json())
    else:
        _print(check)


def _print(check: Check) -> None:
    from bpcli.terminal import check as view

    out, document = console(), check.to_json()
    for line in _commented(check):
        out.say(line)
    out.say("")
    out.show(view.layers_table(document["layers"]))
    names = check.experiment.preprocessor.categories
    out.show(view.splits_table(document["rows"], document["classes"], names), [*reversed(names)])
    out.show(view.memory_table(document["memory"]))
    files = ", ".join(file.name for file in check.experiment.spec.data.files)
    out.show_facts(
        [
            *view.engine_facts(document["engine"], files),
            *view.loss_facts(document["initial_loss"]),
            ("log", str(check.log_cost)),
        ]
    )
    for note in document["notes"]:
        out.say(f"note: {note}")
    for warning in document["warnings"]:
        out.say(f"warning: {warning}")
    if not document["warnings"]:
        out.say("no warnings")


def _commented(check: Check) -> list[str]:
    """The resolved config, each line with the origins of its values."""
    from bpcli.terminal.check import commented
    from bpcli.terminal.stream import Stream

    by_line: defaultdict[int, list[str]] = defaultdict(list)
    for location, origin in check.origins.items():
        by_line[check.resolved.value_marks[location].line].append(origin)
    out = console()
    return commented(check.resolved.text, by_line, None if isinstance(out, Stream) else out.width)
