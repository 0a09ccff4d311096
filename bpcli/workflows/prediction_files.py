"""Predictions as text or arrays, written block by block.

Numbers have all digits: read again, they are the same bits.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from bpcli.errors import ConfigError
from bpcli.export.model import Model
from bpcli.nn.arrays import Array
from bpcli.runs.files import to_json
from bpcli.workflows.predict import answer_document

Blocks: TypeAlias = Iterable[Array]
Write: TypeAlias = Callable[[BinaryIO, Model, Blocks], int]
"""Writes the predictions of all blocks; returns the number of rows."""


def writer_for(path: Path, *, raw: bool = False) -> Write:
    """Return the writer for a file's ending; `raw` is that of `Separated`.

    Raises `ConfigError` for an unknown ending, or for `raw` with a format that never changes names.
    """
    suffix = path.suffix.lower()
    if suffix in SEPARATORS:
        return Separated(SEPARATORS[suffix], raw)
    if suffix not in WRITERS:
        raise ConfigError(
            f"{path}: unknown ending `{suffix}`: use "
            f"{', '.join([*SEPARATORS, *WRITERS])}, or `-` for standard output."
        )
    if raw:
        raise ConfigError(f"{path}: --raw is for CSV and TSV: {suffix} never changes names.")
    return WRITERS[suffix]


# Text in columns.

# What begins a formula (OWASP, CSV Injection), signs of full width included.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|nan)", re.ASCII | re.IGNORECASE)


@dataclass
class Separated:
    """CSV or TSV: one line per row, with the outputs and, for classes or labels, their words.

    Unless `raw`, a ' is put before names that a spreadsheet would read as formulas; `marked` are
    these names.
    """

    separator: str
    raw: bool = False
    marked: set[str] = field(default_factory=set)

    def __call__(self, file: BinaryIO, model: Model, blocks: Blocks) -> int:
        names = [*model.output_names, *model.answers]
        file.write((self.line(names) + "\n").encode())
        answers = [(words, dict[int, str]()) for words in model.answers.values()]
        rows = 0
        for outputs in blocks:
            columns = [list(map(repr, column.tolist())) for column in outputs.T]
            indices = model.answered(outputs).T.tolist()
            for (words, cells), chosen in zip(answers, indices, strict=True):
                for index in {*chosen} - cells.keys():
                    cells[index] = self.line([words[index]])
                columns.append([cells[index] for index in chosen])
            lines = map(self.separator.join, zip(*columns, strict=True))
            file.write("".join(f"{line}\n" for line in lines).encode())
            rows += len(outputs)
        return rows

    def line(self, cells: Iterable[str]) -> str:
        """Join cells into a line, quoted where necessary; numbers never change."""
        text, end = io.StringIO(), "\r\n"  # csv quotes cells with either of them
        csv.writer(text, delimiter=self.separator, lineterminator=end).writerow(
            [
                cell if cell[:1] not in _FORMULA or _NUMBER.fullmatch(cell) else self._safe(cell)
                for cell in cells
            ]
        )
        return text.getvalue().removesuffix(end)

    def _safe(self, cell: str) -> str:
        if self.raw:
            return cell
        self.marked.add(cell)
        return f"'{cell}"


SEPARATORS: Mapping[str, str] = {".csv": ",", ".tsv": "\t"}
"""The separator of columns by the ending of a file."""


# JSON and arrays.


def _json_rows(model: Model, outputs: Array) -> Iterator[str]:
    answers = model.preprocessor.in_words(outputs)
    for i, row in enumerate(outputs.tolist()):
        document: dict[str, Any] = {"outputs": dict(zip(model.output_names, row, strict=True))}
        document |= answer_document({name: words[i] for name, words in answers.items()})
        yield to_json(document, indent=None)


def _json_lines(file: BinaryIO, model: Model, blocks: Blocks) -> int:
    """Write one JSON document per line."""
    rows = 0
    for outputs in blocks:
        file.write("".join(f"{row}\n" for row in _json_rows(model, outputs)).encode())
        rows += len(outputs)
    return rows


def json_list(file: BinaryIO, model: Model, blocks: Blocks) -> int:
    """Write one JSON list."""
    rows = 0
    file.write(b"[")
    for outputs in blocks:
        text = ",\n ".join(_json_rows(model, outputs))
        file.write((",\n " * bool(rows and text) + text).encode())
        rows += len(outputs)
    file.write(b"]\n")
    return rows


def _arrays(file: BinaryIO, model: Model, blocks: Blocks) -> int:
    """Write `outputs` (n, outputs), `output_names` and, for classes, `labels` and `class_names`.

    For labels: `labels` (n, k) of 0 and 1, `label_names`, and the `words` (k, 2) of each. The
    number of rows precedes them, so that they wait in a temporary file until it is known.
    """
    rows, width = 0, model.network.outputs
    with TemporaryFile() as waiting:
        for outputs in blocks:
            waiting.write(np.ascontiguousarray(outputs).tobytes())
            rows += len(outputs)
        waiting.flush()
        outputs = np.empty((0, width))
        if rows:
            outputs = np.memmap(waiting, np.float64, "r", shape=(rows, width))
        arrays = {"outputs": outputs, "output_names": np.array(model.output_names)}
        labels = model.labels(outputs)
        if labels is not None:
            arrays |= {"labels": labels, "class_names": np.array(model.class_names)}
        elif words := model.preprocessor.words:
            named = {"label_names": np.array([*words]), "words": np.array([*words.values()])}
            arrays |= {"labels": model.answered(outputs), **named}
        np.savez(file, allow_pickle=False, **arrays)
        del outputs, arrays  # Windows removes no file that is mapped
    return rows


WRITERS: Mapping[str, Write] = {".json": json_list, ".jsonl": _json_lines, ".npz": _arrays}
