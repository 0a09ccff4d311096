"""Likely problems of a run, in blocks of lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bpcli.runs.run_json import RunRecord
from bpcli.text import plural, text_width, wrapped

_LABELS = ("evidence", "cause", "explains", "remedy")
_INDENT = 2 + max(map(len, _LABELS)) + 2


def diagnosis_lines(
    record: RunRecord, document: Mapping[str, Any], width: int | None
) -> Iterator[str]:
    """The findings of a document, then what was looked for; without a width, nothing is wrapped.

    The command of a finding stays on one line, so that it can be copied.
    """
    yield _head(record)
    yield ""
    for finding in document["findings"]:
        yield from _block(finding, width)
        yield ""
    yield from _wrapped(_summary(document), width)
    for reason, titles in _by_reason(document["unchecked"]).items():
        yield from _wrapped(f"not checked: {', '.join(titles)}. {reason}", width)


def _head(record: RunRecord) -> str:
    after = f" after {plural(record.epochs, 'epoch')}" if record.has_ended else ""
    return f"{record.run_id}: {record.status}{after}"


def _block(finding: Mapping[str, Any], width: int | None) -> Iterator[str]:
    """A headline, its facts beside their names, and the command."""
    yield from _wrapped(f"{finding['severity']}: {finding['title']}", width)
    for label in _LABELS:
        texts = finding[label]
        for text in [texts] if isinstance(texts, str) else texts:
            yield from _fact(label if text else "", text, width)
            label = ""
    if finding["command"]:
        yield f"  try: {finding['command']}"


def _fact(label: str, text: str, width: int | None) -> Iterator[str]:
    room = None if width is None else width - _INDENT
    for line in _wrapped(text, room) if text else ():
        yield f"  {label}{' ' * (_INDENT - 2 - text_width(label))}{line}"
        label = ""


def _wrapped(text: str, width: int | None) -> Sequence[str]:
    return [text] if width is None else wrapped(text, width)


def _summary(document: Mapping[str, Any]) -> str:
    """How many findings there are; without any, what was looked for."""
    severities = [finding["severity"] for finding in document["findings"]]
    if not severities:
        return f"nothing found; checked for: {', '.join(document['checked'])}"
    counts = [plural(severities.count(each), each) for each in dict.fromkeys(severities)]
    return f"{', '.join(counts)}, by {plural(len(document['checked']), 'rule')}"


def _by_reason(unchecked: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """The titles of rules that could not be applied, by the reason."""
    by_reason: dict[str, list[str]] = {}
    for each in unchecked:
        by_reason.setdefault(each["reason"], []).append(each["rule"])
    return by_reason
