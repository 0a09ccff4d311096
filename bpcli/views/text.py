"""Words from a table, made fit to be shown."""

from __future__ import annotations


def plain(text: str, most: int = 32) -> str:
    """A text on one line, of so many characters, none of which could steer the terminal."""
    visible = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return visible if len(visible) <= most else visible[: most - 1] + "…"
