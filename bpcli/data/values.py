"""A column's values as numbers, or as the names of categories."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from bpcli.data.dates import DateFormat, date_format_of
from bpcli.data.spellings import PLAIN, Spelling
from bpcli.data.types import NEARLY_ALL, Labels, Series, number_text
from bpcli.errors import DataError, see
from bpcli.nn.arrays import Array, Vector

Kind: TypeAlias = Literal["number", "boolean", "category", "date"]


def kind_of(values: Series, name: str, date_format: str | None = None) -> Kind:
    """The kind of a column's values; if a date format is given, only its dates are dates.

    Raises `DataError` for text in a column in which nearly all values are numbers.
    """
    from pandas import CategoricalDtype
    from pandas.api import types

    if values.dtype.kind == "M":
        return "date"
    if isinstance(values.dtype, CategoricalDtype):
        return _kind_of_texts(values, date_format)
    if types.is_bool_dtype(values.dtype):
        return "boolean"
    if types.is_numeric_dtype(values.dtype):  # 20240131 is a date only by `date_format`
        is_date = bool(date_format) and dates_of(values, date_format) is not None
        return "date" if is_date else "number"
    _refuse_times(values, name)
    codes, uniques = factorized(values)
    if len(uniques) and all(isinstance(value, bool) for value in uniques):
        return "boolean"
    is_number = np.array([number_of(value) is not None for value in uniques], bool)
    if is_number.all():
        return "number"
    if are_numbers(is_number, np.bincount(codes[codes >= 0], minlength=len(uniques))):
        as_numbers(values, name)
    return _kind_of_texts(values, date_format)


def _kind_of_texts(values: Series, date_format: str | None) -> Kind:
    return "category" if dates_of(values, date_format) is None else "date"


def dates_of(values: Series, date_format: str | None = None) -> DateFormat | None:
    """The format of dates in a column of text; None if it has no dates, or a type for them."""
    if values.dtype.kind == "M":
        return None
    known = values.dropna()
    if date_format_of(list(map(text_of, known.iloc[:_FEW])), date_format) is None:
        return None  # early, because most columns hold no dates
    return date_format_of(list(map(text_of, known.unique())), date_format)


def are_numbers(is_number: Array, rows: Array) -> bool:
    """Whether a column holds numbers, some of them mistyped, given row counts of unique values.

    It does if nearly all values are numbers. If only most are, it contains categories such as
    `2, 4, more` if a text is repeated and the unique numbers are few, and numbers otherwise.
    """
    numbers, texts = rows[is_number].sum(), rows[~is_number]
    if numbers >= NEARLY_ALL * rows.sum():
        return True
    is_mixed = texts.max(initial=0) > 1 and is_number.sum() <= _FEW_NUMBERS
    return bool(2 * numbers >= rows.sum() and not is_mixed)


_BOOLEANS = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}
"""Texts that are booleans, in any case."""

_NO_BOOLEAN = "`{}` is neither true nor false: expected true and false, or 1 and 0"

MISSING_CODE, UNKNOWN_CODE = -1, -2

AMBIGUOUS = (
    "None", "none", "NIL", "nil", "-", "--", "---", ".", "..", "...", "*", "**", "***",
)  # fmt: skip
"""Entries for a missing value that are a category if frequent: Indoor, None; +, -."""

_FEW_NUMBERS = 20

_FEW = 20

_NO_NUMBER = "`{}` is not a number"

_INFINITE = "the value is infinite"

INEXACT = 2**53
"""From here on, different whole numbers can be the same float: such ids are compared as text."""


def as_numbers(values: Series, name: str) -> Vector:
    """Numbers, NaN for missing values. Raises `DataError` with the row of any other value."""
    import pandas as pd
    from pandas.api import types

    if types.is_numeric_dtype(values.dtype) or types.is_bool_dtype(values.dtype):
        numbers: Vector = values.to_numpy(np.float64, na_value=np.nan)
    else:
        _refuse_times(values, name)
        if isinstance(values.dtype, pd.CategoricalDtype):  # a text file's reader found no numbers
            refuse(values, name, values.notna().to_numpy(), _NO_NUMBER)
        numbers = numbers_or_nan(values.astype(object))
        refuse(values, name, np.isnan(numbers) & ~values.isna().to_numpy(), _NO_NUMBER)
    if not np.isfinite(numbers).all():
        refuse(values, name, np.isinf(numbers), _INFINITE)
    return numbers


def numbers_or_nan(values: Series) -> Vector:
    """Numbers, also as text, NaN for all other values.

    pandas says which texts are numbers, and `float` reads them: pandas before 3.1 rounds some.
    """
    import pandas as pd

    read = pd.to_numeric(values, errors="coerce")
    numbers: Vector = read.to_numpy(np.float64, copy=True, na_value=np.nan)
    if values.dtype.kind == "O":
        is_text = np.fromiter((isinstance(value, str) for value in values), bool, len(values))
        texts = is_text & ~np.isnan(numbers)
        numbers[texts] = values.to_numpy(object)[texts].astype(np.float64)
    return numbers


def as_booleans(values: Series, name: str) -> Vector:
    """1 for true and 0 for false, also as text in any case; NaN for missing values.

    Raises `DataError` with the row of any other value.
    """
    codes, uniques = factorized(values)
    numbers = [
        next((_BOOLEANS[form] for form in _forms(value) if form in _BOOLEANS), np.inf)
        for value in uniques
    ]
    of_values: Vector = np.array([*numbers, np.nan])[codes]
    refuse(values, name, np.isinf(of_values), _NO_BOOLEAN)
    return of_values


def category_codes(values: Series, categories: Sequence[str], spelling: Spelling = PLAIN) -> Labels:
    """The index of each value in `categories`; -1 if it is missing, -2 if it is unknown."""
    codes, uniques = factorized(values)
    index = index_of(categories, spelling)
    of_uniques = [_code_of(value, index, spelling) for value in uniques]
    of_values: Labels = np.array([*of_uniques, MISSING_CODE], np.intp)[codes]
    return of_values


def category_named(text: str, categories: Sequence[str], spelling: Spelling = PLAIN) -> str | None:
    """The category that a text names, read like a value of a column; None if there is none."""
    code = _code_of(text, index_of(categories, spelling), spelling)
    return None if code < 0 else categories[code]


def index_of(categories: Sequence[str], spelling: Spelling) -> dict[str, int]:
    """The index of each category by its key; true and false, or 1 and 0, by either name."""
    index = {spelling.key(category): i for i, category in enumerate(categories)}
    known = {_BOOLEANS[name.lower()]: i for name, i in index.items() if name.lower() in _BOOLEANS}
    if len(known) == len(index) == 2:
        return {form: known[value] for form, value in _BOOLEANS.items()} | index
    return {name.lower(): i for name, i in index.items() if name.lower() in _BOOLEANS} | index


def _code_of(value: Any, index: Mapping[str, int], spelling: Spelling) -> int:
    keys = (spelling.key(spelling.renamed(form)) for form in _forms(value))
    unknown = MISSING_CODE if value in AMBIGUOUS else UNKNOWN_CODE
    return next((index[key] for key in keys if key in index), unknown)


def _forms(value: Any) -> Iterator[str]:
    """The texts a value may match: its own, lower case if boolean, its number's (1.0 is 1)."""
    text = text_of(value)
    yield text
    if text.lower() in _BOOLEANS:
        yield text.lower()
    number = number_of(value)
    if number is not None and abs(number) < INEXACT:
        yield number_text(number)


def text_of(value: Any) -> str:
    """A value of a column as text."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | np.integer):  # exactly: a float would change a long id
        return str(int(value))
    number = number_of(value)
    return str(value) if number is None else number_text(number)


def number_of(value: Any) -> float | None:
    """A value as a number; None if it is not one."""
    if isinstance(value, str) and "_" in value:  # only Python reads 1_000 as a number
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def factorized(values: Series) -> tuple[Labels, list[Any]]:
    """The index of each value among the unique ones, -1 if it is missing; the unique values.

    Raises `DataError` for values such as lists.
    """
    import pandas as pd

    try:
        codes, uniques = pd.factorize(values)
    except TypeError:  # lists, which Parquet may hold
        raise DataError(f"column `{values.name}` contains neither numbers nor categories") from None
    return codes, list(uniques)


def counted(values: Series) -> dict[str, int]:
    """The unique values as sorted texts, with the row count of each."""
    _, uniques = factorized(values)
    texts = sorted_texts({text_of(value) for value in uniques})
    codes = category_codes(values, texts)
    rows = np.bincount(codes[codes >= 0], minlength=len(texts))
    return dict(zip(texts, rows.tolist(), strict=True))


def counted_in(pieces: Iterable[Series]) -> Counter[str]:
    """The row count of each text in all pieces of a column."""
    return sum((Counter(counted(values)) for values in pieces), Counter())


def in_one_spelling(values: Series) -> Series:
    """The texts of a column, each category in the one spelling that `casefold` keeps."""
    import pandas as pd

    spelling = Spelling(casefold=True)
    shown = list(spelling.merged(counted(values)))
    codes = category_codes(values, shown, spelling)
    texts = np.array([*shown, None], object)[codes]
    return pd.Series(texts, values.index, name=values.name).astype("category")


def sorted_texts(texts: set[str]) -> tuple[str, ...]:
    """Sort alphabetically, or by value if all texts are numbers."""
    numbers = {text: number_of(text) for text in texts}
    if all(number is not None for number in numbers.values()):
        return tuple(sorted(texts, key=lambda text: (numbers[text], text)))
    return tuple(sorted(texts))


def refuse(values: Series, name: str, is_wrong: Array, message: str, more: str = "") -> None:
    """Raises `DataError` for the first wrong value, which replaces {} in the message."""
    if not is_wrong.any():
        return
    value = quoted(values.iloc[int(np.argmax(is_wrong))])
    file, row = row_of(values, is_wrong)
    hint = _hint(value, row) if message == _NO_NUMBER else ""
    message = f"column `{name}`, row {row}: {message.format(value)}{more}{hint}"
    raise DataError(message, file=file)


def _hint(value: str, row: int) -> str:
    """The options that may help if a text is not a number."""
    if _SIGNED.match(value):
        return see("decimal", "thousands")
    return see("missing", "header", "skip") if row == 1 else see("missing")


_SIGNED = re.compile(r"[^\w]?\d+[ .,'’]\d[\d ,.'’]*(?: \(|$)")
"""A number that may have a decimal or thousands sign."""


def refuse_control_characters(
    names: Sequence[str], what: str, key: str | None = None, hint: str = ""
) -> None:
    """Raises `DataError` for the first name that cannot be printed."""
    unprintable = next((name for name in names if not name.isprintable()), None)
    if unprintable is not None:
        raise DataError(f"{what} {unprintable!r} has control characters{hint}", key)


def quoted(value: object) -> str:
    """A value as quoted in a message: on one line, and shortened."""
    text = " ".join(str(value).split())
    return text if len(text) <= 40 else text[:37] + "..."


def row_of(values: Series, is_wrong: Array) -> tuple[str | None, int]:
    """The file of the first wrong row, if the index names files, and its number in that file.

    Rows are counted from 1 without the header.
    """
    label = values.index[int(np.argmax(is_wrong))]
    file, row = label if isinstance(label, tuple) else (None, label)
    return file, int(row) + 1


def _refuse_times(values: Series, name: str) -> None:
    if values.dtype.kind in "mMc":
        raise DataError(
            f"column `{name}` has type {values.dtype}: only numbers, categories and dates can "
            "be used"
        )
