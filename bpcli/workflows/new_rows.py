"""New rows in a file for a trained network, matched by the names of their columns.

They are read a block at a time, so that a file may be larger than memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from bpcli.data.files.arrays import ARRAY_SUFFIXES, load_inputs
from bpcli.data.files.cleaning import Cleaner, signs_unlike_training
from bpcli.data.files.delimited import cleaner_of, layout_of, read_blocks
from bpcli.data.files.dialect import Dialect, Signs
from bpcli.data.files.grid import is_number
from bpcli.data.files.parquet import is_parquet
from bpcli.data.files.rendered import is_rendered
from bpcli.data.files.sniff import Layout
from bpcli.data.files.table import naming
from bpcli.data.files.text import first_lines
from bpcli.data.files.text_encoding import encoding_of
from bpcli.data.spellings import nearest
from bpcli.data.tally import Tally
from bpcli.data.types import DataFrame
from bpcli.errors import DataError
from bpcli.export.model import Model
from bpcli.nn.arrays import Array

_BLOCK_VALUES = 2**20
"""Numbers in a block: 8 MB, and a few times that while pandas reads."""

_FEWEST_ROWS = 256
"""Rows in a block of a wide table: pandas takes as long for a column of fewer."""


@dataclass(frozen=True)
class NewRows:
    """A file of rows, how it is written, and notes on how it is read."""

    layout: Layout
    model: Model
    notes: tuple[str, ...]
    cleaner: Cleaner
    tally: Tally = field(default_factory=Tally)
    signs: list[str] = field(default_factory=list)

    def predictions(self) -> Iterator[Array]:
        """Yield the outputs (n, outputs) block by block.

        Raises `DataError` that names the file, and the row and column of what does not fit.
        """
        with naming(self.layout.path):
            for frame in self._frames():
                if not self.signs:
                    self.signs.extend(signs_unlike_training(frame, self.model.encoder.fills))
                yield self.model.predict(frame, self.tally)

    @property
    def later_notes(self) -> Iterator[str]:
        """What was ignored, filled or unknown in the rows that were predicted so far."""
        for note in (*self.cleaner.notes, *self.signs, *self.tally.notes()):
            yield f"{self.layout.path.name}: {note}"

    def _frames(self) -> Iterator[DataFrame]:
        path, columns = self.layout.path, self.layout.dialect.columns
        rows = max(_FEWEST_ROWS, _BLOCK_VALUES // max(1, len(columns)))
        if path.suffix.lower() in ARRAY_SUFFIXES:
            return _array_blocks(_array(path, self.model, self.layout.dialect)[0], columns, rows)
        return read_blocks(self.layout, rows, self.cleaner)


def new_rows(path: Path, model: Model, signs: Signs = MappingProxyType({})) -> NewRows:
    """Inspect a file; `signs` say how it is written where it differs from the training's.

    Raises `DataError` naming the first input that is missing.
    """
    model = replace(model, encoder=model.encoder.told(signs.get("date_format")))
    with naming(path):
        if path.suffix.lower() in ARRAY_SUFFIXES:
            dialect = Dialect(layout=model.dialect.told(signs).layout)
            X, notes = _array(path, model, dialect)
            dialect = replace(dialect, columns=(names := _by_position(X.shape[1], model)))
            return NewRows(Layout(path, dialect, 0, names, "", ()), model, notes, Cleaner(dialect))
        layout = _layout(path, model, signs)
        columns = layout.dialect.columns
        _require_inputs(columns, _inputs(model))
    notes = (*layout.notes, *_unused(path, columns, model))
    return NewRows(layout, model, notes, cleaner_of(layout))


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
    near = nearest(missing, unused, cutoff=0)
    hint = "all columns are used" if near is None else f"the unused column `{near}` is closest"
    raise DataError(f"there is no column `{missing}`; {hint}")


def _layout(path: Path, model: Model, signs: Signs) -> Layout:
    """The layout of a file, with names for its columns if it has no header.

    It need not end with as many totals as the training's.
    """
    asked = replace(
        model.dialect.told(signs), text=model.encoder.text, skip_last=signs.get("skip_last", 0)
    )
    if is_parquet(path):
        return layout_of(path, asked)
    if "encoding" not in signs and _is_unicode(path, asked):
        own = _layout(path, model, {**signs, "encoding": None})
        encoding = str(own.dialect.encoding).removesuffix("-sig")
        note = f"{path.name}: read as {encoding}, not {asked.encoding} as in training"
        return replace(own, notes=(*own.notes, note))
    bare = layout_of(path, replace(asked, header=False, columns=()))
    first = bare.first
    if signs.get("header", True) and set(_inputs(model)) <= set(bare.header_names()):
        return bare.headed(True, may_be_numbers=True)
    by_position = not asked.header or bool(model.dialect.columns)
    if by_position and signs.get("header", bare.seems_headed() and not _is_data(first, model)):
        named = bare.headed(True, _as_trained(len(first), model))
        note = f"{path.name}: the names in its header are other ones: columns go by position"
        return replace(named, notes=(*named.notes, note))
    if signs.get("header"):
        return bare.headed(True, may_be_numbers=True)
    if (layout := _written_otherwise(path, asked.told(_UNTOLD | dict(signs)), model)) is not None:
        return layout
    if not asked.header:
        return _named(bare, _as_trained(len(first), model))
    if all(map(is_number, first)):
        return _named(bare, _by_position(len(first), model))
    return bare.headed(True)


def _is_data(first: tuple[str, ...], model: Model) -> bool:
    """Whether a first row holds words or dates of the training, which had no header."""
    names = _as_trained(len(first), model)
    cells = dict(zip(names, first, strict=True))
    return not model.dialect.header and any(
        column.knows(cells[column.name]) for column in model.encoder.inputs
    )


_UNTOLD = dict.fromkeys(("encoding", "separator", "decimal", "thousands", "skip", "comment"))


def _written_otherwise(path: Path, asked: Dialect, model: Model) -> Layout | None:
    """The layout of a file that is not written like the training file, but has all inputs."""
    bare = layout_of(path, replace(asked, header=False, columns=()))
    if not set(_inputs(model)) <= set(bare.header_names()):
        return None
    layout = bare.headed(True, may_be_numbers=True)
    keys = ("encoding", "separator", "decimal")
    signs = ", ".join(f"{key} {getattr(layout.dialect, key)!r}" for key in keys)
    note = f"{path.name}: not written like the training file: {signs}"
    return replace(layout, notes=(*layout.notes, note))


def _is_unicode(path: Path, asked: Dialect) -> bool:
    """Whether a file is in Unicode, with more than ASCII, though the training file was not."""
    if asked.encoding is None or asked.encoding.lower().startswith("utf") or is_rendered(path):
        return False
    own, _ = encoding_of(path, None)
    return own.startswith("utf") and not all(map(str.isascii, first_lines(path, own, None)))


def _named(bare: Layout, names: tuple[str, ...]) -> Layout:
    return replace(bare, dialect=replace(bare.dialect, columns=names))


def _as_trained(count: int, model: Model) -> tuple[str, ...]:
    """The names of columns that go by position, as the training file had no header either."""
    if count == len(model.encoder.inputs):
        return _inputs(model)
    columns = model.encoder.file_columns
    if count == len(columns):
        return columns
    raise DataError(
        f"its {count} columns have no names that are known: expected the "
        f"{len(model.encoder.inputs)} inputs, or the {len(columns)} columns of the training file"
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


def _array(path: Path, model: Model, dialect: Dialect) -> tuple[Array, tuple[str, ...]]:
    return load_inputs(path, len(_inputs(model)), model.inputs_array, dialect.layout)


def _array_blocks(array: Array, names: tuple[str, ...], rows: int) -> Iterator[DataFrame]:
    from pandas import DataFrame, RangeIndex

    for start in range(0, len(array), rows):
        block = np.asarray(array[start : start + rows])
        yield DataFrame(block, RangeIndex(start, start + len(block)), names)
