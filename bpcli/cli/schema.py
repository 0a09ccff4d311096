"""`bpnet schema`."""

from __future__ import annotations

import click

from bpcli import docs
from bpcli.cli.common import examples
from bpcli.cli.documents import json_text, print_text


@click.command(
    "schema",
    short_help="Print the JSON Schema of a config, for editors.",
    epilog=f"""{examples("schema")}

\b
To use it in an editor, let a config begin with:
  # yaml-language-server: $schema=bpnet.schema.json""",
)
@click.option("--markdown", is_flag=True, help="Print the keys of a config as Markdown tables.")
@click.option("--documents", is_flag=True, help="Print the keys of the --json documents.")
def command(markdown: bool, documents: bool) -> None:
    """Print the JSON Schema of a config; with it, editors complete and check configs."""
    if documents:
        print_text(docs.read("documents"), end="")
        return
    from bpcli.config.schema import json_schema

    if not markdown:
        print_text(json_text(json_schema()))
        return
    from bpcli.config.reference import keys_page

    print_text(keys_page(json_schema()))
