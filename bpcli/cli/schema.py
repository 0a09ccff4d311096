"""`bpnet schema`."""

from __future__ import annotations

import click

from bpcli.cli.common import print_json, print_text


@click.command(
    "schema",
    short_help="Print the JSON Schema of a config, for editors.",
    epilog="""\b
Examples:
  bpnet schema > bpnet.schema.json
  bpnet schema --markdown

\b
The first line of a config that names it:
  # yaml-language-server: $schema=bpnet.schema.json""",
)
@click.option("--markdown", is_flag=True, help="Print the keys as tables to read.")
def command(markdown: bool) -> None:
    """Print the JSON Schema of a config, by which editors complete and check one."""
    from bpcli.config.schema import json_schema

    if not markdown:
        print_json(json_schema())
        return
    from bpcli.config.reference import keys_page

    print_text(keys_page(json_schema()))
