"""What a file that is not plain text declares for its dialect: none of this is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bpcli.data.files.dialect import MISSING, Dialect
from bpcli.data.files.rendered import is_rendered, rendering


def with_stored_gaps(path: Path, asked: Dialect) -> Dialect:
    """The dialect without the usual entries for missing values, if the file has its own.

    Entries that a user adds remain, and so do those that a user lists instead.
    """
    has_usual = {*MISSING} <= {*asked.missing}
    if not has_usual or not is_rendered(path) or not rendering(path, asked.sheet).has_gaps_only:
        return asked
    added = (word for word in asked.missing if word not in MISSING)
    return replace(asked, missing=("", *added))


def stored_categories(path: Path, dialect: Dialect, names: Sequence[str]) -> list[str]:
    """The columns that the file declares as categories, although they may look like numbers."""
    if not is_rendered(path):
        return []
    return [names[index] for index in rendering(path, dialect.sheet).categories]


def stored_notes(path: Path, asked: Dialect) -> list[str]:
    """Notes on how the file was read."""
    if not is_rendered(path):
        return []
    return [f"{path.name}: {note}" for note in rendering(path, asked.sheet).notes]
