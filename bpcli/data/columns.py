"""Columns of a table in a file as numbers: what each is, how gaps are filled, words one-hot.

Everything is fitted on training rows, kept as plain values, and saved beside the weights, so that
other rows are encoded as those of the training were.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from bpcli.data.types import Labels, number_text
from bpcli.errors import DataError
from bpcli.nn.arrays import Array, Vector

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Kind: TypeAlias = Literal["number", "boolean", "category"]
FillRule: TypeAlias = Literal["mean", "median", "most_frequent"]
Selector: TypeAlias = str | int

MOST_CATEGORIES = 50
"""More different words than this in a column are names or texts, not categories."""


MOST_CLASSES = 1000
"""More different targets than this are no classes to learn."""


@dataclass(frozen=True)
class InputColumn:
    """A column of the file and how it becomes one or several inputs.

    A category is one-hot: an input each, all zero for one that the training rows did not have.
    `fill` stands in for missing values; `indicator` adds an input that is 1 where one is missing.
    """

    name: str
    kind: Kind = "number"
    categories: tuple[str, ...] = ()
    fill: float | str | None = None
    indicator: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its inputs."""
        own = tuple(f"{self.name}={category}" for category in self.categories)
        if self.kind != "category":
            own = (self.name,)
        return (*own, f"{self.name} missing") if self.indicator else own

    def encode(self, values: Series, out: Array) -> None:
        """Write its inputs (n, len(names)). Raises `DataError` naming column and row."""
        write = self._categories if self.kind == "category" else self._numbers
        is_missing = write(values, out)
        if is_missing.any() and self.fill is None:
            raise DataError(
                f"column `{self.name}`, row {_row(values, is_missing)}: the value is missing; set "
                "`fill`, or leave the column out"
            )
        if self.indicator:
            out[:, -1] = is_missing

    def _numbers(self, values: Series, out: Array) -> Array:
        numbers = as_numbers(values, self.name)
        if self.kind == "boolean":
            _refuse(values, self.name, ~np.isin(numbers, (0, 1)) & ~np.isnan(numbers), _NO_BOOLEAN)
        is_missing: Array = np.isnan(numbers)
        if self.fill is not None:
            numbers = np.where(is_missing, self.fill, numbers)
        out[:, 0] = numbers
        return is_missing

    def _categories(self, values: Series, out: Array) -> Array:
        codes = word_codes(values, self.categories)
        is_missing: Array = codes == _MISSING
        if isinstance(self.fill, str):
            codes[is_missing] = self.categories.index(self.fill)
        out[:, : len(self.categories)] = codes[:, np.newaxis] == np.arange(len(self.categories))
        return is_missing


@dataclass(frozen=True)
class FeatureEncoder:
    """What turns the rows of a file into inputs and targets.

    Targets are values where there are no `class_names`. `file_columns` are all the columns that the
    file has, by which one without a header can be told to be of the same kind.
    """

    inputs: tuple[InputColumn, ...]
    targets: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    file_columns: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs, in order."""
        return tuple(name for column in self.inputs for name in column.names)

    @property
    def text(self) -> tuple[str, ...]:
        """The columns that must be read as text (`FileFormat.text`), to be told apart as words."""
        words = [column.name for column in self.inputs if column.kind == "category"]
        return (*words, *(self.targets if self.class_names else ()))

    def encode(self, frame: DataFrame) -> Array:
        """The inputs (n, len(names)) of rows, whatever the order of the frame's columns.

        Raises `DataError` where a column lacks, and naming column and row where a value does not
        fit: missing without a fill, infinite, or a word in a column of numbers.
        """
        require(frame.columns, [column.name for column in self.inputs])
        X, end = np.empty((len(frame), len(self.names))), 0
        for column in self.inputs:
            start, end = end, end + len(column.names)
            column.encode(frame[column.name], X[:, start:end])
        return X

    def values(self, frame: DataFrame) -> Array:
        """Numeric targets (n, k). Raises `DataError` as `encode` does."""
        return target_values(frame, self.targets)

    def labels(self, frame: DataFrame) -> Labels:
        """Classes (n,). Raises `DataError` where one is missing or unknown."""
        require(frame.columns, self.targets)
        if len(self.targets) > 1:  # they are one-hot
            winners: Labels = self.values(frame).argmax(axis=1)
            return winners
        return target_labels(frame[self.targets[0]], self.targets[0], self.class_names)

    def to_json(self) -> dict[str, Any]:
        """Plain values that JSON keeps."""
        return {
            "inputs": [asdict(column) for column in self.inputs],
            "targets": list(self.targets),
            "class_names": list(self.class_names),
            "file_columns": list(self.file_columns),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> FeatureEncoder:
        """The inverse of `to_json`."""
        columns = [
            InputColumn(**{**column, "categories": tuple(column["categories"])})
            for column in saved["inputs"]
        ]
        names = (tuple(saved[key]) for key in ("targets", "class_names", "file_columns"))
        return cls(tuple(columns), *names)


# Fitting.


@dataclass(frozen=True)
class ColumnRules:
    """How columns are to be read: selectors are names, numbers from 1, or patterns.

    `fill` is a rule for all columns or one by column; a category and a boolean take the most
    frequent value whatever the rule. `indicator` is for the columns named, or where it is true for
    those in which a training row lacks a value. `categories` are columns of words even where they
    look like numbers.
    """

    fill: FillRule | Mapping[str, FillRule] | None = None
    indicator: bool | tuple[Selector, ...] = False
    categories: tuple[Selector, ...] = ()

    def fit(self, frame: DataFrame, training: Labels, names: Sequence[str]) -> list[InputColumn]:
        """Each column as its training rows have it.

        Raises `DataError` naming the column that cannot be read, or an input that two would make.
        """
        columns = list(map(str, frame.columns))
        words = set(select(columns, self.categories, "categories"))
        flagged = self._flagged(frame, training)
        rules = self._rules(columns)
        fitted = [
            fitted_column(
                name, frame[name], training, rules.get(name), name in flagged, name in words
            )
            for name in names
        ]
        _refuse_equal_names(fitted)
        return fitted

    def _flagged(self, frame: DataFrame, training: Labels) -> set[str]:
        """The columns with an indicator: those named, or those where a value is missing."""
        if not isinstance(self.indicator, bool):
            return set(select(list(map(str, frame.columns)), self.indicator, "indicator"))
        if not self.indicator:
            return set()
        return {str(name) for name in frame if frame[name].iloc[training].isna().any()}

    def _rules(self, columns: Sequence[str]) -> dict[str, FillRule]:
        """The rule of each column; the first that names it, exact names before patterns."""
        if self.fill is None or isinstance(self.fill, str):
            return {} if self.fill is None else dict.fromkeys(columns, self.fill)
        rules: dict[str, FillRule] = {}
        for selector, rule in sorted(self.fill.items(), key=lambda item: item[0] not in columns):
            for name in select(columns, (selector,), "fill"):
                rules.setdefault(name, rule)
        return rules


def _refuse_equal_names(columns: Sequence[InputColumn]) -> None:
    """Raises `DataError` where a word of one column makes an input that another column has too."""
    maker: dict[str, str] = {}
    for column in columns:
        for name in column.names:
            if name in maker:
                raise DataError(
                    f"the columns `{maker[name]}` and `{column.name}` both make an input "
                    f"`{quoted(name)}`: rename one of them, or leave it out by `inputs`",
                    "inputs",
                )
            maker[name] = column.name


def fitted_column(
    name: str,
    values: Series,
    training: Labels,
    rule: FillRule | None,
    indicator: bool,
    is_category: bool,
) -> InputColumn:
    """What a column is by all its values, its fill and categories by those of the training rows.

    Raises `DataError` where it is neither numbers nor categories, or the training rows have none.
    """
    kind = "category" if is_category else kind_of(values, name)
    if kind != "category" and rule is None:
        return InputColumn(name, kind, (), None, indicator)
    seen = values.iloc[training]
    if rule is not None and len(training) and seen.isna().all():
        raise DataError(f"column `{name}` has no value in the training rows to fill gaps with")
    if kind == "category":
        categories, counts = _counted(seen)
        if len(categories) > MOST_CATEGORIES and not is_category:
            raise DataError(
                f"column `{name}` has {len(categories)} different words, more than the "
                f'{MOST_CATEGORIES} categories allowed: leave it out by `inputs: ["!{name}"]`, or '
                "name it under `categories`"
            )
        fill = categories[int(np.argmax(counts))] if rule and categories else None
        return InputColumn(name, kind, categories, fill, indicator)
    numbers = as_numbers(seen, name)
    known = numbers[~np.isnan(numbers)]
    number = _fill("most_frequent" if kind == "boolean" else rule, known)
    return InputColumn(name, kind, (), number, indicator)


def _fill(rule: FillRule | None, known: Vector) -> float:
    if rule == "most_frequent":
        values, counts = np.unique(known, return_counts=True)
        return float(values[counts.argmax()])
    return float(np.mean(known) if rule == "mean" else np.median(known))


def kind_of(values: Series, name: str) -> Kind:
    """Numbers, booleans or categories. Raises `DataError` for a word among mostly numbers."""
    from pandas.api import types

    if types.is_bool_dtype(values.dtype):
        return "boolean"
    if types.is_numeric_dtype(values.dtype):
        return "number"
    _refuse_dates(values, name)
    codes, uniques = _factorized(values)
    if len(uniques) and all(isinstance(value, bool) for value in uniques):
        return "boolean"
    is_number = np.array([_number(value) is not None for value in uniques], bool)
    if is_number.all():
        return "number"
    if 2 * is_number[codes[codes >= 0]].sum() >= (codes >= 0).sum():
        as_numbers(values, name)
    return "category"


# Values.


_MISSING, _UNKNOWN = -1, -2
_NO_NUMBER = "`{}` is not a number"
_INFINITE = "the value is infinite"
_NO_BOOLEAN = "`{}` is neither true nor false"


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
        _refuse(values, name, np.isnan(numbers) & ~values.isna().to_numpy(), _NO_NUMBER)
    if not np.isfinite(numbers).all():
        _refuse(values, name, np.isinf(numbers), _INFINITE)
    return numbers


def word_codes(values: Series, words: Sequence[str]) -> Labels:
    """Where each value stands in `words`: -1 if it is missing, -2 if it is none of them."""
    codes, uniques = _factorized(values)
    place = {word: number for number, word in enumerate(words)}
    places = [
        next((place[form] for form in _forms(value) if form in place), _UNKNOWN)
        for value in uniques
    ]
    found: Labels = np.array([*places, _MISSING], np.intp)[codes]
    return found


def _forms(value: Any) -> Iterator[str]:
    """A value as a word, and as the number it may be another way to write: 1.0 for 1."""
    yield word_of(value)
    number = _number(value)
    if number is not None:
        yield number_text(number)


def word_of(value: Any) -> str:
    """A value of a column as a word."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    number = _number(value)
    return str(value) if number is None else number_text(number)


def _number(value: Any) -> float | None:
    if isinstance(value, str) and "_" in value:  # which Python alone reads as a number
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _factorized(values: Series) -> tuple[Labels, list[Any]]:
    import pandas as pd

    try:
        codes, uniques = pd.factorize(values)
    except TypeError:  # lists, which Parquet may hold
        raise DataError(f"column `{values.name}` holds neither numbers nor words") from None
    return codes, list(uniques)


def _counted(values: Series) -> tuple[tuple[str, ...], Labels]:
    """The different words, sorted (numbers as numbers), and how often each is there."""
    _, uniques = _factorized(values)
    words = sorted_words({word_of(value) for value in uniques})
    found = word_codes(values, words)
    return words, np.bincount(found[found >= 0], minlength=len(words))


def sorted_words(words: set[str]) -> tuple[str, ...]:
    """In alphabetical order; in that of their size if all are numbers."""
    numbers = {word: _number(word) for word in words}
    if all(number is not None for number in numbers.values()):
        return tuple(sorted(words, key=lambda word: (numbers[word], word)))
    return tuple(sorted(words))


def _refuse(values: Series, name: str, is_odd: Array, message: str, more: str = "") -> None:
    """Raises `DataError` for the first odd value, which stands at {} in the message."""
    if not is_odd.any():
        return
    value = quoted(values.iloc[int(np.argmax(is_odd))])
    hint = "; for decimal commas set `decimal: ','`" * bool(re.fullmatch(r"-?\d+,\d+", value))
    row = _row(values, is_odd)
    raise DataError(f"column `{name}`, row {row}: {message.format(value)}{more}{hint}")


def quoted(value: object) -> str:
    """A value as a message quotes it: on one line, and cut where it is long."""
    text = " ".join(str(value).split())
    return text if len(text) <= 40 else text[:37] + "..."


def _row(values: Series, is_odd: Array) -> int:
    """The first odd row as people count: from 1, without the header."""
    return int(values.index[int(np.argmax(is_odd))]) + 1


def _refuse_dates(values: Series, name: str) -> None:
    if values.dtype.kind in "mMc":
        raise DataError(f"column `{name}` holds {values.dtype}: only numbers and words can be used")


# Targets.


def target_values(frame: DataFrame, names: Sequence[str]) -> Array:
    """Numeric targets (n, k). Raises `DataError` naming column and row where one is none."""
    require(frame.columns, names)
    columns = []
    for name in names:
        numbers = as_numbers(frame[name], name)
        _refuse(frame[name], name, np.isnan(numbers), _NO_TARGET)
        columns.append(numbers)
    return np.column_stack(columns)


def weights_of(frame: DataFrame, name: str) -> Vector:
    """How much each row counts (n,). Raises `DataError` naming the row of what is not above 0."""
    require(frame.columns, [name])
    numbers = as_numbers(frame[name], name)
    _refuse(frame[name], name, ~(numbers > 0), "a weight is a number greater than 0, not `{}`")
    return numbers


def target_labels(values: Series, name: str, class_names: Sequence[str]) -> Labels:
    """Classes (n,). Raises `DataError` naming the row where one is missing or unknown."""
    codes = word_codes(values, class_names)
    _refuse(values, name, codes == _MISSING, _NO_TARGET)
    known = ", ".join(class_names[:10])
    _refuse(values, name, codes == _UNKNOWN, "`{}` is none of the classes ", known)
    return codes


def class_names_of(pieces: Sequence[Series], name: str) -> tuple[str, ...]:
    """The classes of a column in all files. Raises `DataError` where one could not be printed."""
    words = {word_of(value) for values in pieces for value in _factorized(values)[1]}
    names = sorted_words(words)
    if len(names) > MOST_CLASSES:
        raise DataError(
            f"column `{name}` has {len(names)} different values, more than the {MOST_CLASSES} "
            "classes allowed: is it the target?",
            "targets",
        )
    odd = [name for name in names if not name.isprintable()]
    if odd:
        raise DataError(f"column `{name}`: the class name {odd[0]!r} has control characters")
    return names


_NO_TARGET = "the target is missing: leave such rows out of the file"


# Choosing columns.


def select(columns: Sequence[str], selectors: Sequence[Selector], key: str) -> list[str]:
    """The columns chosen by name, number from 1, or pattern (`x*`); `!` before one leaves it out.

    Each once, in the order of the selectors. Raises `DataError` where one chooses nothing.
    """
    is_out = [isinstance(selector, str) and selector.startswith("!") for selector in selectors]
    chosen: dict[str, None] = dict.fromkeys(columns) if is_out and all(is_out) else {}
    for selector, out in zip(selectors, is_out, strict=True):
        names = _matching(columns, str(selector)[1:] if out else selector, key)
        for name in names:
            if out:
                chosen.pop(name, None)
            else:
                chosen[name] = None
    return list(chosen)


def _matching(columns: Sequence[str], selector: Selector, key: str) -> list[str]:
    if isinstance(selector, int):
        if not 1 <= selector <= len(columns):
            raise DataError(f"there is no column {selector}: they are 1 to {len(columns)}", key)
        return [columns[selector - 1]]
    if selector in columns:
        return [selector]
    found = [name for name in columns if fnmatch.fnmatchcase(name, selector)]
    if not found:
        raise DataError(f"there is no column `{selector}`{_near(columns, selector)}", key)
    return found


def require(columns: Sequence[str], names: Sequence[str]) -> None:
    """Raises `DataError` naming the first column that lacks."""
    known = list(map(str, columns))
    lacking = next((name for name in names if name not in set(known)), None)
    if lacking is not None:
        raise DataError(f"there is no column `{lacking}`{_near(known, lacking)}")


def _near(columns: Sequence[str], name: str) -> str:
    close = difflib.get_close_matches(name, columns, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{close[0]}`?"
    more = ", …" if len(columns) > 10 else ""
    return f"; the columns are {', '.join(columns[:10])}{more}"
