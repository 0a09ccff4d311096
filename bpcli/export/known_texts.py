"""What the values of a column are, and the texts that a category column knows, as plain tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from unicodedata import normalize

from bpcli.data.columns import InputColumn
from bpcli.data.date_formats import is_clock
from bpcli.data.types import number_text
from bpcli.data.values import AMBIGUOUS, index_of
from bpcli.export.literals import identifier, text_of
from bpcli.text import folded


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
    """The tables of a category column, its new names included.

    Raises `RunError` if one of its names is not a text.
    """
    spelling = column.spelling
    index = index_of(list(map(text_of, column.categories)), spelling)
    renamed = {
        text_of(old): index.get(spelling.key(text_of(new))) for old, new in spelling.rename.items()
    }
    by_key = index | {spelling.key(old): category for old, category in renamed.items()}
    exact = renamed if spelling.casefold else by_key
    missing = tuple(text for text in AMBIGUOUS if by_key.get(spelling.key(text)) is None)
    return KnownTexts(exact, by_key if spelling.casefold else {}, missing)


def meaning_of(column: InputColumn) -> str:
    """The name of a column, and what its values are in a file that reads numbers and texts."""
    name = text_of(column.name)
    if column.kind == "category":
        return f"{name}: {', '.join(map(text_of, column.categories))}"
    if column.kind == "date":
        clock = column.date_format is not None and is_clock(column.date_format)
        return f"{name}: {'the fraction of the day' if clock else 'days since 1970-01-01'}"
    return f"{name}: 1 or 0" if column.kind == "boolean" else name


def fill_index(column: InputColumn) -> int:
    """The category that replaces missing values; -1 if there is none.

    Raises `RunError` if the fill is not a category.
    """
    if column.fill is None:
        return -1
    return column.categories.index(identifier(column.fill, column.categories))


class ListedText(NamedTuple):
    """A text of a list without rules; `folds` if any case of A-Z and any run of spaces is meant."""

    text: str
    folds: bool
    category: int
    """Its index; -1 for a missing value, -2 if it is unknown."""


def listed_texts(column: InputColumn) -> list[ListedText]:
    """The known texts one by one, in the order in which to look, for languages without Unicode.

    Other spellings of them are listed too: true and false in three letter cases, whole numbers with
    `.0`, and texts with other letters than A to Z in capitals, small letters and both mixed.
    """
    known = known_texts(column)
    strange = [text for text, index in known.exact.items() if index is None]
    listed = [
        ListedText(text, False, -2)
        for text in strange
        if known.folded.get(folded(text)) is not None
    ]
    listed += [*_listed(known.exact, False), *_listed(known.folded, True)]
    own = {each.text for each in listed}
    for text, folds, category in [*listed]:
        others = {*_other_forms(text), *(_spellings(text, column) if folds else ())} - own
        listed += [ListedText(other, folds, category) for other in sorted(others)]
        own |= others
    return [*listed, *(ListedText(text, False, -1) for text in known.gaps)]


def _listed(texts: Mapping[str, int | None], folds: bool) -> Iterator[ListedText]:
    yield from (
        ListedText(text, folds, index) for text, index in texts.items() if index is not None
    )


def _other_forms(text: str) -> Iterator[str]:
    """Texts that have this one as their second or third text; see `KnownTexts`."""
    if text in ("true", "false"):
        yield from (text.title(), text.upper())
    if text.removeprefix("-").isdecimal() and text == number_text(float(text)):
        yield f"{text}.0"


def _spellings(text: str, column: InputColumn) -> Iterator[str]:
    """Texts that are folded to this one, as A to Z in small letters."""
    names = [name for name in (*column.categories, *column.spelling.rename) if folded(name) == text]
    for name in (text, *names):
        if name.isascii():
            continue
        for change in (str.upper, str.lower, str.title, str.swapcase, str.capitalize, str):
            for form in ("NFC", "NFD", "NFKC"):
                spelling = normalize(form, change(name))
                if folded(spelling) == text:
                    yield " ".join(_lower_ascii(spelling).split())


def _lower_ascii(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)
