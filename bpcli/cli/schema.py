"""`bpnet schema`."""

from __future__ import annotations

from pathlib import Path

import click

from bpcli.cli.documents import json_text, print_text

_DOCUMENTS = Path(__file__).parents[1] / "docs" / "documents.md"
"""The keys of the documents of `--json`, command by command."""


@click.command(
    "schema",
    short_help="Print the JSON Schema of a config, for editors.",
    epilog="""\b
Examples:
  bpnet schema > bpnet.schema.json
  bpnet schema --markdown
  bpnet schema --documents

\b
To use it in an editor, let a config begin with:
  # yaml-language-server: $schema=bpnet.schema.json""",
)
@click.option("--markdown", is_flag=True, help="Print the keys of a config as Markdown tables.")
@click.option("--documents", is_flag=True, help="Print the keys of the --json documents.")
def command(markdown: bool, documents: bool) -> None:
    """Print the JSON Schema of a config, with which editors complete and check configs."""
    if documents:
        print_text(_DOCUMENTS.read_text("utf-8"), end="")
        return
    from bpcli.config.schema import json_schema

    if not markdown:
        print_text(json_text(json_schema()))
        return
    from bpcli.config.reference import keys_page

    print_text(keys_page(json_schema()))
