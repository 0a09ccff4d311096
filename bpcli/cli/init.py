"""`bpnet init`."""

from __future__ import annotations

from pathlib import Path

import click

from bpcli.cli.common import console
from bpcli.errors import ConfigError


@click.command(
    "init",
    epilog="""\b
Examples:
  bpnet init                 list the templates
  bpnet init xor             write xor.yaml
  bpnet init moons -o my.yaml""",
)
@click.argument("template", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; default: TEMPLATE.yaml here.",
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def command(template: str | None, output: Path | None, force: bool) -> None:
    """Write a starter config.

    TEMPLATE is one of the configs that come with bpnet; without it, they are listed.
    """
    from bpcli.templates import template_text, templates

    if template is None:
        for name, summary in templates().items():
            click.echo(f"{name:24}{summary}")
        return
    text = template_text(template)
    target = output or Path(f"{template}.yaml")
    try:
        with target.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{target} exists; --force overwrites it.") from None
    except OSError as error:
        raise ConfigError(f"{target} could not be written: {error.strerror}.") from None
    console(stderr=True).say(f"wrote {target}; train it with: bpnet train {target}")
