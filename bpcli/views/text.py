"""Words from a table, and lines of prose, made fit to be shown."""

from __future__ import annotations

import json
import re
import textwrap

from bpcli.spec.faults import visible


def plain(text: str, most: int = 32) -> str:
    """A text on one line, of so many characters, none of which could steer the terminal."""
    shown = visible(text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def harmless(text: str) -> str:
    """Lines, and the tabs between columns, with nothing else that could steer a terminal."""
    lines = ("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))
    return "\n".join(lines)


def printable_json(text: str) -> str:
    """The same JSON document, with an escape for every character that could steer a terminal.

    JSON itself escapes those below U+0020, and line breaks stand between its values alone.
    """
    if all(map(str.isprintable, text.split("\n"))):
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def wrapped(line: str, width: int) -> list[str]:
    """The line, broken between words where it is too wide; a command at its end stays whole."""
    if len(line) <= width:
        return [line]
    prose, colon, command = re.fullmatch(r"(.*?)(?:(: )(bpnet .*))?", line, re.DOTALL).groups()  # type: ignore[union-attr]  # anything matches
    lines = textwrap.wrap(
        prose + (":" if colon else ""), width, break_long_words=False, break_on_hyphens=False
    )
    return [*lines, command] if colon else lines
