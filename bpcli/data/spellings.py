"""Spellings of one word, such as Yes, YES and a full-width ＹＥＳ, and which are read as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

from bpcli.text import folded


@dataclass(frozen=True)
class Spelling:
    """How the words of a column are read: some under a new name, and with `casefold` in any case.

    `rename` has the new name of each word; with `casefold`, that of its other spellings too.
    """

    casefold: bool = False
    rename: Mapping[str, str] = field(default_factory=dict, hash=False)

    def key(self, text: str) -> str:
        """What the spellings of one category have in common."""
        return folded(text) if self.casefold else text

    def renamed(self, text: str) -> str:
        """The new name of a word, or the word itself."""
        if not self.rename:
            return text
        return self.rename.get(text) or self._by_key.get(self.key(text), text)

    @cached_property
    def _by_key(self) -> dict[str, str]:
        return {self.key(old): new for old, new in self.rename.items()}

    def merged(self, rows: Mapping[str, int]) -> dict[str, int]:
        """The rows of each category, given those of each word.

        A category is shown in its most frequent spelling; of several, in the first when sorted.
        """
        named: dict[str, int] = {}
        for text in sorted(rows):
            named[self.renamed(text)] = named.get(self.renamed(text), 0) + rows[text]
        return {_most_frequent(group): sum(group.values()) for group in _grouped(named, self.key)}

    @property
    def is_plain(self) -> bool:
        return not (self.casefold or self.rename)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


PLAIN = Spelling()
"""Each word is a category of its own."""

Spellings: TypeAlias = Mapping[str, Spelling]
"""How the words of columns are read, by their names."""

PLAIN_ALL: Spellings = MappingProxyType({})
"""The same of columns of which nothing is told."""


def variants(rows: Mapping[str, int]) -> list[dict[str, int]]:
    """The words that `casefold` reads as one, with their rows: the most frequent group first."""
    groups = [group for group in _grouped(rows, folded) if len(group) > 1]
    return sorted(groups, key=lambda group: -sum(group.values()))


def _grouped(rows: Mapping[str, int], key: Callable[[str], str]) -> Iterable[dict[str, int]]:
    groups: dict[str, dict[str, int]] = {}
    for text, count in rows.items():
        groups.setdefault(key(text), {})[text] = count
    return groups.values()


def _most_frequent(rows: Mapping[str, int]) -> str:
    return min(rows, key=lambda text: (-rows[text], text))


def variant_of(text: str, known: Iterable[str]) -> str | None:
    """The known word of which a text is another spelling."""
    wanted = folded(text)
    return next((name for name in known if folded(name) == wanted), None)
