"""Choosing columns of a table by name, number or pattern."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence
from typing import TypeAlias

from bpcli.errors import DataError

Selector: TypeAlias = str | int


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
