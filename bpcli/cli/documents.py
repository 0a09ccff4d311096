"""What `--json` prints on standard output: one document per command, also if the command fails.

Every document has `schema`, the version of this format. It changes when a key is removed or changes
its meaning, not when one is added. The document of a command that fails has `error` beside the
results so far. `docs/documents.md` lists the keys of all documents.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from bpcli.errors import ConfigIssue

SCHEMA = 1


class Pending:
    """The document of the current command, printed when the command has ended."""

    def __init__(self, arguments: Sequence[str]) -> None:
        options = arguments[: arguments.index("--")] if "--" in arguments else arguments
        self._as_json = "--json" in options
        self._document: Mapping[str, Any] | None = None

    def hold(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def release(self) -> None:
        """Print the document, if the command gave one."""
        document, self._document = self._document, None
        if document is not None:
            print_text(json_text({"schema": SCHEMA, **document}))

    def fail(self, kind: str, message: str, issues: Sequence[ConfigIssue] = ()) -> None:
        """Print the document with the reason for the failure; ignore an output that is gone."""
        error = {"kind": kind, "message": message, "issues": [each.to_json() for each in issues]}
        if self._as_json or self._document is not None:
            self._document = {**(self._document or {}), "error": error}
        with suppress(Exception):  # the command may have failed because of the output or memory
            self.release()


def print_json(document: Mapping[str, Any]) -> None:
    """Keep the one document of a command, to be printed when the command has ended."""
    click.get_current_context().obj.hold(document)


def json_text(document: Any) -> str:
    """Return a document as JSON that standard output can encode and that controls no terminal."""
    from bpcli.runs.files import to_json
    from bpcli.text import printable_json

    text = printable_json(to_json(document))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # only strings have such characters; JSON allows escapes in them
        text = "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in text)
    return text


def print_text(text: str, end: str = "\n") -> None:
    """Print a result in the encoding of standard output; click would always write UTF-8."""
    click.echo(text + end, file=sys.stdout, nl=False)
