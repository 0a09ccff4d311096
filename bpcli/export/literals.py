"""Values as literals in source text, so that no name or number of a saved run can become code.

Exports of programs use these functions for everything that comes from a run. Each language has a
section below with a function that quotes strings; `number` and `identifier` serve all languages.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from unicodedata import category

from bpcli.errors import ConfigError, RunError


def identifier(word: object, allowed: Collection[str]) -> str:
    """An unquoted word. Raises `RunError` if it is not allowed."""
    if not isinstance(word, str) or word not in allowed:
        raise RunError(f"The run is damaged: found {word!r}, expected {_or(allowed)}.")
    return word


def number(value: object) -> str:
    """A number with all its digits. Raises `RunError` for infinity, NaN and other types."""
    if isinstance(value, float) and math.isfinite(value):
        return repr(float(value))  # the repr of a numpy scalar is an expression
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    raise RunError(f"The run is damaged: found {value!r}, expected a finite number.")


def _or(words: Collection[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


# Python.


def python_string(text: object) -> str:
    """A string literal on one line, in printable characters. Raises `RunError` for other types."""
    if not isinstance(text, str):
        raise RunError(f"The run is damaged: found {text!r}, expected a name.")
    return repr(str(text))


def python_strings(texts: Iterable[object]) -> str:
    """A list of string literals."""
    return f"[{', '.join(map(python_string, texts))}]"


# SQL.


def sql_string(text: object) -> str:
    """A string literal. Raises `ConfigError` for a text with characters that SQL cannot spell."""
    return "'" + _printable(text).replace("'", "''") + "'"


def sql_name(text: object) -> str:
    """The name of a column, in quotes. Raises `ConfigError` as `sql_string` does."""
    return '"' + _printable(text).replace('"', '""') + '"'


def _printable(text: object) -> str:
    """A text without control characters: standard SQL has no escapes for them."""
    if not isinstance(text, str):
        raise RunError(f"The run is damaged: found {text!r}, expected a name.")
    if not all(c.isprintable() or category(c) == "Zs" for c in text):
        raise ConfigError(
            f"The text {text!r} has a control character, which SQL has no escape for: rename it, "
            "or export to python, onnx or json."
        )
    return str(text)
