"""Weka's attribute-relation file format (ARFF): declared columns, then rows.

scipy's reader refuses much of what Weka writes and reads: blanks around values or between them,
sparse rows, texts and dates, text beyond ASCII. So the format is read here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from bpcli.data.files.legacy_encodings import candidates, example
from bpcli.data.files.rendered.result import Rendering, csv_of, refuse_too_large
from bpcli.data.values import number_of, quoted

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_DECLARED = re.compile(rf"@attribute\s+({_QUOTED}|[^\s{{]+)\s*(\{{.*\}}|\w+)?.*", re.IGNORECASE)
_BETWEEN_COMMAS = re.compile(rf"(?:^|,)\s*((?:{_QUOTED})(?=\s*(?:,|$))|[^,]*)")
_WORD = re.compile(rf"(?:{_QUOTED})(?=[\s,]|$)|[^\s,]+")
_PLACED = re.compile(rf"\s*(\d{{1,9}})\s+((?:{_QUOTED})(?=\s*(?:,|$))|[^,]*)\s*(?:,|$)")
_ESCAPE = re.compile(r"\\(.)")
_BLANKS = {"n": " ", "r": " ", "t": " "}
_NUMBERS = ("numeric", "real", "integer")
_TEXTS = ("string", "date")
_SAMPLE = 2**20

Result = TypeVar("Result")


@dataclass(frozen=True)
class _Attribute:
    """A declared column; `values` are those of a nominal one in their order, else empty."""

    name: str
    kind: str
    values: Mapping[str, None] = field(default_factory=dict)

    @property
    def of_sparse(self) -> str:
        """The value that a sparse row leaves out: zero, the first nominal value, or empty text."""
        return next(iter(self.values), "0" if self.kind in _NUMBERS else "")

    def read(self, cell: str) -> str:
        """A cell of the column, empty if it is missing. Raises `ValueError` if it is invalid."""
        text = "" if cell == "?" else _plain(cell)
        if not text or text in self.values:
            return text
        if self.values:
            raise ValueError(
                f"`{quoted(text)}` is not one of the values declared for `{self.name}`"
            )
        return self._number(text) if self.kind in _NUMBERS else text

    def _number(self, text: str) -> str:
        number = number_of(text)
        if number is None:
            raise ValueError(f"`{quoted(text)}` is not a number, as declared for `{self.name}`")
        return "" if math.isnan(number) else text


def render_arff(content: bytes, sheet: str | None) -> Rendering:
    """The rows below the names. Raises `ValueError` with the line if it is not ARFF."""
    text, notes = _decoded(content)
    lines = _lines(text)
    attributes = list(_declared(lines))
    refuse_too_large(text.count("\n"), len(attributes))
    rows = [_at(number, _row, line, attributes) for number, line in lines]
    nominal = (index for index, attribute in enumerate(attributes) if attribute.values)
    names = [attribute.name for attribute in attributes]
    return Rendering(csv_of([names, *rows]), tuple(nominal), has_gaps_only=True, notes=notes)


def _decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    """The text in UTF-8, else in the likeliest encoding, and a note on that."""
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        sample = content[:_SAMPLE]
    for encoding in candidates(sample):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text, (f"not UTF-8, read as {encoding}{example(sample, encoding)}",)
    raise ValueError("it is not text in a known encoding")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are neither blank nor comments, with their numbers from 1."""
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if (stripped := line.strip()) and not stripped.startswith("%"):
            yield number, stripped


def _at(number: int, read: Callable[..., Result], *arguments: object) -> Result:
    """The result of `read`; the number of the line is added to a `ValueError`."""
    try:
        return read(*arguments)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None


# The declarations.


def _declared(lines: Iterator[tuple[int, str]]) -> Iterator[_Attribute]:
    """The attributes in the lines up to `@data`."""
    for number, line in lines:
        word = line.split(maxsplit=1)[0].lower()
        if word == "@data":
            return
        if word == "@attribute":
            yield _at(number, _attribute, line)
        elif not word.startswith("@"):
            raise ValueError(f"line {number}: expected @relation, @attribute or @data")
    raise ValueError("there is no line `@data`")


def _attribute(line: str) -> _Attribute:
    declaration = _DECLARED.fullmatch(line)
    name, data_type = declaration.groups("") if declaration else ("", "")
    if data_type.startswith("{"):
        fields = (
            _between_commas(data_type[1:-1]) if "," in data_type else _WORD.findall(data_type[1:-1])
        )
        return _Attribute(_plain(name), "nominal", dict.fromkeys(map(_plain, fields)))
    if data_type.lower() not in (*_NUMBERS, *_TEXTS):
        types = ", ".join((*_NUMBERS, *_TEXTS))
        raise ValueError(f"expected a name and one of {types} or values in braces")
    return _Attribute(_plain(name), data_type.lower())


# The rows.


def _row(line: str, attributes: list[_Attribute]) -> list[str]:
    width = len(attributes)
    if line.startswith("{"):
        fields = _sparse(line, attributes)
    else:
        fields = _between_commas(line)
        if len(fields) != width:
            fields = _WORD.findall(line)  # Weka reads commas as blanks
    if len(fields) != width:
        raise ValueError(f"found {len(fields)} values, expected {width}, one for each attribute")
    return [attribute.read(field) for attribute, field in zip(attributes, fields, strict=True)]


def _sparse(line: str, attributes: list[_Attribute]) -> list[str]:
    """The fields of a row such as `{0 1.5, 3 x}`, which has the index of each value but zeros."""
    if not line.endswith("}"):
        raise ValueError("the brace is not closed")
    fields = [attribute.of_sparse for attribute in attributes]
    end, body = 0, line[1:-1].rstrip()
    while end < len(body):
        pair = _PLACED.match(body, end)
        if pair is None or int(pair[1]) >= len(fields):
            raise ValueError(f"expected indices from 0 to {len(fields) - 1}, each with a value")
        fields[int(pair[1])] = pair[2].strip()
        end = pair.end()
    return fields


def _between_commas(text: str) -> list[str]:
    fields = _BETWEEN_COMMAS.findall(text) if "'" in text or '"' in text else text.split(",")
    return [field.strip() for field in fields]


def _plain(field: str) -> str:
    """A field without its quotes."""
    if len(field) > 1 and field[0] in "'\"" and field[0] == field[-1]:
        field = _ESCAPE.sub(lambda match: _BLANKS.get(match[1], match[1]), field[1:-1])
    return field.strip()
