"""The commands of the command line."""

from __future__ import annotations

from collections.abc import Iterator

import click

from bpcli.cli.main import bpnet


def commands(command: click.Command = bpnet, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """A command, and all below it, each by its words; those of the group at the top are empty."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from commands(found, f"{name} {child}".strip())
