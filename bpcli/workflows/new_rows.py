"""New rows in a file for a trained network, matched by the names of their columns.

They are read a block at a time, so that a file may be larger than memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from bpcli.data.files.arrays import ARRAY_SUFFIXES, load_inputs
from bpcli.data.files.delimited import FileFormat, first_row, read_blocks, settle
from bpcli.data.files.parquet import is_parquet
from bpcli.data.files.table import naming
from bpcli.data.types import DataFrame
from bpcli.errors import DataError
from bpcli.export.model import Model
from bpcli.nn.arrays import Array

_BLOCK_VALUES = 2**20
"""Numbers in a block: 8 MB, and a few times that while pandas reads."""


@dataclass(frozen=True)
class NewRows:
    """A file, its format, and notes on how it is read."""

    path: Path
    format: FileFormat
    model: Model
    notes: tuple[str, ...]

    def predictions(self) -> Iterator[Array]:
        """Yield the outputs (n, outputs) block by block.

        Raises `DataError` that names the file, and the row and column of what does not fit.
        """
        with naming(self.path):
            for frame in self._frames():
                yield self.model.predict(frame)

    def _frames(self) -> Iterator[DataFrame]:
        rows = max(1, _BLOCK_VALUES // max(1, len(self.format.columns)))
        if self.path.suffix.lower() in ARRAY_SUFFIXES:
            return _array_blocks(load_inputs(self.path), self.format.columns, rows)
        return read_blocks(self.path, self.format, rows)


def new_rows(path: Path, model: Model) -> NewRows:
    """Inspect a file. Raises `DataError` naming the first input that is missing."""
    with naming(path):
        if path.suffix.lower() in ARRAY_SUFFIXES:
            names = _by_position(load_inputs(path).shape[1], model)
            return NewRows(path, FileFormat(columns=names), model, ())
        format_, notes = _settled(path, model)
        _require_inputs(format_.columns, _inputs(model))
    return NewRows(path, format_, model, (*notes, *_unused(path, format_.columns, model)))


def _inputs(model: Model) -> tuple[str, ...]:
    return tuple(column.name for column in model.encoder.inputs)


# The names of the columns.


def _require_inputs(columns: tuple[str, ...], inputs: tuple[str, ...]) -> None:
    """Raises `DataError` naming the first missing input, and the column that is closest."""
    known = set(columns)
    missing = next((name for name in inputs if name not in known), None)
    if missing is None:
        return
    unused = sorted(known - set(inputs))
    nearest = get_close_matches(missing, unused, n=1, cutoff=0)
    hint = f"the unused column `{nearest[0]}` is closest" if nearest else "all columns are used"
    raise DataError(f"there is no column `{missing}`; {hint}")


def _settled(path: Path, model: Model) -> tuple[FileFormat, tuple[str, ...]]:
    """Return the training file's format, with the column names of this file's first row."""
    asked = replace(model.format, text=model.encoder.text)
    if is_parquet(path):
        return settle(path, asked)
    bare, notes = settle(path, replace(asked, header=False, columns=()))
    first = [field.strip() for field in first_row(path, bare)]
    if set(_inputs(model)) <= set(first):
        return _with_header(path, bare, notes)
    if not asked.header:
        return replace(bare, columns=_as_trained(len(first), model)), notes
    if all(map(_is_number, first)):
        return replace(bare, columns=_by_position(len(first), model)), notes
    return _with_header(path, bare, notes)


def _with_header(
    path: Path, bare: FileFormat, notes: tuple[str, ...]
) -> tuple[FileFormat, tuple[str, ...]]:
    format_, more = settle(path, replace(bare, header=True, columns=()))
    return format_, (*notes, *more)


def _as_trained(count: int, model: Model) -> tuple[str, ...]:
    """Return names for a file that, like the training file, has no header."""
    if count == len(model.encoder.inputs):
        return _inputs(model)
    columns = model.encoder.file_columns
    if count == len(columns):
        return columns
    raise DataError(
        f"the file has no header and {count} columns: expected the {len(model.encoder.inputs)} "
        f"inputs, or the {len(columns)} columns of the training file"
    )


def _by_position(count: int, model: Model) -> tuple[str, ...]:
    """Return names for unnamed columns. Raises `DataError` if they are not the inputs."""
    names = _inputs(model)
    if count != len(names):
        more = ", …" if len(names) > 10 else ""
        raise DataError(
            f"its {count} columns have no names, so they must be the {len(names)} inputs in "
            f"order: {', '.join(names[:10])}{more}"
        )
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unused(path: Path, columns: tuple[str, ...], model: Model) -> Iterator[str]:
    """Notes on columns that the prediction does not need."""
    inputs, targets = {*_inputs(model)}, {*model.encoder.targets, *model.target_names}
    others = [name for name in columns if name not in inputs]
    for role, names in (
        ("target", [name for name in others if name in targets]),
        ("other", [name for name in others if name not in targets]),
    ):
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            shown = ", ".join(f"`{name}`" for name in names[:5]) + more
            plural = "columns" if len(names) > 1 else "column"
            yield f"{path.name}: ignored {role} {plural}: {shown}"


# Arrays.


def _array_blocks(array: Array, names: tuple[str, ...], rows: int) -> Iterator[DataFrame]:
    from pandas import DataFrame, RangeIndex

    for start in range(0, len(array), rows):
        block = np.asarray(array[start : start + rows])
        yield DataFrame(block, RangeIndex(start, start + len(block)), names)
