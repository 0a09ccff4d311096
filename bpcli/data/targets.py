"""Columns of targets (numbers or classes) and of row weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from bpcli.data.labels import label_words
from bpcli.data.selection import require
from bpcli.data.spellings import PLAIN, PLAIN_ALL, Spelling, Spellings, variant_of
from bpcli.data.types import DataFrame, Labels, Series, Words
from bpcli.data.values import (
    MISSING_CODE,
    UNKNOWN_CODE,
    as_numbers,
    category_codes,
    counted,
    quoted,
    refuse,
    refuse_control_characters,
    sorted_texts,
    text_of,
)
from bpcli.errors import DataError
from bpcli.nn.arrays import Array, Vector
from bpcli.text import first_of, nearest

MOST_CLASSES = 1000
"""A target with more unique values than this does not hold classes."""

_NO_TARGET = "the target is missing: fill it in, or remove the row"

_NO_WEIGHT = "`{}` is not a weight: expected a number greater than 0"

_MOST_ROWS_NAMED = 5


def rows_with_targets(frame: DataFrame, names: Sequence[str]) -> tuple[DataFrame, tuple[str, ...]]:
    """The rows with a value of every target, and a note on the others, if there are any.

    Raises `DataError` if there is no row left.
    """
    require(frame.columns, names)
    is_missing = frame[list(names)].isna().any(axis=1).to_numpy()
    if not is_missing.any():
        return frame, ()
    numbers = (frame.index[is_missing] + 1).tolist()
    if len(numbers) == len(frame):
        what = f"`{names[0]}`" if len(names) == 1 else "every target"
        raise DataError(f"no row has a value of {what}: choose other `targets`", "targets")
    what = f"`{names[0]}`" if len(names) == 1 else "a target"
    rows = first_of([*map(str, numbers)], _MOST_ROWS_NAMED)
    which = f"{len(numbers):,} rows have" if len(numbers) > 1 else "1 row has"
    return frame[~is_missing], (f"{which} no value of {what} and cannot be used: {rows}",)


def target_values(frame: DataFrame, names: Sequence[str]) -> Array:
    """Numeric targets (n, k). Raises `DataError` with column and row of any other value."""
    require(frame.columns, names)
    columns = []
    for name in names:
        numbers = as_numbers(frame[name], name)
        refuse(frame[name], name, np.isnan(numbers), _NO_TARGET)
        columns.append(numbers)
    return np.column_stack(columns)


def words_of_labels(
    frames: Sequence[DataFrame], names: Sequence[str], spellings: Spellings = PLAIN_ALL
) -> tuple[Words, ...]:
    """The two texts of each label column, over all files. Raises `DataError` for other counts."""
    classes = {name: [classes_in(frame[name], name) for frame in frames] for name in names}
    return tuple(
        label_words(sorted_classes(rows, name, spellings.get(name, PLAIN)), name)
        for name, rows in classes.items()
    )


def label_values(
    frame: DataFrame,
    names: Sequence[str],
    words: Sequence[Words],
    spellings: Spellings = PLAIN_ALL,
) -> Array:
    """Labels (n, k): 1 where a row has one, else 0.

    Raises `DataError` with the row of a value that is neither of a label's two texts.
    """
    require(frame.columns, names)
    columns = [
        target_labels(frame[name], name, pair, spellings.get(name, PLAIN))
        for name, pair in zip(names, words, strict=True)
    ]
    return np.column_stack(columns).astype(np.float64)


def weights_of(frame: DataFrame, name: str) -> Vector:
    """The weight of each row (n,). Raises `DataError` with the row of a value not above 0."""
    require(frame.columns, [name])
    numbers = as_numbers(frame[name], name)
    refuse(frame[name], name, ~(numbers > 0), _NO_WEIGHT)
    return numbers


def target_labels(
    values: Series, name: str, class_names: Sequence[str], spelling: Spelling = PLAIN
) -> Labels:
    """Classes (n,). Raises `DataError` with the row of a missing or unknown class."""
    codes = category_codes(values, class_names, spelling)
    refuse(values, name, codes == MISSING_CODE, _NO_TARGET)
    is_unknown = codes == UNKNOWN_CODE
    if is_unknown.any():
        near = _near(text_of(values[is_unknown].iloc[0]), class_names)
        known = first_of(class_names) + near
        refuse(values, name, is_unknown, "`{}` is not one of the classes ", known)
    return codes


def _near(text: str, class_names: Sequence[str]) -> str:
    """The class whose spelling is nearest, and the key that merges the spellings."""
    near = nearest(text, class_names)
    if near is None:
        return ""
    is_variant = variant_of(text, class_names) is not None
    merges = "; training with `casefold: true` merges the two" * is_variant
    return f"; the nearest is `{quoted(near)}`{merges}"


def classes_in(values: Series, name: str) -> Mapping[str, int]:
    """The rows of each class of a column in one file. Raises `DataError` if one is unprintable."""
    rows = counted(values)
    refuse_unprintable_classes(rows, name)
    return rows


def refuse_unprintable_classes(rows: Mapping[str, int], name: str) -> None:
    """Raises `DataError` if a class of a column has control characters."""
    refuse_control_characters(sorted(rows), f"column `{name}`: the class name")


def sorted_classes(
    rows: Sequence[Mapping[str, int]], name: str, spelling: Spelling = PLAIN
) -> tuple[str, ...]:
    """The classes of a column in all files, in order. Raises `DataError` if they are too many."""
    names = sorted_texts({*spelling.merged(sum(map(Counter, rows), Counter()))})
    if len(names) > MOST_CLASSES:
        raise DataError(
            f"column `{name}` has {len(names)} unique values, more than the {MOST_CLASSES} "
            "classes allowed: choose another column by `targets`, or, if it contains numbers, "
            "set `task: regression`",
            "targets",
        )
    return names
