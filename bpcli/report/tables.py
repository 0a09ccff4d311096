"""Tables. Wide ones scroll within a region of their own, and a script sorts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bpcli.report.figures import text_of
from bpcli.report.html import Child, Html, tag


@dataclass(frozen=True)
class Column:
    """The head of a column; numbers are aligned on the right."""

    title: str
    is_number: bool = False


Cell: TypeAlias = str | float | tuple[float, str] | Html | None
"""A text, a number, a number with its text, markup, or nothing."""

_SHORT = 32
_MANY = 9
"""With more columns, a table is set smaller on paper."""

_FEW = 12
"""With at most so many rows, a table is not divided between two pages."""


def table(
    caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, sorts: bool = True
) -> Html:
    """A table whose first column names its rows."""
    head = tag("tr", [_head(column) for column in columns])
    body = [tag("tr", _cells(columns, row)) for row in rows]
    content = tag(
        "table",
        tag("caption", caption),
        tag("thead", head),
        tag("tbody", body),
        data_sort=sorts and len(rows) > 1,
        class_=_size(len(columns), len(rows)),
    )
    return scrolling(caption, content)


def _size(columns: int, rows: int) -> str | None:
    """The classes of a table that is wide, and of one that is kept on one page."""
    classes = ["many"] * (columns > _MANY) + ["brief"] * (rows <= _FEW)
    return " ".join(classes) or None


def scrolling(caption: str, content: Child) -> Html:
    """A region that scrolls sideways if its content is wide, also by keyboard."""
    return tag("div", content, class_="scroll", role="region", aria_label=caption, tabindex=0)


def _head(column: Column) -> Html:
    return tag("th", column.title, scope="col", class_="n" if column.is_number else None)


def _cells(columns: Sequence[Column], row: Sequence[Cell]) -> list[Html]:
    first, *others = zip(columns, row, strict=True)
    return [_cell(*first, is_head=True), *(_cell(column, cell) for column, cell in others)]


def _cell(column: Column, cell: Cell, *, is_head: bool = False) -> Html:
    value, shown = _shown(cell)
    return tag(
        "th" if is_head else "td",
        shown,
        scope="row" if is_head else None,
        class_="n" if column.is_number else _length(shown),
        data_v=repr(value) if column.is_number and value is not None else None,
    )


def _length(shown: str | Html) -> str | None:
    """Whether a text stays on one line, or needs some width."""
    if isinstance(shown, Html):
        return None
    return "short" if len(shown) <= _SHORT else "long"


def _shown(cell: Cell) -> tuple[float | None, str | Html]:
    """The number by which a cell is sorted, if it has one, and what it shows."""
    if isinstance(cell, tuple):
        return float(cell[0]), cell[1]
    if isinstance(cell, int | float):
        return float(cell), text_of(cell)
    return None, "–" if cell is None else cell


def folded(summary: str, *content: Child, is_printed: bool = True) -> Html:
    """Content that is opened on demand; on paper, it is open or left out."""
    class_ = None if is_printed else "screen"
    return tag("details", tag("summary", summary), content, class_=class_)
