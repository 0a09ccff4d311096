"""Random tables in random dialects: read as they were written, or told."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from random_tables import Drawn, drawn

from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Dialect
from bpcli.data.types import DataFrame
from bpcli.data.values import as_numbers, kind_of, text_of
from bpcli.errors import DataError

TABLES, CHUNKS = (20_000, 4) if os.environ.get("BPNET_FULL") else (300, 1)
SEED = 5

TELLING = {
    "names": ("its numbers are in order", "a row name", "no name for", "no separator was found",
              "may separate columns", "if that is wrong, set `encoding`"),
    "rows": ("its numbers are in order", "has units", "may separate columns",
             "are read as plain text"),
    "numbers": ("commas in numbers", "separates thousands", "is read as a"),
    "words": ("if that is wrong, set `encoding`", "read as a category", "are read as plain text"),
    "kind": ("is read as categories", "read as a category", "contains codes",
             "if that is wrong, set `encoding`"),
}  # fmt: skip
"""What the notes say that tell of a difference."""


def differences(table: Drawn, frame: DataFrame) -> Iterator[tuple[str, str]]:
    """What was read otherwise than it was written."""
    kinds = {name: kind_of(frame[name], name) for name in frame}
    if list(frame) != table.names:
        yield "names", f"{list(frame)} for {table.names}"
        return
    if len(frame) != len(table.columns[0].values):
        yield "rows", f"{len(frame)} for {len(table.columns[0].values)}"
        return
    for name, column in zip(table.names, table.columns, strict=True):
        values = frame[name]
        kind = kinds[name]
        if kind != column.kind:
            yield "kind", f"{name}: {kind} for {column.kind}"
        elif kind == "number":
            wanted = np.array([np.nan if v is None else v for v in column.values], float)
            found = as_numbers(values, name)
            wrong = ~((found == wanted) | (np.isnan(found) & np.isnan(wanted)))
            if wrong.any():
                yield "numbers", f"{name}: {found[wrong][0]!r} for {wanted[wrong][0]!r}"
        else:
            missing = values.isna()
            texts = [None if gap else text_of(v) for gap, v in zip(missing, values, strict=True)]
            wrong_words = [
                pair for pair in zip(texts, column.values, strict=True) if len({*pair}) > 1
            ]
            if wrong_words:
                yield "words", f"{name}: {wrong_words[0][0]!r} for {wrong_words[0][1]!r}"


def outcome(table: Drawn, path: Path) -> str:
    """equal, refused, flagged, or what is wrong without a word."""
    path.write_bytes(table.content)
    try:
        frame, notes = read(layout_of(path, Dialect(header=None)))
        found = list(differences(table, frame))
    except DataError as error:
        return f"refused: {error}"
    if not found:
        return "equal"
    said = "\n".join(notes)
    is_told = all(any(words in said for words in TELLING[what]) for what, _ in found)
    return f"{'flagged' if is_told else 'wrong'}: {found} {notes}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_tables_are_read_as_they_were_written(chunk: int, tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for number in range(chunk, TABLES, CHUNKS):
        table = drawn(SEED, number)
        found = outcome(table, tmp_path / "t.csv")
        result = found.partition(":")[0]
        counts[result] += 1
        assert result != "wrong", (number, found, table.content.decode("utf-8", "replace"))
    print(dict(counts))
    assert counts["equal"] >= 0.99 * sum(counts.values())
