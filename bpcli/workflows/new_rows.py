"""New rows in a file for a trained network, matched by the names of their columns.

They are read a block at a time, so that a file may be larger than memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import ne
from pathlib import Path
from types import MappingProxyType

import numpy as np

from bpcli.data.cells import with_point
from bpcli.data.files.array_files import is_array_file
from bpcli.data.files.arrays import load_inputs
from bpcli.data.files.cleaning import Cleaner
from bpcli.data.files.delimited import cleaner_of, layout_of, read_blocks, text_blocks
from bpcli.data.files.dialect import Dialect, Signs
from bpcli.data.files.frames import naming
from bpcli.data.files.grid import is_number
from bpcli.data.files.open_signs import signs_unlike_training
from bpcli.data.files.parquet import is_parquet
from bpcli.data.files.rendered import is_rendered
from bpcli.data.files.sniff import Layout
from bpcli.data.files.table import row_numbers
from bpcli.data.files.text import first_lines
from bpcli.data.files.text_encoding import encoding_of
from bpcli.data.selection import as_known, select, selectors_of
from bpcli.data.tally import Tally
from bpcli.data.types import DataFrame
from bpcli.errors import DataError
from bpcli.export.model import Model
from bpcli.nn.arrays import Array
from bpcli.text import first_of, listed_names, nearest, plural
from bpcli.workflows.predicted_blocks import (
    NOTHING,
    Beside,
    Block,
    KeptColumn,
    Predictions,
    result_names,
)

_BLOCK_VALUES = 2**20
"""Numbers in a block: 8 MB, and a few times that while pandas reads."""

_FEWEST_ROWS = 256
"""The fewest rows in a block: with fewer, pandas takes as long for each column."""


@dataclass(frozen=True)
class NewRows:
    """A file of rows, its format, and notes on how it is read.

    `kept` are the columns to keep beside the predictions, each with its name in the output.
    `ignored` are the notes on columns that the prediction does not need.
    """

    layout: Layout
    model: Model
    notes: tuple[str, ...]
    cleaner: Cleaner
    kept: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    tally: Tally = field(default_factory=Tally)
    _signs: list[str] = field(default_factory=list, init=False)
    _rewritten: Counter[str] = field(default_factory=Counter, init=False)

    def predictions(self, beside: Beside = NOTHING) -> Predictions:
        """The outputs, the columns kept and others beside them, block by block.

        A block raises `DataError` with the file, row and column of a value that cannot be used.
        """
        return Predictions(self.model, self._blocks(beside), tuple(self.kept.values()), beside)

    @property
    def later_notes(self) -> Iterator[str]:
        """Notes on ignored, filled, unknown and rewritten cells of the rows predicted so far."""
        notes = (*self.cleaner.notes, *self._signs, *self.tally.notes())
        for note in (*notes, *self._notes_on_signs()):
            yield f"{self.layout.path.name}: {note}"

    def _blocks(self, beside: Beside) -> Iterator[Block]:
        with naming(self.layout.path):
            for frame, texts in self._frames():
                if not self._signs:
                    self._signs.extend(signs_unlike_training(frame, self.model.encoder.fills))
                kept = tuple(self._kept(frame, texts)) if len(frame) else ()
                X = self.model.encoder.encode(frame, self.tally)
                inputs = beside.prepare(frame, X)
                yield Block(inputs, self.model.outputs(X, self.tally), row_numbers(frame), kept)

    def _frames(self) -> Iterator[tuple[DataFrame, DataFrame]]:
        """The rows as they are read, and the columns kept as text, block by block."""
        path, columns = self.layout.path, self.layout.dialect.columns
        rows = max(_FEWEST_ROWS, _BLOCK_VALUES // max(1, len(columns)))
        if is_array_file(path):
            array, _ = _array(path, self.model, self.layout.dialect)
            return _array_blocks(array, columns, rows, list(self.kept))
        frames = read_blocks(self.layout, rows, self.cleaner)
        if not self.kept:
            return ((frame, frame) for frame in frames)
        return zip(frames, text_blocks(self.layout, rows, list(self.kept)), strict=True)

    def _kept(self, frame: DataFrame, texts: DataFrame) -> Iterator[KeptColumn]:
        """The columns kept; numbers have a decimal point, as predictions have."""
        from pandas.api.types import is_bool_dtype, is_numeric_dtype

        signs = self.layout.dialect.decimal or ".", self.layout.dialect.thousands or ""
        for column, name in self.kept.items():
            dtype = frame[column].dtype
            cells = texts.loc[frame.index, column].tolist()
            are_numbers = bool(is_numeric_dtype(dtype) and not is_bool_dtype(dtype))
            if are_numbers and signs != (".", ""):
                rewritten = [with_point(cell, *signs) for cell in cells]
                self._rewritten[name] += sum(map(ne, cells, rewritten))
                cells = rewritten
            yield KeptColumn(name, cells, are_numbers)

    def _notes_on_signs(self) -> Iterator[str]:
        if count := self._rewritten.total():
            columns = _listed([column for column, changed in self._rewritten.items() if changed])
            yield (
                f"wrote {plural(count, 'number')} with a decimal point and no thousands sign, in "
                f"the kept {columns}"
            )


def new_rows(
    path: Path,
    model: Model,
    signs: Signs = MappingProxyType({}),
    keep: Sequence[str] = (),
) -> NewRows:
    """Inspect a file; `signs` are the settings of its format that differ from the training's.

    `keep` has selectors of columns, see `selectors_of`. Raises `DataError` if inputs are missing,
    or if a selector chooses no column.
    """
    model = replace(model, encoder=model.encoder.with_date_format(signs.get("date_format")))
    with naming(path):
        if is_array_file(path):
            dialect = Dialect(layout=model.dialect.with_signs(signs).layout)
            X, notes = _array(path, model, dialect)
            dialect = replace(dialect, columns=(names := _by_position(X.shape[1], model)))
            layout, cleaner = Layout(path, dialect, 0, names, "", notes), Cleaner(dialect)
        else:
            layout = layout_as_trained(path, model, signs)
            cleaner = cleaner_of(layout)
            _require_inputs(layout.dialect.columns, model)
        kept, renamed = _kept_names(layout, keep, model)
    ignored = tuple(_unused(path, layout.dialect.columns, model, kept))
    return NewRows(layout, model, (*layout.notes, *ignored, *renamed), cleaner, kept, ignored)


def _kept_names(
    layout: Layout, keep: Sequence[str], model: Model
) -> tuple[dict[str, str], list[str]]:
    """The columns to keep, in order, with their names in the file; and notes on other names.

    A column with the name of a predicted column gets another name.
    """
    columns = dict(zip(layout.own_names, layout.dialect.columns, strict=True))
    chosen = select([*columns], selectors_of([*columns], keep), "keep")
    if keep and not chosen:
        raise DataError("--keep chooses no column: name columns of the file", "keep")
    results = {*result_names(model)}
    taken = {*chosen, *results}
    names, notes = {}, []
    for own in chosen:
        name = own
        if own in results:
            while name in taken:
                name += " (kept)"
            notes.append(
                f"the kept column `{own}` is called `{name}`: a predicted column has its name"
            )
        names[columns[own]] = name
        taken.add(name)
    return names, notes


def _inputs(model: Model) -> tuple[str, ...]:
    return tuple(column.name for column in model.encoder.inputs)


# The names of the columns.


def _require_inputs(columns: tuple[str, ...], model: Model) -> None:
    """Raise `DataError` if inputs are missing; the message names similar or unused columns."""
    known = {*columns}
    missing = [name for name in _inputs(model) if name not in known]
    if not missing:
        return
    used = {*_inputs(model), *model.encoder.targets, *model.target_names}
    unused = [name for name in columns if name not in used]
    near = nearest(missing[0], unused) if len(missing) == 1 else None
    if near is not None:
        hint = f"the unused column `{near}` is closest"
    elif unused:
        hint = (
            f"the unused {'columns are' if len(unused) > 1 else 'column is'} {listed_names(unused)}"
        )
    else:
        hint = "all columns are used"
    what = "are no columns" if len(missing) > 1 else "is no column"
    raise DataError(f"there {what} {listed_names(missing)}; {hint}")


def layout_as_trained(path: Path, model: Model, signs: Signs) -> Layout:
    """The layout of a file, with names for its columns if it has no header.

    Columns are matched by name, or by position if the training file had no header or its names
    came from the key `columns`. `skip_last` of the training does not apply: totals below the
    training rows need not be in this file too.
    """
    text = (*model.encoder.text, *model.preprocessor.words)
    asked = replace(model.dialect.with_signs(signs), text=text, skip_last=signs.get("skip_last", 0))
    if is_parquet(path):
        return layout_of(path, asked)
    if "encoding" not in signs and _is_unicode(path, asked):
        own = layout_as_trained(path, model, {**signs, "encoding": None})
        encoding = str(own.dialect.encoding).removesuffix("-sig")
        note = f"{path.name}: read as {encoding}, not {asked.encoding} as in training"
        return replace(own, notes=(*own.notes, note))
    bare = layout_of(path, replace(asked, header=False, columns=()))
    first = bare.first
    names, said = _header_names(bare, model)
    if signs.get("header", True) and set(_inputs(model)) <= set(names):
        return _with_header(bare, names, said)
    by_position = not asked.header or bool(model.dialect.columns)
    if by_position and signs.get("header", bare.seems_headed() and not _is_data(first, model)):
        named = bare.headed(_as_trained(len(first), model))
        note = (
            f"{path.name}: the names in its header differ from training: columns are matched by "
            "position"
        )
        return replace(named, notes=(*named.notes, note))
    if signs.get("header"):
        return bare.headed(may_be_numbers=True)
    if (
        layout := _written_otherwise(path, asked.with_signs(_UNSET | dict(signs)), model)
    ) is not None:
        return layout
    if not asked.header:
        return _named(bare, _as_trained(len(first), model))
    if all(map(is_number, first)):
        names = _by_position(len(first), model)
        named = _named(bare, names)
        note = f"{path.name}: no header: its columns are the inputs in order, {first_of(names)}"
        return replace(named, notes=(*named.notes, note))
    return bare.headed()


def _is_data(first: tuple[str, ...], model: Model) -> bool:
    """Whether a first row has categories or dates of the training, which had no header."""
    names = _as_trained(len(first), model)
    cells = dict(zip(names, first, strict=True))
    return not model.dialect.header and any(
        column.knows(cells[column.name]) for column in model.encoder.inputs
    )


_UNSET = dict.fromkeys(("encoding", "separator", "decimal", "thousands", "skip", "comment"))


def _written_otherwise(path: Path, asked: Dialect, model: Model) -> Layout | None:
    """The layout of a file that is not written like the training file, but has all inputs."""
    bare = layout_of(path, replace(asked, header=False, columns=()))
    names, said = _header_names(bare, model)
    if not set(_inputs(model)) <= set(names):
        return None
    layout = _with_header(bare, names, said)
    keys = ("decimal",) if is_rendered(path) else ("encoding", "separator", "decimal")
    signs = ", ".join(f"{key} {getattr(layout.dialect, key)!r}" for key in keys)
    note = f"{path.name}: its format differs from the training file: {signs}"
    return replace(layout, notes=(*layout.notes, note))


def _header_names(bare: Layout, model: Model) -> tuple[tuple[str, ...], list[str]]:
    """The names in the header, in the spelling of training, and notes on those that differ."""
    targets = [name for name in model.encoder.targets if name not in _inputs(model)]
    own, lacks = bare.header_names()
    names, renamed = as_known(own, [*_inputs(model), *targets])
    notes = (*lacks, *renamed) if renamed else ()
    return names, [f"{bare.path.name}: {note}" for note in notes]


def _with_header(bare: Layout, names: tuple[str, ...], said: Sequence[str]) -> Layout:
    """The layout with the names in its header, or those of training where notes say so."""
    layout = bare.headed(names) if said else bare.headed(may_be_numbers=True)
    return replace(layout, notes=(*layout.notes, *said))


def _is_unicode(path: Path, asked: Dialect) -> bool:
    """Whether a file is in Unicode, with more than ASCII, though the training file was not."""
    if asked.encoding is None or asked.encoding.lower().startswith("utf") or is_rendered(path):
        return False
    own, _ = encoding_of(path, None)
    return own.startswith("utf") and not all(map(str.isascii, first_lines(path, own, None)))


def _named(bare: Layout, names: tuple[str, ...]) -> Layout:
    return replace(bare, dialect=replace(bare.dialect, columns=names))


def _as_trained(count: int, model: Model) -> tuple[str, ...]:
    """The names of columns that are matched by position, as the training file had no header.

    Raises `DataError` if their number fits neither the inputs nor the training file.
    """
    if count == len(model.encoder.inputs):
        return _inputs_in_order(model)
    columns = model.encoder.file_columns
    if count == len(columns):
        return columns
    without_targets = tuple(name for name in columns if name not in model.encoder.targets)
    if count == len(without_targets):
        return without_targets
    raise DataError(
        f"its {count} columns have no known names: expected the "
        f"{len(model.encoder.inputs)} inputs, or the {len(columns)} columns of the training file"
    )


def _inputs_in_order(model: Model) -> tuple[str, ...]:
    """The inputs as columns without names.

    Raises `DataError` if the config and the training file have them in different orders: the new
    file may have either order.
    """
    names = _inputs(model)
    known = set(names)
    in_file = tuple(name for name in model.encoder.file_columns if name in known)
    if in_file and in_file != names:
        raise DataError(
            f"its {len(names)} columns have no names, and their order is not clear: the "
            f"config has {first_of(names)}; the training file has {first_of(in_file)}: name the "
            "columns in its first row"
        )
    return names


def _by_position(count: int, model: Model) -> tuple[str, ...]:
    """Return names for unnamed columns. Raises `DataError` if they are not the inputs."""
    names = _inputs(model)
    if count != len(names):
        raise DataError(
            f"its {count} columns have no names, so they must be the {len(names)} inputs in "
            f"order: {first_of(names)}"
        )
    return _inputs_in_order(model)


def _unused(
    path: Path, columns: tuple[str, ...], model: Model, kept: Collection[str]
) -> Iterator[str]:
    """Notes on columns that the prediction does not need and that are not kept."""
    used, targets = {*_inputs(model), *kept}, {*model.encoder.targets, *model.target_names}
    others = [name for name in columns if name not in used]
    for role, names in (
        ("target ", [name for name in others if name in targets]),
        ("", [name for name in others if name not in targets]),
    ):
        if names:
            yield f"{path.name}: ignored {role}{_listed(names)}"


def _listed(names: list[str]) -> str:
    """column: `a`, or columns: `a`, `b`; of many, the first five."""
    return f"column{'s' * (len(names) > 1)}: {listed_names(names)}"


# Arrays.


def _array(path: Path, model: Model, dialect: Dialect) -> tuple[Array, tuple[str, ...]]:
    return load_inputs(path, _inputs(model), model.inputs_array, dialect.layout)


def _array_blocks(
    array: Array, names: tuple[str, ...], rows: int, kept: list[str]
) -> Iterator[tuple[DataFrame, DataFrame]]:
    from pandas import DataFrame, RangeIndex

    for start in range(0, len(array), rows):
        block = np.asarray(array[start : start + rows])
        frame = DataFrame(block, RangeIndex(start, start + len(block)), names)
        texts = {name: _texts(frame[name].to_numpy()) for name in kept}
        yield frame, DataFrame(texts, frame.index)


def _texts(numbers: Array) -> list[str]:
    """The shortest texts that read back to the numbers, in their precision."""
    return [str(number).removesuffix(".0") for number in numbers]
