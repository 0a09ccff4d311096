"""Notes on texts that may be spellings of one category, and on renames that match nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bpcli.data.files.dialect import MISSING
from bpcli.data.spellings import PLAIN, Spelling, variants
from bpcli.data.values import number_of, quoted

_MOST_GROUPS = 2
_MOST_SPELLINGS = 3


class ColumnWords(NamedTuple):
    """The texts of a column with row counts, the noun for them, and their spelling rules."""

    column: str
    noun: str
    rows: Mapping[str, int]
    spelling: Spelling = PLAIN

    def has(self, word: str) -> bool:
        return self.spelling.key(word) in map(self.spelling.key, self.rows)


def variants_text(words: ColumnWords) -> str | None:
    """A note on spellings that are, or may be, one category; None if there are none."""
    spelling = Spelling(rename=words.spelling.rename)
    groups = variants(spelling.merged(words.rows))
    if not groups:
        return None
    shown = [_spellings(group) for group in groups[:_MOST_GROUPS]]
    more = len(groups) - _MOST_GROUPS
    listed = "; ".join(shown) + f"; and {more:,} more" * (more > 0)
    one = f"one {words.noun}{' each' * (len(groups) > 1)}"
    if words.spelling.casefold:
        return f"has spellings that `casefold` merges into {one}: {listed}"
    return f"has spellings that may be {one} (`casefold: true` merges them): {listed}"


def _spellings(rows: Mapping[str, int]) -> str:
    ordered = sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"`{quoted(text)}` ({count:,})" for text, count in ordered]
    if len(shown) > _MOST_SPELLINGS:
        shown[_MOST_SPELLINGS - 1 :] = [f"{len(shown) - _MOST_SPELLINGS + 1:,} more"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def useless_renames(
    renames: Iterable[tuple[Sequence[str], Iterable[str]]], columns: Sequence[ColumnWords]
) -> Iterator[str]:
    """Notes on renames whose old text is in none of their columns."""
    for names, olds in renames:
        own = [words for words in columns if words.column in {*names}]
        for old in olds:
            if not any(words.has(old) for words in own):
                where = "any column" if len(names) != 1 else f"column `{names[0]}`"
                yield f"`rename`: `{quoted(old)}` is not a category or class of {where}{_why(old)}"


def _why(word: str) -> str:
    """Why a text that a file has may not be a category, and what to do."""
    if word in MISSING:
        return ": it marks a missing value, see `missing_only`"
    if number_of(word) is not None:
        return ": numbers become classes by `task: classification`, and categories by `categories`"
    return ""
