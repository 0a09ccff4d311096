"""The formulas of a workbook that turn what a user types into inputs of the network.

For each column of the table, the sheet `network` has a code: 0 for a value, 1 for a missing value
that is filled, 2 for an unknown category, 3 for a value that cannot be used. Texts from the run
stand in cells of the sheet `columns`, to which formulas refer, and never in a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpcli.data.columns import InputColumn
from bpcli.data.date_formats import CalendarPart, is_clock
from bpcli.data.values import INEXACT, number_of
from bpcli.export.known_texts import fill_index, listed_texts
from bpcli.export.verify import with_days
from bpcli.export.xlsx_pages import (
    CLOCK,
    CODE,
    DATE,
    GROUP,
    INPUT,
    NOTE,
    ROW,
    TITLE,
    Pages,
    cells,
    put_labels,
    width_of,
)
from bpcli.workbook.book import Formula, Sheet
from bpcli.workbook.cells import Cell
from bpcli.workbook.styles import Style

Write = Callable[[int], str]
"""The formula in a row."""

SERIAL_OF_1970 = 25569
"""1970-01-01 as Excel's number of days."""

_MISSING = -1
"""The number of the category of a missing value; unknown texts have 0, and the first category 1."""

_TOP = 3
"""The first row below the headings of the sheet `columns`."""


@dataclass(frozen=True)
class _Entry:
    """A column of the table, and where it is on the sheets."""

    column: InputColumn
    predict: Sheet
    typed_in: int
    code_in: int
    category_in: int
    """The column of `network` with the number of the category, if it is a category."""
    first_input: int
    fill: str
    """The cell of the value that replaces missing ones."""

    def x(self, row: int) -> str:
        """The cell into which the user types."""
        return self.predict.at(row, self.typed_in)

    def is_missing(self, row: int) -> str:
        return f"{cells(row, self.code_in, 1)}=1"

    def category(self, row: int) -> str:
        return cells(row, self.category_in, 1)


def write_columns(pages: Pages, columns: Sequence[InputColumn]) -> int:
    """Add the columns of `network` from the codes to the inputs; return that of the first input."""
    pages.network.sheet.put(0, 0, "All numbers between the inputs and the outputs", TITLE)
    pages.network.sheet.heights[0] = 26
    for row, text in enumerate(_LEGEND, start=1):
        pages.network.sheet.put(row, 0, text, NOTE)
    entries = list(_entries(pages, columns))
    _describe(pages.columns, columns)
    table, count = pages.network, len(columns)

    def entries_of(row: int) -> str:
        return f"COUNTA({pages.predict.sheet.name}!{cells(row, 1, count)})"

    def complete(row: int, _: int) -> Formula:
        return Formula(f"AND({entries_of(row)}>0,COUNTIF({cells(row, 1, count)},3)=0)")

    def checked(writers: Sequence[Write]) -> Callable[[int, int], Formula]:
        return lambda row, index: Formula(f'IF({entries_of(row)}=0,"",{writers[index](row)})')

    table.add("row", ["complete"], complete, CODE)
    codes = [_code(entry) for entry in entries]
    names = [column.name for column in columns]
    table.add("checks", names, checked(codes), CODE)
    if lookups := list(_lookups(pages.columns, entries)):
        labels = [column.name for column in columns if column.kind == "category"]
        table.add("categories", labels, checked(lookups), CODE)
    inputs = [write for entry in entries for write in _inputs(entry)]
    labels = [name for column in columns for name in column.names]
    return table.add("inputs", labels, lambda row, index: pages.computed(row, inputs[index](row)))


_LEGEND = (
    "Checks: 0 is a value, 1 a missing one that is filled, 2 an unknown category, 3 not usable.",
    "Categories: their numbers on the sheet `columns`; 0 is an unknown one, and -1 a missing one.",
)


def _entries(pages: Pages, columns: Sequence[InputColumn]) -> Iterator[_Entry]:
    category = 1 + len(columns)
    first = category + sum(column.kind == "category" for column in columns)
    for index, column in enumerate(columns):
        fill = pages.columns.fixed(_TOP + index, 2)
        yield _Entry(column, pages.predict.sheet, 1 + index, 1 + index, category, first, fill)
        category += column.kind == "category"
        first += len(column.names)


def _describe(sheet: Sheet, columns: Sequence[InputColumn]) -> None:
    """Write the kind of each column, and the value that replaces missing ones."""
    sheet.put_row(_TOP - 2, 0, ["columns of the table", "", ""], GROUP)
    put_labels(sheet, _TOP - 1, 0, ["column", "kind", "a missing value becomes"])
    for row, column in enumerate(columns, start=_TOP):
        fill = "an error" if column.fill is None else column.fill
        sheet.put_row(row, 0, [column.name, column.kind], ROW)
        sheet.put(row, 2, fill, CODE)
        sheet.widen(0, width_of(column.name))


# What is typed.


def typed(columns: Sequence[InputColumn], table: Mapping[str, list[Any]]) -> list[list[Cell]]:
    """The columns of a table as a user types them: "" if a value is missing.

    In a row without any value, the first is a blank, because empty rows are not computed.
    """
    values = [_typed(column, table[column.name]) for column in columns]
    for row, cells_of_row in enumerate(zip(*values, strict=True)):
        if all(cell == "" for cell in cells_of_row):
            values[0][row] = " "
    return values


def _typed(column: InputColumn, values: Sequence[Any]) -> list[Cell]:
    """Dates become Excel's number of days."""
    if column.kind != "date":
        return ["" if value is None else value for value in values]
    origin = 0 if _is_clock(column) else SERIAL_OF_1970
    return ["" if day is None else day + origin for day in with_days(column, list(values))]


def style_of(column: InputColumn) -> Style:
    """The looks of the cells into which a value is typed."""
    if column.kind != "date":
        return INPUT
    return CLOCK if _is_clock(column) else DATE


def _is_clock(column: InputColumn) -> bool:
    return column.date_format is not None and is_clock(column.date_format)


# Categories.


def _known(column: InputColumn) -> dict[str, int]:
    """The number of the category of each text; where case is ignored, in lower case."""
    numbers: dict[str, int] = {}
    for text, _, category in listed_texts(column):
        key = text.lower() if column.spelling.casefold else text
        numbers.setdefault(key, _MISSING if category < 0 else category + 1)
    return numbers


def _lookups(sheet: Sheet, entries: Sequence[_Entry]) -> Iterator[Write]:
    """Formulas with the number of the category; the texts are listed on the sheet."""
    left = 4
    for entry in entries:
        if entry.column.kind == "category":
            yield _lookup(sheet, entry, left)
            left += 4


def _lookup(sheet: Sheet, entry: _Entry, left: int) -> Write:
    known = _known(entry.column)
    numbers = _first_of_each_number(known)
    sheet.put_row(_TOP - 2, left, [entry.column.name, "", ""], GROUP)
    put_labels(sheet, _TOP - 1, left, ["text", "as a number", "category (-1: missing)"])
    for row, (text, category) in enumerate(known.items(), start=_TOP):
        sheet.put_row(row, left, [text, numbers.get(text, ""), category], CODE)
        sheet.widen(left, width_of(text))
    texts, values, matched = (sheet.fixed(_TOP, left + offset, len(known)) for offset in range(3))
    is_text = f'(TRIM(SUBSTITUTE({{x}},{texts},"",1))="")'  # only blanks remain around the text
    if entry.column.spelling.casefold:
        is_text = f"EXACT(LOWER(TRIM({{x}})),LOWER({texts}))"
    yes, no = known.get("true", 0), known.get("false", 0)
    formula = (
        f'IF(TRIM({{x}})="",{_MISSING},IF(ISLOGICAL({{x}}),IF({{x}},{yes},{no}),IF(ISNUMBER({{x}}),'
        f"SUMPRODUCT(({values}={{x}})*{matched}),SUMPRODUCT({is_text}*{matched}))))"
    )
    return lambda row: formula.format(x=entry.x(row))


def _first_of_each_number(texts: Iterable[str]) -> dict[str, float]:
    """The texts that are numbers; of several with the same number, the first."""
    texts_by_number: dict[float, str] = {}
    for text in texts:
        number = number_of(text)
        if number is not None and abs(number) < INEXACT:
            texts_by_number.setdefault(number, text)
    return {text: number for number, text in texts_by_number.items()}


# Codes and inputs.


def _code(entry: _Entry) -> Write:
    code_if_missing = 3 if entry.column.fill is None else 1
    if entry.column.kind == "category":
        return lambda row: (
            f"IF({entry.category(row)}<0,{code_if_missing},IF({entry.category(row)}=0,2,0))"
        )
    formula = f'IF(ISNUMBER({{x}}),0,IF(TRIM({{x}})="",{code_if_missing},3))'
    if entry.column.kind == "boolean":
        words = ",".join(f'LOWER(TRIM({{x}}))="{word}"' for word in ("true", "false", "1", "0"))
        formula = (
            "IF(ISLOGICAL({x}),0,IF(ISNUMBER({x}),IF(OR({x}=0,{x}=1),0,3),"
            f'IF(TRIM({{x}})="",{code_if_missing},IF(OR({words}),0,3))))'
        )
    return lambda row: formula.format(x=entry.x(row))


def _inputs(entry: _Entry) -> Iterator[Write]:
    """The formulas of all inputs of a column."""
    column = entry.column
    if column.kind == "category":
        yield from (_one_hot(entry, number) for number in range(1, 1 + len(column.categories)))
    else:
        yield lambda row: _value(entry, row)
        for part in column.calendar:
            yield from (_wave(entry, part, function) for function in ("SIN", "COS"))
    if column.indicator:
        yield lambda row: f"IF({entry.is_missing(row)},1,0)"


def _one_hot(entry: _Entry, number: int) -> Write:
    if fill_index(entry.column) + 1 == number:
        return lambda row: f"IF(OR({entry.category(row)}={number},{entry.is_missing(row)}),1,0)"
    return lambda row: f"IF({entry.category(row)}={number},1,0)"


def _value(entry: _Entry, row: int) -> str:
    column = entry.column
    kind = "clock" if _is_clock(column) else column.kind
    value = _VALUES[kind].format(x=entry.x(row))
    return value if column.fill is None else f"IF({entry.is_missing(row)},{entry.fill},{value})"


_MILLISECONDS = 24 * 60 * 60 * 1000
_VALUES = {
    "number": "{x}",
    "boolean": 'IF(ISLOGICAL({x}),IF({x},1,0),IF(OR(LOWER(TRIM({x}))="true",TRIM({x})="1"),1,0))',
    "date": f"ROUND(({{x}}-{SERIAL_OF_1970})*{_MILLISECONDS},0)/{_MILLISECONDS}",
    "clock": f"ROUND(({{x}}-INT({{x}}))*{_MILLISECONDS},0)/{_MILLISECONDS}",
}
"""Dates are days since 1970 to the millisecond, clock times the fraction of a day."""


def _wave(entry: _Entry, part: CalendarPart, function: str) -> Write:
    """A sine or cosine of the share of the year by month, of the week by day, or of the day."""
    share = _SHARES[part]
    return lambda row: f"{function}(2*PI()*({share.format(days=cells(row, entry.first_input, 1))}))"


_SHARES: dict[CalendarPart, str] = {
    "month": f"(MONTH(INT({{days}})+{SERIAL_OF_1970})-1)/12",
    "weekday": "MOD(INT({days})+3,7)/7",  # 1970 began on a Thursday; Monday is 0
    "hour": "{days}-INT({days})",
}
