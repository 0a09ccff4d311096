"""The rows of a file of any size, some at a time, from any place where rows begin."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bpcli.data.conversion.pieces import MOST, SIZE, Piece, Pieces, pieces_of, too_long
from bpcli.data.files.cleaning import Cleaner
from bpcli.data.files.codes import CodeWatch, long_codes
from bpcli.data.files.delimited import NoRows, OpenQuote, cleaner_of, read_piece
from bpcli.data.files.parquet import is_parquet, open_parquet
from bpcli.data.files.row_text import columns_of
from bpcli.data.files.sniff import Layout
from bpcli.data.types import DataFrame
from bpcli.errors import DataError, see
from bpcli.text import plural

_VALUES_OF_A_BATCH = 2**19
"""How many values of a Parquet file are read at once: 4 MB of numbers."""


@dataclass(frozen=True)
class ReadPosition:
    """A place in a file where rows begin: those before it are counted in `row`.

    In a text, `offset` counts its bytes, and `line` its lines. In a Parquet file, `offset` counts
    groups of rows, and `line` the batches of its group. `cleaned` is the state of the cleaner;
    `codes` are the columns of codes found since the reading began, and `known` those that need no
    further search.
    """

    offset: int | None = None
    row: int = 0
    line: int = 0
    cleaned: Mapping[str, Any] | None = None
    codes: tuple[str, ...] = ()
    known: tuple[int, ...] = ()
    is_end: bool = False


@dataclass(frozen=True)
class SomeRows:
    """Rows with their numbers, from 0, as index; and the place of the next ones."""

    frame: DataFrame = field(repr=False)
    after: ReadPosition


def rows_from(
    layout: Layout, position: ReadPosition, texts: Callable[[], Collection[str]]
) -> Iterator[SomeRows]:
    """The rows of a file from a place on; `texts` says which columns to read as text from now on.

    Raises `DataError` with the line if the file is not a table.
    """
    if is_parquet(layout.path):
        return _batches(layout.path, position)
    return _pieces(layout, position, texts)


def _pieces(
    layout: Layout, position: ReadPosition, texts: Callable[[], Collection[str]]
) -> Iterator[SomeRows]:
    watch = CodeWatch(layout.dialect, columns_of(layout.dialect))
    watch.known.update(position.known)
    with pieces_of(layout, position.offset) as pieces:
        while not position.is_end:
            rows = _next_rows(layout, pieces, position, watch, texts())
            position = rows.after
            yield rows


def _next_rows(
    layout: Layout, pieces: Pieces, position: ReadPosition, watch: CodeWatch, texts: Collection[str]
) -> SomeRows:
    """The rows of the next piece, which is made larger until it ends with a row."""
    size = SIZE
    while size <= MOST:
        piece = _decoded(pieces, size, layout)
        if piece is not None:
            try:
                rows = _rows_of(layout, piece, position, watch, texts)
            except OpenQuote:
                if piece.is_last:
                    raise
            else:
                pieces.skip(piece)
                return rows
        size *= 2
    raise too_long(replace(layout, start=layout.start + position.line))


def _decoded(pieces: Pieces, size: int, layout: Layout) -> Piece | None:
    try:
        return pieces.next(size)
    except UnicodeDecodeError as error:
        byte = pieces.offset + error.start
        raise DataError(
            f"byte {byte + 1:,} is not {layout.dialect.encoding}: {error.reason}{see('encoding')}",
            "file",
        ) from None


def _rows_of(
    layout: Layout, piece: Piece, position: ReadPosition, watch: CodeWatch, texts: Collection[str]
) -> SomeRows:
    dialect = layout.dialect
    own = replace(
        layout,
        text=piece.text,
        row=position.row,
        start=layout.start + position.line,
        dialect=replace(dialect, skip_last=dialect.skip_last * piece.is_last),
    )
    cleaner = _cleaner(own, position)
    try:
        frame, rows = read_piece(own, cleaner, watch, texts, is_end=piece.is_last)
    except NoRows:
        if piece.is_last and not position.row:
            raise
        frame, rows = _no_rows(dialect.columns), 0
    _require_last_lines(own, piece, position)
    after = ReadPosition(
        piece.end,
        position.row + rows,
        position.line + piece.text.count("\n"),
        cleaner.state,
        tuple(sorted({*watch.names, *long_codes(frame)})),
        tuple(sorted(watch.known)),
        piece.is_last,
    )
    watch.names.update(after.codes)
    return SomeRows(frame, after)


def _no_rows(columns: tuple[str, ...]) -> DataFrame:
    import pandas as pd

    return pd.DataFrame({name: [] for name in columns})


def _cleaner(layout: Layout, position: ReadPosition) -> Cleaner:
    cleaner = cleaner_of(layout)
    if position.cleaned is not None:
        cleaner.resume(position.cleaned)
    return cleaner


def _require_last_lines(layout: Layout, piece: Piece, position: ReadPosition) -> None:
    """Raises `DataError` if lines to be left out at the end are before the last piece."""
    count = layout.dialect.skip_last
    if count and position.row and sum(map(bool, map(str.strip, piece.text.splitlines()))) < count:
        raise DataError(
            f"`skip_last` is {plural(count, 'line')}, more than the last "
            f"{len(piece.text) >> 20} MB of the file have: remove these lines from the file",
            "skip_last",
        )


def _batches(path: Path, position: ReadPosition) -> Iterator[SomeRows]:
    """The rows of a Parquet file, which are read in groups and batches of these."""
    group, row = position.offset or 0, position.row
    with open_parquet(path) as file:
        rows = max(1, _VALUES_OF_A_BATCH // max(1, len(file.schema_arrow.names)))
        for index in range(group, file.num_row_groups):
            batches = file.iter_batches(batch_size=rows, row_groups=[index])
            for number, batch in enumerate(batches, start=1):
                if index == group and number <= position.line:
                    continue
                frame = _exact_frame(batch)
                frame.index += row
                row += len(frame)
                yield SomeRows(frame, ReadPosition(index, row, number))


def _exact_frame(batch: Any) -> DataFrame:
    """The rows of a batch, in which whole numbers stay such beside missing values."""
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
    return batch.to_pandas(types_mapper=nullable.get)
