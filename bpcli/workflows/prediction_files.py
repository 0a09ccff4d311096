"""Predictions as text, workbooks or arrays, written block by block.

Numbers have all digits: read again, they are the same bits.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, TypeAlias

import numpy as np

from bpcli.errors import ConfigError
from bpcli.export.model import Model
from bpcli.nn.arrays import Array
from bpcli.runs.files import to_json
from bpcli.text import readable
from bpcli.workbook.cells import Cell
from bpcli.workflows.number_lines import NumberLines
from bpcli.workflows.predict import answer_document
from bpcli.workflows.predicted_blocks import Block, KeptColumn, Predictions
from bpcli.workflows.workbook import write_workbook

Write: TypeAlias = Callable[[BinaryIO, Predictions], int]
"""Writes all predictions; returns the number of rows."""


def writer_for(path: Path, *, raw: bool = False, bom: bool = False, keeps: bool = False) -> Write:
    """Return the writer for a file's ending; `raw` and `bom` are those of `Separated`.

    Raises `ConfigError` for an unknown ending, for `raw` or `bom` with another format than CSV and
    TSV, or for columns to keep (`keeps`) with a format of numbers only.
    """
    suffix = path.suffix.lower()
    if suffix in SEPARATORS:
        return Separated(SEPARATORS[suffix], raw, bom)
    if suffix not in WRITERS:
        raise ConfigError(
            f"{path}: unknown ending `{suffix}`: use "
            f"{', '.join([*SEPARATORS, *WRITERS])}, or `-` for standard output."
        )
    if raw:
        raise ConfigError(f"{path}: --raw is for CSV and TSV: {suffix} never changes names.")
    if bom:
        raise ConfigError(f"{path}: --bom is for CSV and TSV: {suffix} needs no byte order mark.")
    if keeps and suffix == ".npz":
        raise ConfigError(f"{path}: .npz cannot contain columns of FILE: drop --keep, or use .csv.")
    return WRITERS[suffix]


# Numbers in columns kept.


def number_in(text: str) -> str | None:
    """The number in a cell of a numeric column, in JSON's syntax; None for other text.

    It keeps the digits of the cell. A code such as 007 is text, as is a number beyond all floats.
    """
    if _JSON.fullmatch(text):
        number = text
    elif _NUMBER.fullmatch(text) and not _CODE.match(text):
        number = repr(float(text))
    else:
        return None
    return number if math.isfinite(float(number)) else None


_JSON = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_CODE = re.compile(r"[+-]?0\d")


# Text in columns.


# Characters that begin a formula (OWASP, CSV Injection), full-width ones included.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
_NOT_FINITE = frozenset({"+inf", "-inf", "+nan", "-nan"})


@dataclass
class Separated:
    """CSV or TSV: a line per row, with kept columns, outputs, and classes or labels as text.

    Unless `raw`, a ' is put before text that a spreadsheet would read as a formula: `marked` are
    the names, `marked_cells` counts the cells of kept columns. `bom` puts a byte order mark first,
    by which Excel recognises UTF-8.
    """

    separator: str
    raw: bool = False
    bom: bool = False
    marked: set[str] = field(default_factory=set)
    marked_cells: int = 0

    def __call__(self, file: BinaryIO, predictions: Predictions) -> int:
        model = predictions.model
        mark = codecs.BOM_UTF8 * self.bom
        file.write(mark + (self.line(predictions.columns) + "\n").encode())
        answers = [(words, dict[int, str]()) for words in model.answers.values()]
        rows = 0
        for block in predictions.blocks:
            columns: list[NumberLines | list[str]] = [
                [self._kept(cell) for cell in column.texts] for column in block.kept
            ]
            columns += self._results(predictions, block, answers)
            file.writelines(text.encode() for text in _lines(columns, self.separator))
            rows += len(block.outputs)
        return rows

    def _results(
        self,
        predictions: Predictions,
        block: Block,
        answers: list[tuple[tuple[str, ...], dict[int, str]]],
    ) -> Iterator[NumberLines | list[str]]:
        """The columns of outputs, of answers and beside them; adjacent numbers are one text."""
        inputs, outputs, beside = block.inputs, block.outputs, predictions.beside
        numbers = beside.numbers(inputs, outputs)
        if not answers:
            yield NumberLines(np.hstack([outputs, numbers]), self.separator)
        else:
            yield NumberLines(outputs, self.separator)
            indices = predictions.model.answered(outputs).T.tolist()
            for (words, cells), chosen in zip(answers, indices, strict=True):
                for index in {*chosen} - cells.keys():
                    cells[index] = self.line([words[index]])
                yield [cells[index] for index in chosen]
            if numbers.shape[1]:
                yield NumberLines(numbers, self.separator)
        for texts in beside.texts(inputs, outputs):
            yield [self.line([text]) if text else "" for text in texts]

    def line(self, cells: Iterable[str]) -> str:
        """Join names and numbers into a line, quoted where necessary; numbers never change."""
        return self._line([self._safe(cell) if _is_formula(cell) else cell for cell in cells])

    def _line(self, cells: list[str]) -> str:
        text, end = io.StringIO(), "\r\n"  # csv quotes cells with either of them
        csv.writer(text, delimiter=self.separator, lineterminator=end).writerow(cells)
        return text.getvalue().removesuffix(end)

    def _safe(self, cell: str) -> str:
        if self.raw:
            return cell
        self.marked.add(cell)
        return f"'{cell}"

    def _kept(self, cell: str) -> str:
        """A cell of a column kept, quoted where necessary."""
        is_dash = not cell.strip("-")  # a missing value, and no formula
        if not self.raw and _is_formula(cell) and not is_dash:
            self.marked_cells += 1
            cell = f"'{cell}"
        return self._line([cell]) if _QUOTED.search(cell) or self.separator in cell else cell


_QUOTED = re.compile(r'["\r\n]')


def _is_formula(cell: str) -> bool:
    if cell[:1] not in _FORMULA:
        return False
    return not _NUMBER.fullmatch(cell) and cell.lower() not in _NOT_FINITE


def _lines(columns: Sequence[NumberLines | list[str]], separator: str) -> Iterator[str]:
    """The lines of columns, many in a text."""
    match columns:
        case [NumberLines() as only]:
            yield from (f"{text}\n" for text in only.texts)
        case _:
            cells = [each.cells if isinstance(each, NumberLines) else each for each in columns]
            lines = map(separator.join, zip(*cells, strict=True))
            yield "".join(f"{line}\n" for line in lines)


SEPARATORS: Mapping[str, str] = {".csv": ",", ".tsv": "\t"}
"""The separator of columns by the ending of a file."""


# JSON, workbooks and arrays.


def _json_rows(predictions: Predictions, block: Block) -> Iterator[str]:
    model = predictions.model
    answers = model.preprocessor.in_words(block.outputs)
    others = predictions.beside.documents(block.inputs, block.outputs)
    kept = _json_kept(block.kept) if block.kept else repeat("")
    rows = zip(block.outputs.tolist(), kept, others, strict=False)
    for i, (row, beside, other) in enumerate(rows):
        document: dict[str, Any] = {"outputs": dict(zip(model.output_names, row, strict=True))}
        document |= answer_document({name: words[i] for name, words in answers.items()}) | other
        yield f"{{{beside}{to_json(document, indent=None)[1:]}"


def _json_kept(kept: Sequence[KeptColumn]) -> Iterator[str]:
    """The member `kept` of each row: numbers with their own digits, null for an empty cell."""
    names = [to_json(column.name) for column in kept]
    for row in zip(*map(_json_cells, kept), strict=True):
        members = ", ".join(f"{name}: {cell}" for name, cell in zip(names, row, strict=True))
        yield f'"kept": {{{members}}}, '


def _json_cells(column: KeptColumn) -> Iterator[str]:
    for text in column.texts:
        number = number_in(text) if column.are_numbers else None
        yield number or (to_json(text) if text else "null")


def _json_lines(file: BinaryIO, predictions: Predictions) -> int:
    """Write one JSON document per line."""
    rows = 0
    for block in predictions.blocks:
        lines = _json_rows(predictions, block)
        file.write("".join(f"{line}\n" for line in lines).encode())
        rows += len(block.outputs)
    return rows


def json_list(file: BinaryIO, predictions: Predictions) -> int:
    """Write one JSON list."""
    rows = 0
    file.write(b"[")
    for block in predictions.blocks:
        text = ",\n ".join(_json_rows(predictions, block))
        file.write((",\n " * bool(rows and text) + text).encode())
        rows += len(block.outputs)
    file.write(b"]\n")
    return rows


def _workbook(file: BinaryIO, predictions: Predictions) -> int:
    """Write a sheet: numbers are numbers, all else is text."""
    rows = (row for block in predictions.blocks for row in _cells(predictions, block))
    return write_workbook(file, predictions.columns, rows)


def _cells(predictions: Predictions, block: Block) -> Iterator[tuple[Cell, ...]]:
    columns = [[_cell(text, column.are_numbers) for text in column.texts] for column in block.kept]
    inputs, outputs, beside = block.inputs, block.outputs, predictions.beside
    columns += map(_numbers, outputs.T)
    columns += map(list[Cell], predictions.model.preprocessor.in_words(outputs).values())
    columns += map(_numbers, beside.numbers(inputs, outputs).T)
    columns += map(list[Cell], beside.texts(inputs, outputs))
    return zip(*columns, strict=True)


def _numbers(column: Array) -> list[Cell]:
    return [value if math.isfinite(value) else repr(value) for value in column.tolist()]


def _cell(text: str, may_be_number: bool) -> Cell:
    """A cell for Excel, which keeps 15 digits: a longer whole number is text."""
    number = number_in(text) if may_be_number else None
    if number is None:
        return text
    if number.lstrip("-").isdecimal():
        return int(number) if len(number.lstrip("-")) <= _DIGITS_OF_EXCEL else text
    return float(number)


_DIGITS_OF_EXCEL = 15


def _arrays(file: BinaryIO, predictions: Predictions) -> int:
    """Write `outputs` (n, outputs), `output_names` and, for classes, `labels` and `class_names`.

    For labels: `labels` (n, k) of 0 and 1, `label_names`, and the `words` (k, 2) of each. An array
    begins with its number of rows, so the rows wait in temporary files until that is known.
    """
    model, beside = predictions.model, predictions.beside
    network = model.network
    X, Y = np.empty((0, network.inputs)), np.empty((0, network.outputs))
    none = Block(X, Y, np.empty(0, np.intp))
    with ExitStack() as stack:
        waiting: dict[str, _Rows] = {}
        for block in chain([none], predictions.blocks):
            arrays = {"outputs": block.outputs} | beside.arrays(block.inputs, block.outputs)
            for name, array in arrays.items():
                if name not in waiting:
                    waiting[name] = _Rows(stack.enter_context(TemporaryFile()))
                waiting[name].add(array)
        by_name = {name: rows.all() for name, rows in waiting.items()}
        outputs, count = by_name["outputs"], len(by_name["outputs"])
        by_name |= {"output_names": np.array(model.output_names), **_answers(model, outputs)}
        np.savez(file, allow_pickle=False, **by_name)
        del outputs, by_name  # Windows removes no file that is mapped
    return count


def _answers(model: Model, outputs: Array) -> dict[str, Array]:
    """The arrays of predicted classes, or labels; none for values."""
    labels = model.labels(outputs)
    if labels is not None:
        return {"labels": labels, "class_names": np.array(model.class_names)}
    words = model.preprocessor.words
    if not words:
        return {}
    named = {"label_names": np.array([*words]), "words": np.array([*words.values()])}
    return {"labels": model.answered(outputs), **named}


class _Rows:
    """Rows of an array that wait in a temporary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._rows = file, 0

    def add(self, array: Array) -> None:
        self._rows += len(array)
        self._shape, self._dtype = array.shape[1:], array.dtype
        self._file.write(np.ascontiguousarray(array).tobytes())

    def all(self) -> Array:
        shape = (self._rows, *self._shape)
        if not self._rows:
            return np.empty(shape, self._dtype)
        self._file.flush()
        return np.memmap(self._file, self._dtype, "r", shape=shape)


WRITERS: Mapping[str, Write] = {
    ".xlsx": _workbook,
    ".json": json_list,
    ".jsonl": _json_lines,
    ".npz": _arrays,
}


# A terminal.


def first_rows(predictions: Predictions, most: int) -> tuple[list[list[str]], set[str], int]:
    """Return the first `most` rows as text, the names of text columns, and the number of all rows.

    A row has its number, the kept columns and the results.
    """
    model, shown, texts, count = predictions.model, list[list[str]](), set[str](), 0
    for inputs, outputs, numbers, kept in predictions.blocks:
        count += len(outputs)
        few = max(0, most - len(shown))
        columns = [list(map(str, numbers[:few].tolist()))]
        columns += [
            [_shown(text, column.are_numbers) for text in column.texts[:few]] for column in kept
        ]
        columns += [list(map(readable, column.tolist())) for column in outputs[:few].T]
        columns += model.preprocessor.in_words(outputs[:few]).values()
        beside = predictions.beside.numbers(inputs[:few], outputs[:few])
        columns += [list(map(readable, column.tolist())) for column in beside.T]
        columns += predictions.beside.texts(inputs[:few], outputs[:few])
        texts |= {column.name for column in kept if not column.are_numbers}
        shown += map(list, zip(*columns, strict=True))
    return shown, texts | {*model.answers, *predictions.beside.text_names}, count


def _shown(text: str, may_be_number: bool) -> str:
    """A cell as it is written; a number with more digits than a reader needs is rounded."""
    number = number_in(text) if may_be_number else None
    return text if number is None or len(text) <= _LONG else readable(float(number))


_LONG = 8
