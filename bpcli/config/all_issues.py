"""All issues of a config at once, each once, and none that only follows from another.

Keys and names are put right in a copy, which is validated once; the checks between keys run once,
on the config as written. An issue follows from another, and is left out, where

- the text of its value, or of what is around it, could not be read;
- a key is missing in a section whose name is a guess, or for a key that could not be put there;
- a check between keys reads a value that has an issue of its own, or was not written there;
- another says more about the same key: a check between keys is more precise than "unknown key".
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
    """The issues of a source beside those of its text, each with its place there."""
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
    keys_said_more_about = {issue.location for issue in between}
    keys = [issue for issue in mended.issues if issue.location not in keys_said_more_about]
    written = [issue._replace(location=mended.in_text(issue.location)) for issue in values]
    return [source.located(issue) for issue in (*keys, *written, *between)]


def _follows(issue: ConfigIssue, mended: Mended) -> bool:
    """Whether what is wrong with a value comes of what is wrong with a key or name."""
    if issue.at_key:
        return issue.location[:-1] in mended.guessed | mended.incomplete
    return mended.is_unread(issue.location)
