"""Cleaning of frames that pandas read from a text file: blank rows, and numbers with signs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bpcli.data.cells import numbers_in
from bpcli.data.files.dialect import Dialect, exchange_of
from bpcli.data.files.grid import holds_rows
from bpcli.data.files.grid import is_number as shows_number
from bpcli.data.types import DataFrame, Labels, Series, number_text
from bpcli.data.values import AMBIGUOUS, are_numbers, dates_of, number_of, quoted
from bpcli.errors import DataError, see
from bpcli.nn.arrays import Array
from bpcli.text import plural

_FREQUENT = 0.15
_SOME = 20
_BOOLEANS = {
    text: word == "true"
    for word in ("true", "false")
    for text in (word, word.title(), word.upper())
}
"""The texts that pandas reads as booleans, if a column has no others."""
_BLANK, REPEATED = "without any value", "equal to the header"


def _no_rows() -> Labels:
    return np.empty(0, np.intp)


class UniqueTexts(NamedTuple):
    """The unique texts of a column, stripped, each with its number of `rows`, of `total` rows.

    `first` are the indices of the texts in the first rows that have one which is no entry for
    missing values.
    """

    texts: list[str]
    rows: Labels
    first: list[int]
    total: int


class Cleaner:
    """Cleans the frames of a file, and counts what it ignores or changes.

    `blank_rows` finds the numbers of the rows that have only separators. `header` are the
    fields of the header, where columns may have been given other names.
    """

    def __init__(
        self,
        dialect: Dialect,
        blank_rows: Callable[[], Labels] = _no_rows,
        header: Sequence[str] = (),
    ) -> None:
        self._dialect = dialect
        self._header = [field.strip() for field in header]
        self._blank_rows = blank_rows
        self._ignored: Counter[str] = Counter()
        self._marked: dict[str, tuple[str, float]] = {}
        self._categories: dict[str, int] = {}
        self._mixed: dict[str, str] = {}
        self._total: str | None = None
        self._summed: str | None = None
        self._left_out_at_end = 0
        self._last_row = -1
        self._blank_at_end = 0
        self._exchange = exchange_of(dialect.separator or ",")

    def __call__(self, frame: DataFrame) -> DataFrame:
        """The frame without blank rows and repeated headers; numbers in text become numbers.

        Columns to be read as text get pandas' type for categories.
        The index keeps the number of each row in the file.
        """
        frame = self.only_rows(frame)
        as_text = frame.columns.intersection(self._dialect.text)
        texts = [name for name in _text_columns(frame) if name not in as_text]
        changed = {name: self._read(name, frame[name]) for name in texts}
        changed |= {name: self._told_text(frame[name]) for name in as_text}
        frame = frame.assign(**changed) if changed else frame
        if len(frame):
            self._summed = _summed_in(frame) if self._total is not None else None
        return frame

    def only_rows(self, frame: DataFrame) -> DataFrame:
        """The frame without blank rows and repeated headers; its values are not cleaned."""
        rows = frame.index
        if self._exchange:
            texts = [name for name in _text_columns(frame) if _is_text(frame[name])]
            frame = frame.assign(**{t: frame[t].str.translate(self._exchange) for t in texts})
        if _may_have_blank_rows(frame):
            frame = self._without(frame, np.isin(frame.index, self._blank_rows()), _BLANK)
        if self._dialect.header:
            names = self._header if len(self._header) == frame.shape[1] else list(frame)
            frame = self._without(frame, _repeats_header(frame, names), REPEATED)
        if len(frame):
            self._total = _total_in(frame)
            self._last_row = frame.index[-1]
        self._blank_at_end = int(rows[-1] - self._last_row) if len(rows) else 0
        return frame

    def _without(self, frame: DataFrame, ignored: Array, reason: str) -> DataFrame:
        count = int(np.count_nonzero(ignored))
        self.ignore(count, reason)
        return frame[~ignored] if count else frame

    def ignore(self, rows: int, reason: str, *, at_end: bool = False) -> None:
        """Count rows that are ignored, for a note."""
        self._ignored[reason] += rows
        self._left_out_at_end += rows * at_end

    def _read(self, name: str, values: Series) -> Series:
        """A column of text, with numbers where nearly all cells show one."""
        import pandas as pd

        codes, uniques = pd.factorize(values)
        if all(isinstance(value, bool) for value in uniques):
            return values
        texts = [str(text).strip() for text in uniques]
        if texts != list(uniques):
            return self._read(name, self._stripped(values, codes, texts))
        rows = np.bincount(codes[codes >= 0], minlength=len(texts))
        read = self._numbers(name, texts, rows)
        if read is None:
            return self._text(name, values, int(rows[self._are_words(texts)].sum()))
        return pd.Series(np.append(read, np.nan)[codes], values.index, name=name)

    def _are_words(self, texts: list[str]) -> Array:
        """Which texts are entries for missing values that are a category if frequent."""
        return np.isin(texts, self._missing_words)

    def _numbers(self, name: str, texts: list[str], rows: Labels) -> Array | None:
        """The numbers or booleans of a column's unique texts, each of which has so many `rows`.

        A text among numbers stays a text, and an entry for a missing value is NaN. None if the
        column holds text.
        """
        known = {*texts} - {*self._missing_words}
        if known and known <= _BOOLEANS.keys():
            return np.array([*map(_BOOLEANS.get, texts)], object)
        self._refuse_swallowed_rows(name, texts)
        dialect = self._dialect
        numbers, marks = numbers_in(texts, dialect.decimal or ".", dialect.thousands or "")
        is_number, is_word = ~np.isnan(numbers), self._are_words(texts)
        mark = _most_frequent(marks, rows * is_number)
        is_alike = is_number & (np.array(marks) == mark)
        if not are_numbers(is_alike[~is_word], rows[~is_word]):
            if are_numbers(is_number[~is_word], rows[~is_word]):
                self._mixed[name] = f"different signs ({', '.join(map(repr, sorted({*marks})))})"
            elif _are_numbers_otherwise(list(known)):
                other = next(
                    text for text, known in zip(texts, is_number, strict=True) if not known
                )
                self._mixed[name] = (
                    f"other decimal or thousands signs than the file, such as `{quoted(other)}`"
                    f"{see('decimal', 'thousands')}"
                )
            return None
        if mark:
            first = int(np.argmax(is_alike))
            self._marked.setdefault(name, (texts[first], float(numbers[first])))
        if (is_alike | is_word).all():
            return numbers
        others = [self._as_refused(text) for text in texts]
        mixed = np.where(is_alike, numbers.astype(object), np.array(others, object))
        mixed[is_word] = np.nan
        return mixed

    def values_of(self, name: str, texts: UniqueTexts) -> tuple[Array, bool]:
        """The values of a column's unique texts, and whether they are categories or dates."""
        import pandas as pd

        unique = pd.Series(texts.texts, dtype=object, name=name)
        if name in self._dialect.text:
            return self._told_text(unique).astype(object).to_numpy(), True
        if (read := self._numbers(name, texts.texts, texts.rows)) is not None:
            return read, False
        is_word = self._are_words(texts.texts)
        words, others = int(texts.rows[is_word].sum()), unique.mask(is_word)
        in_order = pd.concat([others.iloc[texts.first], others])
        is_category = self._is_category(name, in_order, words, texts.total)
        return (unique if is_category else others).to_numpy(), True

    def _stripped(self, values: Series, codes: Labels, texts: list[str]) -> Series:
        """The column with its unique texts stripped: pandas keeps the spaces before separators.

        Without the spaces, some are entries for missing values.
        """
        import pandas as pd

        missing = {"", *self._dialect.missing} - {*AMBIGUOUS}
        cells = [np.nan if text in missing else text for text in texts]
        return pd.Series(np.array([*cells, np.nan], object)[codes], values.index, name=values.name)

    def _told_text(self, values: Series) -> Series:
        """A column to be read as text; among whole numbers, `-` is a missing value."""
        import pandas as pd

        codes, uniques = pd.factorize(values)
        texts = [str(text).strip() for text in uniques]
        if texts != list(uniques):
            values = self._stripped(values, codes, texts)
        words = {*texts} & {*self._missing_words}
        if words and all(map(str.isdecimal, {*texts} - {*self._dialect.missing, ""})):
            values = values.mask(values.isin(words))
        return values.astype("category")

    def _text(self, name: str, values: Series, words: int) -> Series:
        """A column of dates or categories; a frequent entry for missing values is a category."""
        others = values.mask(values.isin(self._missing_words)) if words else values
        is_category = self._is_category(name, others, words, len(values))
        return (values if is_category else others).astype("category")

    def _is_category(self, name: str, others: Series, words: int, total: int) -> bool:
        """Whether entries for missing values are a category: if frequent, and not among dates."""
        if words < _FREQUENT * total or dates_of(others, self._dialect.date_format) is not None:
            return False
        self._categories[name] = words
        return True

    def _as_refused(self, text: str) -> str:
        """A text that is not a number here, changed so that Python does not read it as one."""
        is_number = number_of(text) is not None
        return text + f" (decimal sign {self._dialect.decimal})" * is_number

    def _refuse_swallowed_rows(self, name: str, texts: list[str]) -> None:
        """Raises `DataError` for a cell that holds whole rows: its quote was never closed."""
        dialect = self._dialect
        names = [*dialect.row_names * [""], *dialect.columns, *dialect.is_padded * [""]]
        for text in (text for text in texts if "\n" in text):
            if holds_rows(text, dialect.separator or ",", len(names), names.index(name)):
                raise DataError(
                    f"column `{name}`: the cell `{quoted(text)}` contains whole rows: its quote "
                    f"is never closed{see('quote')}",
                    "file",
                )

    @property
    def state(self) -> dict[str, Any]:
        """What was counted so far, as plain values, for the cleaner of the next piece of a file."""
        return {
            "ignored": {reason: count for reason, count in self._ignored.items() if count},
            "left_out_at_end": self._left_out_at_end,
            "last_row": int(self._last_row),
            "blank_at_end": self._blank_at_end,
            "total": self._total,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on counting from the state of another cleaner."""
        self._ignored = Counter(state["ignored"])
        self._left_out_at_end = state["left_out_at_end"]
        self._last_row, self._blank_at_end = state["last_row"], state["blank_at_end"]
        self._total = state["total"]

    @property
    def _missing_words(self) -> list[str]:
        return [word for word in AMBIGUOUS if word in self._dialect.missing]

    @property
    def notes(self) -> Iterator[str]:
        """What was ignored or changed in all frames so far."""
        for reason, count in self._ignored.items():
            if count:
                yield f"ignored {plural(count, 'row')} {reason}"
        last = self._left_out_at_end + self._blank_at_end + 1
        way_out = f"leave it out by `skip_last: {last}` (--skip-last {last})"
        if self._summed is not None:
            yield (
                f"the last row, {quoted(self._total)}, has the sum of `{self._summed}` and is "
                f"not data: {way_out}"
            )
        elif self._total is not None:
            yield f"the last row begins with {quoted(self._total)}: if it is a total, {way_out}"
        for name, (text, number) in self._marked.items():
            yield f"column `{name}`: {quoted(text)} is read as {number_text(number)}"
        for name, signs in self._mixed.items():
            yield f"column `{name}` is read as categories: its numbers have {signs}"
        for name, rows in self._categories.items():
            yield (
                f"column `{name}`: {rows:,} values are an entry for missing values such as "
                "None, which is so frequent that it is read as a category"
            )


def _are_numbers_otherwise(texts: list[str]) -> bool:
    """Whether a sample of the texts are all numbers, whatever their signs are."""
    return bool(texts) and all(map(shows_number, texts[:: -(-len(texts) // _SOME)]))


def _total_in(frame: DataFrame) -> str | None:
    """The first cell of the last row, if it is a word for a total that no other row has."""
    cell = frame.iloc[-1, 0]
    if frame.shape[1] == 1 or not isinstance(cell, str) or not _TOTAL.match(cell.strip()):
        return None
    return cell.strip() if frame.iloc[:, 0].eq(cell).sum() == 1 else None


def _summed_in(frame: DataFrame) -> str | None:
    """The first numeric column whose last value is the sum of the others; None if none is."""
    for name in frame.select_dtypes("number"):
        *others, last = frame[name].to_numpy(np.float64, na_value=np.nan)
        if last and np.isclose(np.nansum(others), last, rtol=1e-6, atol=0):
            return str(name)
    return None


_TOTAL = re.compile(
    r"(?:(?:grand |sub)?totals?|sums?|summen?|(?:ins)?gesamt|somme|suma"
    r"|итого|всего|сумма)\b|合计|合計|总计|總計|总和|小计|計$|합계|총계",
    re.IGNORECASE,
)


def _most_frequent(marks: list[str], rows: Array) -> str:
    """The mark that most numbers have."""
    counts: Counter[str] = Counter()
    for mark, count in zip(marks, rows.tolist(), strict=True):
        counts[mark] += count
    return counts.most_common(1)[0][0] if counts else ""


def _may_have_blank_rows(frame: DataFrame) -> bool:
    """Whether a row has no value; in a single column, that is a missing value."""
    is_missing = frame.iloc[:, 0].isna()
    if frame.shape[1] == 1 or not is_missing.any():
        return False
    return bool(frame[is_missing].isna().all(axis=1).any())


def _repeats_header(frame: DataFrame, names: Sequence[str]) -> Array:
    if len(_text_columns(frame)) < frame.shape[1]:  # a repeated header makes all columns text
        return np.zeros(len(frame), bool)
    if not all(_is_text(column) for _, column in frame.items()):
        return np.zeros(len(frame), bool)
    begins = np.flatnonzero(frame.iloc[:, 0].str.strip().eq(names[0]))
    cells = frame.iloc[begins].apply(lambda column: column.str.strip())
    is_equal = (cells == list(names)).all(axis=1).to_numpy(bool)
    return np.isin(np.arange(len(frame)), begins[is_equal])


def _is_text(column: Series) -> bool:
    """Whether a column that is not numeric holds text, not booleans; true if it is empty."""
    index = column.first_valid_index()
    return index is None or isinstance(column.loc[index], str)


def _text_columns(frame: DataFrame) -> list[str]:
    """The columns of text; pandas calls their type object or, from version 3 on, str."""
    from pandas import CategoricalDtype

    return [
        name
        for name, dtype in zip(frame.columns, frame.dtypes, strict=True)
        if dtype.kind == "O" and not isinstance(dtype, CategoricalDtype)
    ]
