"""Values as literals in source text, so that no name or number of a saved run can become code.

Exports of programs use these functions for everything that comes from a run. Each language has a
section below with a function that quotes strings; `number` and `identifier` serve all languages.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable
from unicodedata import category

import numpy as np

from bpcli.errors import ConfigError, RunError
from bpcli.nn.activation import Activation
from bpcli.text import visible


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


def options_of(activation: Activation) -> dict[str, float]:
    """The options of an activation. Raises `RunError` for one that is not a finite number."""
    return {name: float(number(value)) for name, value in vars(activation).items()}


def distinct_identifiers(
    names: Iterable[object], reserved: Collection[str] = (), fallback: str = "column"
) -> list[str]:
    """An unquoted word of a-z, 0-9 and _ for each name, close to it and different from all others.

    A name that does not begin with such a letter becomes `column_3`. `reserved` words get a last _.
    """
    given: dict[str, None] = {}
    for number, name in enumerate(names, start=1):
        word = re.sub("[^a-z0-9]+", "_", text_of(name).lower()).strip("_")[:_LONGEST]
        word = word if word[:1].isalpha() else f"{fallback}_{word or number}"
        word = f"{word}_" if word in reserved else word
        given[word if word not in given else f"{word}_{number}_"] = None
    return list(given)


_LONGEST = 50
"""MATLAB's identifiers have at most 63 characters."""


def text_of(value: object) -> str:
    """A text. Raises `RunError` for other types."""
    if not isinstance(value, str):
        raise RunError(f"The run is damaged: found {value!r}, expected a name.")
    return str(value)


def number_lines(numbers: Iterable[str], indent: str) -> str:
    """Literals of numbers, each with a comma, in lines of four."""
    texts = [f"{text}," for text in numbers]
    starts = range(0, len(texts), _PER_LINE)
    return "".join(f"{indent}{' '.join(texts[i : i + _PER_LINE])}\n" for i in starts)


_PER_LINE = 4


def _or(words: Collection[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


# Python.


def python_string(text: object) -> str:
    """A string literal on one line, in printable characters. Raises `RunError` for other types."""
    return repr(text_of(text))


def python_strings(texts: Iterable[object]) -> str:
    """A list of string literals."""
    return f"[{', '.join(map(python_string, texts))}]"


# C.


def c_string(text: object) -> str:
    """A string literal in UTF-8, of printable ASCII characters.

    Raises `ConfigError` for a text with a character 0, which would end it.
    """
    encoded = text_of(text).encode("utf-8", "surrogatepass")
    if 0 in encoded:
        raise ConfigError(f"C cannot represent the name {text!r}, because it has a NUL character.")
    return f'"{"".join(map(_c_character, encoded))}"'


def _c_character(byte: int) -> str:
    """Octal escapes have three digits, so that none can follow; ? could begin a trigraph."""
    is_plain = 32 <= byte < 127 and chr(byte) not in '"\\?'
    return chr(byte) if is_plain else f"\\{byte:03o}"


def c_comment(text: object) -> str:
    """A text for a comment of C or JavaScript: on one line, and without signs that could end it."""
    return re.sub(r"(?<=[*/?])(?=[*/?])", " ", visible(text_of(text)))


def single(value: object) -> str:
    """A number as a constant of single precision in C. Raises `ConfigError` if it is too large."""
    with np.errstate(over="ignore"):
        nearest = np.float32(number(value))
    if not np.isfinite(nearest):
        raise ConfigError(
            f"{number(value)} is too large for single precision: use `--precision double`."
        )
    return f"{float(str(nearest))!r}F"


# JavaScript.


def js_string(text: object) -> str:
    """A string literal of ASCII characters, which is also safe in the script of a page."""
    return json.dumps(text_of(text)).replace("<", "\\u003c").replace(">", "\\u003e")


# MATLAB and Octave.


def matlab_string(text: object) -> str:
    """A string in single quotes; characters that are not printable are given by their codes."""
    pieces = _PRINTABLE.findall(text_of(text))
    literals = [_matlab_piece(piece) for piece in pieces]
    return literals[0] if len(literals) == 1 else f"[{' '.join(literals) or chr(39) * 2}]"


_PRINTABLE = re.compile(r"[ -~]+|[^ -~]+")


def _matlab_piece(piece: str) -> str:
    """Printable ASCII, or the bytes of other characters, which Octave and MATLAB decode alike."""
    if piece.isascii() and piece.isprintable():
        return "'" + piece.replace("'", "''") + "'"
    codes = " ".join(map(str, piece.encode("utf-8", "surrogatepass")))
    return f"native2unicode(uint8([{codes}]),'UTF-8')"


def matlab_comment(text: object) -> str:
    """A text for a comment, on one line."""
    return visible(text_of(text))


# SQL.


def sql_string(text: object) -> str:
    """A string literal. Raises `ConfigError` for a text with characters that SQL cannot spell."""
    return "'" + _printable(text).replace("'", "''") + "'"


def sql_name(text: object) -> str:
    """The name of a column, in quotes. Raises `ConfigError` as `sql_string` does."""
    return '"' + _printable(text).replace('"', '""') + '"'


def _printable(text: object) -> str:
    """A text without control characters: standard SQL has no escapes for them."""
    if not all(c.isprintable() or c in "\n\t" or category(c) == "Zs" for c in text_of(text)):
        raise ConfigError(
            f"SQL has no escape for the control character in {text!r}: rename it, or export to "
            "python, onnx or json."
        )
    return text_of(text)
