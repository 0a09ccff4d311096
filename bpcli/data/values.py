"""A column's values as numbers, or as the names of categories."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from bpcli.data.types import Labels, number_text
from bpcli.errors import DataError
from bpcli.nn.arrays import Array, Vector

if TYPE_CHECKING:
    from pandas import Series

Kind: TypeAlias = Literal["number", "boolean", "category"]


def kind_of(values: Series, name: str) -> Kind:
    """Numbers, booleans or categories. Raises `DataError` for a word among mostly numbers."""
    from pandas.api import types

    if types.is_bool_dtype(values.dtype):
        return "boolean"
    if types.is_numeric_dtype(values.dtype):
        return "number"
    _refuse_dates(values, name)
    codes, uniques = factorized(values)
    if len(uniques) and all(isinstance(value, bool) for value in uniques):
        return "boolean"
    is_number = np.array([number_of(value) is not None for value in uniques], bool)
    if is_number.all():
        return "number"
    if 2 * is_number[codes[codes >= 0]].sum() >= (codes >= 0).sum():
        as_numbers(values, name)
    return "category"


MISSING_CODE, UNKNOWN_CODE = -1, -2

_NO_NUMBER = "`{}` is not a number"

_INFINITE = "the value is infinite"


def as_numbers(values: Series, name: str) -> Vector:
    """Numbers, NaN where one is missing. Raises `DataError` with the row of any other value."""
    import pandas as pd
    from pandas.api import types

    if types.is_numeric_dtype(values.dtype) or types.is_bool_dtype(values.dtype):
        numbers: Vector = values.to_numpy(np.float64, na_value=np.nan)
    else:
        _refuse_dates(values, name)
        numbers = pd.to_numeric(values.astype(object), errors="coerce").to_numpy(
            np.float64, na_value=np.nan
        )
        refuse(values, name, np.isnan(numbers) & ~values.isna().to_numpy(), _NO_NUMBER)
    if not np.isfinite(numbers).all():
        refuse(values, name, np.isinf(numbers), _INFINITE)
    return numbers


def word_codes(values: Series, words: Sequence[str]) -> Labels:
    """Where each value stands in `words`: -1 if it is missing, -2 if it is none of them."""
    codes, uniques = factorized(values)
    place = {word: number for number, word in enumerate(words)}
    places = [
        next((place[form] for form in _forms(value) if form in place), UNKNOWN_CODE)
        for value in uniques
    ]
    found: Labels = np.array([*places, MISSING_CODE], np.intp)[codes]
    return found


def _forms(value: Any) -> Iterator[str]:
    """A value as a word, and as the number it may be another way to write: 1.0 for 1."""
    yield word_of(value)
    number = number_of(value)
    if number is not None:
        yield number_text(number)


def word_of(value: Any) -> str:
    """A value of a column as a word."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    number = number_of(value)
    return str(value) if number is None else number_text(number)


def number_of(value: Any) -> float | None:
    if isinstance(value, str) and "_" in value:  # which Python alone reads as a number
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def factorized(values: Series) -> tuple[Labels, list[Any]]:
    import pandas as pd

    try:
        codes, uniques = pd.factorize(values)
    except TypeError:  # lists, which Parquet may hold
        raise DataError(f"column `{values.name}` holds neither numbers nor categories") from None
    return codes, list(uniques)


def counted(values: Series) -> tuple[tuple[str, ...], Labels]:
    """The unique words, sorted (numbers as numbers), and how often each is there."""
    _, uniques = factorized(values)
    words = sorted_words({word_of(value) for value in uniques})
    found = word_codes(values, words)
    return words, np.bincount(found[found >= 0], minlength=len(words))


def sorted_words(words: set[str]) -> tuple[str, ...]:
    """In alphabetical order; in that of their size if all are numbers."""
    numbers = {word: number_of(word) for word in words}
    if all(number is not None for number in numbers.values()):
        return tuple(sorted(words, key=lambda word: (numbers[word], word)))
    return tuple(sorted(words))


def refuse(values: Series, name: str, is_wrong: Array, message: str, more: str = "") -> None:
    """Raises `DataError` for the first such value, which stands at {} in the message."""
    if not is_wrong.any():
        return
    value = quoted(values.iloc[int(np.argmax(is_wrong))])
    hint = "; for decimal commas set `decimal: ','`" * bool(re.fullmatch(r"-?\d+,\d+", value))
    row = row_of(values, is_wrong)
    raise DataError(f"column `{name}`, row {row}: {message.format(value)}{more}{hint}")


def quoted(value: object) -> str:
    """A value as a message quotes it: on one line, and cut where it is long."""
    text = " ".join(str(value).split())
    return text if len(text) <= 40 else text[:37] + "..."


def row_of(values: Series, is_wrong: Array) -> int:
    """The first wrong row as people count: from 1, without the header."""
    return int(values.index[int(np.argmax(is_wrong))]) + 1


def _refuse_dates(values: Series, name: str) -> None:
    if values.dtype.kind in "mMc":
        raise DataError(
            f"column `{name}` holds {values.dtype}: only numbers and categories can be used"
        )
