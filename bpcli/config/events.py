"""PyYAML's events with their marks, where an alias is replaced by the events of its anchor.

The parser and scanner are the pure-Python ones, which keep their state in lists: however deep a
text nests, the stack stays flat. An alias is replayed as if its anchor's text were there, so the
reader sees no aliases. The reader must count events, because copies can contain copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import yaml

from bpcli.errors import ConfigIssue, Mark
from bpcli.text import did_you_mean

Event: TypeAlias = yaml.Event


class Placed(NamedTuple):
    """An event, its mark, and whether it was copied for an alias."""

    event: Event
    mark: Mark
    is_copy: bool = False


class Unreadable(Exception):
    """The text cannot be read beyond this point."""

    def __init__(self, message: str, mark: Mark) -> None:
        super().__init__(message)
        self.issue = ConfigIssue(message, mark=mark)


def placed_events(text: str) -> Iterator[Placed]:
    """The events of a text, with aliases replayed.

    Raises PyYAML's own errors, and `Unreadable` for an alias without an anchor and for text on
    which PyYAML fails.
    """
    anchors = _Anchors()
    for event in _events(text):
        yield from anchors.take(event)


def _events(text: str) -> Iterator[Event]:
    loader = yaml.SafeLoader(text)
    try:
        while loader.check_event():
            yield loader.get_event()  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError):  # PyYAML: "\UFFFFFFFF", %YAML of 5,000 digits
        at = loader.get_mark()
        mark = Mark(at.line, at.column, at.column + 1)
        raise Unreadable("a number in this escape is too large", mark) from None
    finally:
        loader.dispose()


class _Open(NamedTuple):
    """An anchor whose value has not ended: the depth at which it ends, and its events so far."""

    name: str
    depth: int
    events: list[Event]


class _Anchors:
    """The events of each anchor's value."""

    def __init__(self) -> None:
        self.known: dict[str, list[Event]] = {}
        self.open: list[_Open] = []
        self.depth = 0

    def take(self, event: Event) -> Iterator[Placed]:
        """Yield the event, or the copied events of its alias; record them for open anchors."""
        mark = mark_of(event)
        if isinstance(event, yaml.AliasEvent):
            for copy in self._meaning(event, mark):
                yield Placed(copy, mark, is_copy=True)
                self._record(copy)
            return
        yield Placed(event, mark)
        self._follow(event)

    def _record(self, event: Event) -> None:
        for each in self.open:
            each.events.append(event)

    def _follow(self, event: Event) -> None:
        """Open an anchor at its event, and close it at the event that ends its value."""
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.CollectionStartEvent):
            self.depth += 1
            if anchor is not None:
                self.open.append(_Open(anchor, self.depth, []))
        elif anchor is not None:
            self.known[anchor] = [event]
        self._record(event)
        if isinstance(event, yaml.CollectionEndEvent):
            if self.open and self.open[-1].depth == self.depth:
                ended = self.open.pop()
                self.known[ended.name] = ended.events
            self.depth -= 1

    def _meaning(self, event: yaml.AliasEvent, mark: Mark) -> list[Event]:
        name = event.anchor
        if name in [each.name for each in self.open]:
            raise Unreadable(f"`*{name}` is inside its own anchor `&{name}`: remove it", mark)
        if name not in self.known:
            hint = did_you_mean(name, self.known) or ": put it in quotes if it is meant as text"
            raise Unreadable(f"there is no `&{name}` above for this alias{hint}", mark)
        return self.known[name]


def mark_of(event: Event) -> Mark:
    """The mark of an event; for an event over several lines, the mark of its first character."""
    start, end = event.start_mark, event.end_mark
    assert start is not None, "PyYAML's parser sets marks"
    assert end is not None, "PyYAML's parser sets marks"
    one_line = end.line == start.line and end.column > start.column
    return Mark(start.line, start.column, end.column if one_line else start.column + 1)
