"""All issues of a config at once, each once, without those that only follow from another.

Keys and names are corrected in a copy, which is validated once. The checks between keys run once,
on the config as written. An issue follows from another, and is left out, when

- the text of its value, or of an enclosing value, could not be read;
- a key is missing in a section whose name is a guess, or where a misplaced key could not be moved;
- a check between keys reads a value that has an issue of its own, or that was not written there;
- another issue is more precise about the same key: a check between keys beats "unknown key".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from bpcli.config.crosscheck import cross_check
from bpcli.config.mend import Mended, mend
from bpcli.config.source import Source
from bpcli.config.values import value_issues
from bpcli.errors import ConfigIssue


def all_issues(
    source: Source, validate: Callable[[Mapping[str, Any]], ValidationError | None]
) -> list[ConfigIssue]:
    """The issues of a config besides those of its syntax, each with its mark in the text."""
    mended = mend(source)
    values = [
        issue
        for issue in value_issues(mended.tree, validate(mended.tree))
        if not _follows(issue, mended)
    ]
    wrong = {issue.location for issue in values if not issue.at_key}
    doubtful = mended.doubtful | mended.guessed | wrong | source.unread
    unknown = {issue.location for issue in mended.issues if issue.at_key}
    between = [
        issue
        for issue in cross_check(source, doubtful)
        if not any(issue.location[:end] in unknown for end in range(len(issue.location)))
    ]
    precise = {issue.location for issue in between}
    keys = [issue for issue in mended.issues if issue.location not in precise]
    written = [issue._replace(location=mended.in_text(issue.location)) for issue in values]
    return [source.located(issue) for issue in (*keys, *written, *between)]


def _follows(issue: ConfigIssue, mended: Mended) -> bool:
    """Whether an issue with a value follows from an issue with a key or name."""
    if issue.at_key:
        return issue.location[:-1] in mended.guessed | mended.incomplete
    return mended.is_unread(issue.location)
