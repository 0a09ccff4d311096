"""The texts that a category column knows, as plain tables that any language can look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bpcli.data.columns import InputColumn
from bpcli.data.values import AMBIGUOUS, index_of


@dataclass(frozen=True)
class KnownTexts:
    """The index of the category, or None if it is unknown, of each text that a column may have.

    A value has up to three texts, looked up in this order: its own without spaces around it; in
    lower case, if that is true or false; and the shortest one of its number (1 for 1.0). Each is
    looked up in `exact`, then, as `bpcli.text.folded` writes it, in `folded`. The first category
    that is found counts. If there is none, a text in `gaps` is a missing value.
    """

    exact: Mapping[str, int | None]
    folded: Mapping[str, int | None]
    """Empty unless spellings are merged."""
    gaps: tuple[str, ...]


def known_texts(column: InputColumn) -> KnownTexts:
    """The tables of a category column, its new names included."""
    spelling = column.spelling
    index = index_of(column.categories, spelling)
    renamed = {old: index.get(spelling.key(new)) for old, new in spelling.rename.items()}
    by_key = index | {spelling.key(old): category for old, category in renamed.items()}
    exact = renamed if spelling.casefold else by_key
    gaps = tuple(text for text in AMBIGUOUS if by_key.get(spelling.key(text)) is None)
    return KnownTexts(exact, by_key if spelling.casefold else {}, gaps)
