"""Choosing columns of a table by name, number or pattern."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal, TypeAlias

from bpcli.errors import DataError
from bpcli.text import first_of, folded, listed, nearest

Selector: TypeAlias = str | int
TargetSelectors: TypeAlias = tuple[Selector, ...] | Literal["same_as_inputs"] | None


EVERY = "*"
_KEYS_OF_FEW = ("targets", "split", "weight")
"""The keys that name columns of which there are few, so that `*` can be the name of one."""


def select(columns: Sequence[str], selectors: Sequence[Selector], key: str) -> list[str]:
    """The columns chosen by name, number from 1, or pattern (`x*`); a leading `!` excludes.

    A selector that is the name of a column is no pattern, except `*`: that chooses every column,
    also in a table with a column of this name, which `[*]` chooses.

    Each column appears once, in the order of the selectors. Raises `DataError` if a selector
    matches nothing, or could be a name as well as exclude a column.
    """
    known = dict.fromkeys(columns)
    excludes = [_is_excluding(known, selector, key) for selector in selectors]
    chosen: dict[str, None] = dict(known) if excludes and all(excludes) else {}
    for selector, is_excluded in zip(selectors, excludes, strict=True):
        if is_excluded:
            for name in _matching(known, str(selector)[1:], key):
                chosen.pop(name, None)
        elif selector == EVERY and known and key not in _KEYS_OF_FEW:
            chosen |= known
        else:
            chosen |= dict.fromkeys(_matching(known, selector, key))
    return list(chosen)


def _is_excluding(columns: Mapping[str, None], selector: Selector, key: str) -> bool:
    """Whether a selector leaves out columns. Raises `DataError` if it may be a name as well."""
    if not isinstance(selector, str) or not selector.startswith("!"):
        return False
    if selector not in columns:
        return True
    excluded = _alike(columns, selector[1:])
    if excluded:
        raise DataError(
            f"`{selector}` is the name of a column, and would also leave out `{excluded[0]}`: give "
            f"numbers of columns instead ({[*columns].index(selector) + 1} for `{selector}`)",
            key,
        )
    return False


def _alike(columns: Mapping[str, None], pattern: str) -> list[str]:
    return [name for name in columns if fnmatch.fnmatchcase(name, pattern)]


def selectors_of(columns: Sequence[str], given: Sequence[str]) -> list[Selector]:
    """The selectors in command-line texts: each is one selector, or several between commas.

    A text equal to a column's name selects that column, except `*`; any other text of digits is a
    number.
    """
    numbers = {name: number for number, name in enumerate(columns, start=1)}
    numbers.pop(EVERY, None)
    texts = (
        part
        for text in given
        for part in ([text] if text in numbers else map(str.strip, text.split(",")))
        if part
    )
    return [numbers.get(text, int(text) if text.isdecimal() else text) for text in texts]


def choose(
    columns: Sequence[str],
    inputs: Sequence[Selector],
    targets: TargetSelectors,
    others: Sequence[str] = (),
) -> tuple[list[str], list[str]]:
    """The names of inputs and targets; the default target is the last column not in `others`.

    Raises `DataError` if no inputs are left.
    """
    if targets is None:
        chosen = [name for name in columns if name not in others][-1:]
    else:
        chosen = [] if targets == "same_as_inputs" else select(columns, targets, "targets")
    selected = select(columns, inputs, "inputs")
    taken = {*chosen, *others}
    left = [name for name in selected if name not in taken]
    if not left:
        message = "no columns are left for the inputs: change `inputs` or `targets`"
        raise DataError(message, "inputs")
    return left, chosen


def _matching(columns: Mapping[str, None], selector: Selector, key: str) -> list[str]:
    if isinstance(selector, int):
        if not 1 <= selector <= len(columns):
            raise DataError(f"there is no column {selector}, only 1 to {len(columns)}", key)
        return [next(islice(columns, selector - 1, None))]
    if selector in columns:
        return [selector]
    matches = _alike(columns, selector)
    if not matches:
        raise DataError(f"there is no column `{selector}`{_near(list(columns), selector)}", key)
    return matches


def as_known(given: Sequence[str], known: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The names of columns, with the known name for each that differs only in spelling.

    That is in case, kind of spaces, width or composition of accents; no second name may match. Also
    returns a note on each or, if there are many, one on all.
    """
    names, replaced = list(given), list[str]()
    forms, known_forms = ([*map(folded, each)] for each in (given, known))
    places = dict(zip(forms, range(len(forms)), strict=True))
    counts, known_counts, present = Counter(forms), Counter(known_forms), set(given)
    for name, form in zip(known, known_forms, strict=True):
        if name not in present and counts[form] == known_counts[form] == 1:
            replaced.append(f"`{given[places[form]]}` is read as `{name}`")
            names[places[form]] = name
    return tuple(names), list(_notes_on_names(replaced))


def _notes_on_names(replaced: Sequence[str]) -> Iterator[str]:
    if len(replaced) <= _MOST_NAMED:
        yield from (f"column {each}: the names differ only in spelling" for each in replaced)
    else:
        shown = listed(replaced[:_MOST_NAMED], len(replaced))
        yield f"{len(replaced)} columns have names that differ only in spelling: {shown}"


_MOST_NAMED = 3


def require(columns: Sequence[str], names: Sequence[str]) -> None:
    """Raises `DataError` naming the first missing column."""
    known = dict.fromkeys(map(str, columns))
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        raise DataError(f"there is no column `{missing}`{_near(list(known), missing)}")


def _near(columns: Sequence[str], name: str) -> str:
    near = nearest(name, columns)
    if near is not None:
        return f"; did you mean `{near}`?"
    return f"; the columns are {first_of(columns)}"
