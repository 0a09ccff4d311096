"""Spellings of one category, such as Yes, YES and a full-width ＹＥＳ, and which are merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

from bpcli.text import folded


@dataclass(frozen=True)
class Spelling:
    """The spelling rules of a column: texts may be renamed, and `casefold` ignores case.

    `rename` maps old to new text; with `casefold`, also the other spellings of the old text.
    """

    casefold: bool = False
    rename: Mapping[str, str] = field(default_factory=dict, hash=False)

    def key(self, text: str) -> str:
        """The key that all spellings of one category share."""
        return folded(text) if self.casefold else text

    def renamed(self, text: str) -> str:
        """The new name of a text, or the text itself."""
        if not self.rename:
            return text
        return self.rename.get(text) or self._by_key.get(self.key(text), text)

    @cached_property
    def _by_key(self) -> dict[str, str]:
        return {self.key(old): new for old, new in self.rename.items()}

    def merged(self, rows: Mapping[str, int]) -> dict[str, int]:
        """The row count of each category, given that of each text.

        A category keeps its most frequent spelling; if several are, the first in sorted order.
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
"""Each text is a category of its own."""

Spellings: TypeAlias = Mapping[str, Spelling]
"""The spelling rules of columns, by column name."""

PLAIN_ALL: Spellings = MappingProxyType({})
"""No spelling rules for any column."""


def variants(rows: Mapping[str, int]) -> list[dict[str, int]]:
    """Groups of texts that `casefold` merges, with row counts; the most frequent group first."""
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
    """The known text of which a text is another spelling; None if there is none."""
    wanted = folded(text)
    return next((name for name in known if folded(name) == wanted), None)
