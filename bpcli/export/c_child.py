"""Compiles and runs an exported C file; rows and predictions are lines of values between tabs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bpcli.export.child import no_predictions, program, workspace
from bpcli.export.model import Model
from bpcli.export.verify import Columns, with_days

_FLAGS = ("-std=c99", "-O1", "-DBPNET_MAIN")


def c_predictions(content: bytes, model: Model, tables: Sequence[Columns]) -> list[Columns]:
    """The predictions of the program for each of several tables.

    Raises `NotVerified` without a C compiler, and `GateFailed` if the program does not compile,
    fails, or prints anything else.
    """
    compiler = program("C compiler", "cc", "gcc", "clang")
    with workspace("C", {"exported.c": content}) as child:
        child.run([compiler, *_FLAGS, "-o", "exported", "exported.c", "-lm"])
        command = [str(child.folder / "exported")]
        return [_table(child.run(command, _lines(model, table)), model) for table in tables]


def _lines(model: Model, table: Columns) -> bytes:
    """The rows of a table as the program reads them."""
    columns = [
        [_field(value) for value in with_days(column, table[column.name])]
        for column in model.encoder.inputs
    ]
    return "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True)).encode()


def _field(value: Any) -> str:
    if isinstance(value, str):
        return re.sub(r"[\\\t\n\r]", lambda sign: _ESCAPES[sign[0]], value)
    return "" if value is None else repr(float(value))


_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_CHARACTERS = {escape: sign for sign, escape in _ESCAPES.items()}


def _table(printed: bytes, model: Model) -> Columns:
    """The outputs and words of each line, as columns by name."""
    names = [*model.output_names, *model.end_names, *model.answers]
    rows = [line.split("\t") for line in printed.decode("utf-8", "replace").split("\n")[:-1]]
    if any(len(row) != len(names) for row in rows):
        raise no_predictions("C")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=False))
    return {name: list(_read(name in model.answers, column)) for name, column in columns.items()}


def _read(is_text: bool, column: list[str]) -> Iterator[Any]:
    if is_text:
        return (re.sub(r"\\.", lambda escape: _CHARACTERS[escape[0]], text) for text in column)
    return map(float, column)
