"""How values stand in source text, so that no name or number of a saved run can become code.

Whatever writes a program puts our own text together with the results of these functions, and with
nothing else that comes from a run. Each language has a section of its own below, with the one
function that quotes its strings; `number` and `identifier` serve all languages.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from bpcli.errors import RunError


def identifier(word: object, allowed: Collection[str]) -> str:
    """A word that stands in the text as it is. Raises `RunError` where it is none of ours."""
    if not isinstance(word, str) or word not in allowed:
        raise RunError(f"The run is damaged: it has {word!r} in the place of {_or(allowed)}.")
    return word


def number(value: object) -> str:
    """A number with all its digits. Raises `RunError` for infinity, NaN and whatever is none."""
    if isinstance(value, float) and math.isfinite(value):
        return repr(float(value))  # of a numpy scalar, repr is an expression
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    raise RunError(f"The run is damaged: it has {value!r} in the place of a finite number.")


def _or(words: Collection[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


# Python.


def python_string(text: object) -> str:
    """A string literal on one line of printable characters. Raises `RunError` for what is none."""
    if not isinstance(text, str):
        raise RunError(f"The run is damaged: it has {text!r} in the place of a name.")
    return repr(str(text))


def python_strings(texts: Iterable[object]) -> str:
    """A list of string literals."""
    return f"[{', '.join(map(python_string, texts))}]"
