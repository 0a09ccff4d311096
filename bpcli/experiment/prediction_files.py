"""Predictions as text or arrays, written block by block as they are made.

Numbers have all their digits: read again, they are the same.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from bpcli.errors import ConfigError
from bpcli.experiment.model import Model
from bpcli.nn.arrays import Array
from bpcli.runs.files import to_json

Blocks: TypeAlias = Iterable[Array]
Write: TypeAlias = Callable[[BinaryIO, Model, Blocks], int]
"""Writes the predictions of all blocks; how many rows they were."""


def writer_for(path: Path) -> Write:
    """What writes a file of this ending. Raises `ConfigError` where there is none."""
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise ConfigError(
            f"{path}: the ending `{suffix}` names no kind of file: use {', '.join(WRITERS)}, or "
            "`-` for standard output."
        )
    return WRITERS[suffix]


def _separated(separator: str) -> Write:
    """Columns of outputs and, for classes, their names; a line a row."""

    def write(file: BinaryIO, model: Model, blocks: Blocks) -> int:
        names = [*model.output_names, *(["class"] if model.class_names else [])]
        file.write((_line(names, separator) + "\n").encode())
        classes = [_line([name], separator) for name in model.class_names]
        rows = 0
        for outputs in blocks:
            columns = [list(map(repr, column.tolist())) for column in outputs.T]
            labels = model.labels(outputs)
            if labels is not None:
                columns.append([classes[label] for label in labels])
            lines = map(separator.join, zip(*columns, strict=True))
            file.write("".join(f"{line}\n" for line in lines).encode())
            rows += len(outputs)
        return rows

    return write


def _line(cells: list[str], separator: str) -> str:
    """Cells in quotes where they need them."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="").writerow(cells)
    return text.getvalue()


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


def _json_list(file: BinaryIO, model: Model, blocks: Blocks) -> int:
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


tab_separated = _separated("\t")
json_list = _json_list

WRITERS: Mapping[str, Write] = {
    ".csv": _separated(","),
    ".tsv": tab_separated,
    ".json": json_list,
    ".jsonl": _json_lines,
    ".npz": _arrays,
}
