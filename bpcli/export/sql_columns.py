"""The part of a query that turns the columns of a table into inputs of the network.

The table `bpnet_values` has a value for each column: NULL if it is missing; for a category its
number from 1, or 0 for an unknown one; for a boolean -1 if it is neither true nor false. Dates are
numbers of days since 1970, because databases differ in their functions of dates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from bpcli.data.columns import InputColumn
from bpcli.data.date_formats import CalendarPart
from bpcli.data.scaler import Scaler
from bpcli.export.known_texts import fill_index, listed_texts
from bpcli.export.literals import number, sql_name, sql_string
from bpcli.export.sql_query import Query, as_double, case

_TRUE, _FALSE = ("true", "t", "1", "1.0"), ("false", "f", "0", "0.0")


def add_values(query: Query, columns: Sequence[InputColumn]) -> None:
    """Add the tables of values, and of the months of dates if they are needed."""
    query.add("bpnet_values", {f"v{i}": _value(column) for i, column in enumerate(columns, 1)})
    kept = [f"v{i}" for i in range(1, len(columns) + 1)]
    days = {
        i: f"FLOOR({_filled(column, i)})"
        for i, column in enumerate(columns, 1)
        if "month" in column.calendar
    }
    for name, text in _MONTHS.items() if days else ():
        query.add(
            f"bpnet_{name}",
            {f"{name}{i}": text.format(days=day, i=i) for i, day in days.items()},
            kept=kept,
        )
        kept += [f"{name}{i}" for i in days]


_MONTHS = {
    "era": "{days} + 719468.0 - 146097.0 * FLOOR(({days} + 719468.0) / 146097.0)",
    "year": "FLOOR((era{i} - FLOOR(era{i} / 1460.0) + FLOOR(era{i} / 36524.0)"
    " - FLOOR(era{i} / 146096.0)) / 365.0)",
    "month": "FLOOR((5.0 * (era{i} - 365.0 * year{i} - FLOOR(year{i} / 4.0)"
    " + FLOOR(year{i} / 100.0)) + 2.0) / 153.0)",
}
"""The day in 400 years from March 1 of the year 0, the year of it, and the month from March = 0."""


def add_inputs(query: Query, columns: Sequence[InputColumn], scale: Scaler) -> list[str]:
    """Add the table of scaled inputs, without the rows that cannot be computed; their names."""
    texts = [text for i, column in enumerate(columns, 1) for text in _inputs(column, i)]
    names = [f"x{i}" for i in range(1, len(texts) + 1)]
    scales = zip(scale.shift.tolist(), scale.factor.tolist(), strict=True)
    scaled = [_scaled(text, *each) for text, each in zip(texts, scales, strict=True)]
    where = [
        f"{condition}" for i, column in enumerate(columns, 1) for condition in _usable(column, i)
    ]
    query.add("bpnet_inputs", dict(zip(names, scaled, strict=True)), where=where)
    return names


def _scaled(text: str, shift: float, factor: float) -> str:
    if shift:
        text = f"({text} - {number(shift)})" if shift > 0 else f"({text} + {number(-shift)})"
    return text if factor == 1 else f"{text} / {number(factor)}"


# Values.


def _value(column: InputColumn) -> str:
    name = sql_name(column.name)
    if column.kind in ("number", "date"):
        return as_double(name)
    text = f"TRIM(CAST({name} AS TEXT))"
    if column.kind == "boolean":
        folded = f"LOWER({text})"
        branches = [
            (f"{name} IS NULL", "NULL"),
            (_is_one_of(folded, _TRUE), "1"),
            (_is_one_of(folded, _FALSE), "0"),
        ]
        return case(*branches, other="-1")
    known = [(f"{name} IS NULL OR {text} = ''", "NULL"), *_texts(column, text)]
    return case(*known, other="0")


def _texts(column: InputColumn, text: str) -> Iterator[tuple[str, str]]:
    """The number of the category for each group of texts, in the order in which to look."""
    for (folds, category), group in groupby(listed_texts(column), lambda each: each[1:]):
        value = f"LOWER({text})" if folds else text
        words = [each.text for each in group]
        yield _is_one_of(value, words), "NULL" if category < 0 else str(category + 1)


def _is_one_of(text: str, words: Sequence[str]) -> str:
    return f"{text} IN ({', '.join(map(sql_string, words))})"


# Inputs.


def _filled(column: InputColumn, i: int) -> str:
    """The value of a column; the fill if it is missing."""
    if column.fill is None:
        return f"v{i}"
    if column.kind == "category":
        return f"COALESCE(v{i}, {fill_index(column) + 1})"
    return f"COALESCE(v{i}, {number(column.fill)})"


def _usable(column: InputColumn, i: int) -> Iterator[str]:
    if column.fill is None:
        yield f"v{i} IS NOT NULL"
    if column.kind == "boolean":
        yield f"(v{i} IS NULL OR v{i} >= 0)"


def _inputs(column: InputColumn, i: int) -> Iterator[str]:
    """The expressions of all inputs of a column, in double precision."""
    filled = _filled(column, i)
    if column.kind == "category":
        for category in range(1, len(column.categories) + 1):
            yield as_double(case((f"{filled} = {category}", "1"), other="0"))
    else:
        yield as_double(filled) if column.kind == "boolean" else filled
        for part in column.calendar:
            share = _SHARES[part].format(days=filled, i=i)
            yield from (f"{wave}(6.283185307179586 * ({share}))" for wave in ("SIN", "COS"))
    if column.indicator:
        yield as_double(case((f"v{i} IS NULL", "1"), other="0"))


_SHARES: dict[CalendarPart, str] = {
    "month": "(month{i} + 2.0) / 12.0",
    "weekday": "(FLOOR({days}) + 3.0 - 7.0 * FLOOR((FLOOR({days}) + 3.0) / 7.0)) / 7.0",
    "hour": "{days} - FLOOR({days})",
}
"""The share of the year by month (1 more after December, for which a wave is the same), of the week
by day (1970 began on a Thursday), and of the day."""


# Notes.


def note(columns: Sequence[InputColumn]) -> str:
    """A text for each row that says what is missing, filled or unknown; empty if nothing is."""
    return " || ".join(_note(column, i) for i, column in enumerate(columns, 1))


def _note(column: InputColumn, i: int) -> str:
    value = f"bpnet_values.v{i}"
    missing = "not computed, missing: " if column.fill is None else "filled: "
    branches = [(f"{value} IS NULL", sql_string(f"{missing}{column.name}; "))]
    if column.kind == "category":
        branches.append((f"{value} = 0", sql_string(f"unknown: {column.name}; ")))
    if column.kind == "boolean":
        branches.append((f"{value} < 0", sql_string(f"not computed, no boolean: {column.name}; ")))
    return case(*branches, other="''")
