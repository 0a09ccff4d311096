"""Predictions as text or arrays, written block by block as they are made.

Numbers have all their digits: read again, they are the same.
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

Blocks: TypeAlias = Iterable[Array]
Write: TypeAlias = Callable[[BinaryIO, Model, Blocks], int]
"""Writes the predictions of all blocks; how many rows they were."""


def writer_for(path: Path, *, raw: bool = False) -> Write:
    """What writes a file of this ending; `raw` is that of `Separated`.

    Raises `ConfigError` where there is none, or none that has names to keep `raw`.
    """
    suffix = path.suffix.lower()
    if suffix in SEPARATORS:
        return Separated(SEPARATORS[suffix], raw)
    if suffix not in WRITERS:
        raise ConfigError(
            f"{path}: the ending `{suffix}` names no kind of file: use "
            f"{', '.join([*SEPARATORS, *WRITERS])}, or `-` for standard output."
        )
    if raw:
        raise ConfigError(f"{path}: {suffix} keeps names as they are without --raw.")
    return WRITERS[suffix]


# Text in columns.

# What begins a formula (OWASP, CSV Injection), signs of full width included.
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|nan)", re.ASCII | re.IGNORECASE)


@dataclass
class Separated:
    """CSV or TSV: columns of outputs and, for classes, their names; a line a row.

    A name that a spreadsheet would take for a formula gets a ' before it, unless names are to be
    kept `raw`; `marked` are those that were written so.
    """

    separator: str
    raw: bool = False
    marked: set[str] = field(default_factory=set)

    def __call__(self, file: BinaryIO, model: Model, blocks: Blocks) -> int:
        names = [*model.output_names, *(["class"] if model.class_names else [])]
        file.write((self.line(names) + "\n").encode())
        classes: dict[int, str] = {}
        rows = 0
        for outputs in blocks:
            columns = [list(map(repr, column.tolist())) for column in outputs.T]
            labels = model.labels(outputs)
            if labels is not None:
                for label in {*labels.tolist()} - classes.keys():
                    classes[label] = self.line([model.class_names[label]])
                columns.append([classes[label] for label in labels.tolist()])
            lines = map(self.separator.join, zip(*columns, strict=True))
            file.write("".join(f"{line}\n" for line in lines).encode())
            rows += len(outputs)
        return rows

    def line(self, cells: Iterable[str]) -> str:
        """Cells in quotes where they need them; numbers are as they were."""
        text, end = io.StringIO(), "\r\n"  # of which csv puts each in quotes within a cell
        csv.writer(text, delimiter=self.separator, lineterminator=end).writerow(
            [self._safe(cell) for cell in cells]
        )
        return text.getvalue().removesuffix(end)

    def _safe(self, cell: str) -> str:
        if self.raw or not _FORMULA.match(cell) or _NUMBER.fullmatch(cell):
            return cell
        self.marked.add(cell)
        return f"'{cell}"


SEPARATORS: Mapping[str, str] = {".csv": ",", ".tsv": "\t"}
"""What stands between columns, by the ending of a file."""


# JSON and arrays.


def _json_rows(model: Model, outputs: Array) -> Iterator[str]:
    labels = model.labels(outputs)
    for i, row in enumerate(outputs.tolist()):
        document: dict[str, Any] = {"outputs": dict(zip(model.output_names, row, strict=True))}
        if labels is not None:
            document["class"] = model.class_names[labels[i]]
        yield to_json(document, indent=None)


def _json_lines(file: BinaryIO, model: Model, blocks: Blocks) -> int:
    """A JSON document a line."""
    rows = 0
    for outputs in blocks:
        file.write("".join(f"{row}\n" for row in _json_rows(model, outputs)).encode())
        rows += len(outputs)
    return rows


def json_list(file: BinaryIO, model: Model, blocks: Blocks) -> int:
    """One JSON document, a list."""
    rows = 0
    file.write(b"[")
    for outputs in blocks:
        text = ",\n ".join(_json_rows(model, outputs))
        file.write((",\n " * bool(rows and text) + text).encode())
        rows += len(outputs)
    file.write(b"]\n")
    return rows


def _arrays(file: BinaryIO, model: Model, blocks: Blocks) -> int:
    """`outputs` (n, outputs) and `output_names`; of classes, `labels` into `class_names` too.

    How many rows there are stands before them, so that they wait in a file without name.
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
        np.savez(file, allow_pickle=False, **arrays)
        del outputs, arrays  # Windows removes no file that is mapped
    return rows


WRITERS: Mapping[str, Write] = {".json": json_list, ".jsonl": _json_lines, ".npz": _arrays}
