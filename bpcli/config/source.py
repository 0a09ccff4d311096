"""YAML text as a tree of plain values, with the position of each key and value in the text.

Scalars follow YAML 1.2's core schema: `1e-3` is a number, `no` is text. Built on PyYAML's events,
without constructors or recursion, so a file can neither run code nor overflow the stack. Limits on
bytes, values and depth keep reading any file under a second, even a hostile one.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

import yaml

from bpcli.config.encoding import decode
from bpcli.config.events import Placed, Unreadable, placed_events
from bpcli.config.issues import MOST_ISSUES, config_error, lines_of
from bpcli.config.syntax import space_after_colon, syntax_issue
from bpcli.errors import ConfigError, ConfigIssue, Mark
from bpcli.text import quoted

Key: TypeAlias = str | int
Location: TypeAlias = tuple[Key, ...]
"""The path of a value in the tree: keys and list indices from the top."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))")
_CONSTANTS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: value
    for value in (True, False)
    for word in (str(value), str(value).lower(), str(value).upper())
}


@dataclass
class Source:
    """A config's text, its values as plain Python, and the mark of each."""

    name: str
    text: str
    content: bytes = b""
    tree: dict[str, Any] = field(default_factory=dict)
    key_marks: dict[Location, Mark] = field(default_factory=dict)
    value_marks: dict[Location, Mark] = field(default_factory=dict)
    issues: list[ConfigIssue] = field(default_factory=list)
    unread: set[Location] = field(default_factory=set)
    """Locations of values that could not be read; their issues are in `issues`."""

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a file. Raises `ConfigError` if there is none or it is not YAML."""
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            raise ConfigError(f"There is no file {path}.") from None
        except IsADirectoryError:
            raise ConfigError(f"{path} is a folder, not a config file.") from None
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
        except ValueError as error:  # a NUL in the name
            raise ConfigError(f"{path} cannot be read: {error}.") from None
        if len(content) > _MOST_BYTES:
            raise ConfigError(
                f"{path} is too large for a config: over {_MOST_BYTES >> 10} KiB; put large data "
                "in a separate file (`data.file`)."
            )
        source = cls.parse(decode(content, str(path)), str(path), MOST_VALUES)
        source.content = content
        return source

    @classmethod
    def parse(cls, text: str, name: str, most_values: int = 10**6) -> Source:
        """Parse YAML text; `name` is the file name in messages.

        Raises `ConfigError` if it is not YAML or not a mapping. Lesser issues (a repeated key, a
        tag) are kept in `issues`, to be reported together with all others.
        """
        source = cls(name, text, text.encode("utf-8", "surrogatepass"))
        builder = _Builder(source, most_values)
        try:
            for event in placed_events(text):
                builder.take(event)
        except Unreadable as error:
            raise source.error([error.issue]) from None
        except yaml.MarkedYAMLError as error:
            raise source.error([syntax_issue(error, lines_of(text))]) from None
        except yaml.reader.ReaderError as error:
            raise source.error([_forbidden_character(text, error)]) from None
        if not builder.is_mapping:
            raise source.error([builder.not_a_mapping])
        return source

    def copy(self) -> Self:
        """A source of its own to override; scalars, arrays and marks are shared."""
        twin = copy.copy(self)
        twin.tree = _own_containers(self.tree)
        twin.key_marks, twin.value_marks = {**self.key_marks}, {**self.value_marks}
        twin.issues, twin.unread = [*self.issues], {*self.unread}
        return twin

    def error(self, more: Iterable[ConfigIssue] = ()) -> ConfigError:
        """The issues of the text, and more, as one error."""
        return self.error_of([*self.issues, *map(self.located, more)])

    def error_of(self, issues: Iterable[ConfigIssue]) -> ConfigError:
        """Issues, each with its mark, as one error."""
        return config_error(self.name, self.text, issues)

    def located(self, issue: ConfigIssue) -> ConfigIssue:
        """The issue with its mark in the text, from its location in the tree."""
        if issue.mark is not None:
            return issue
        return issue._replace(mark=self.mark_of(issue.location, key=issue.at_key))

    def mark_of(self, location: Location, *, key: bool = False) -> Mark | None:
        """The mark of a value or its key; if it is not written, the mark of its parent's key."""
        while location:
            first, second = self.value_marks, self.key_marks
            if key:
                first, second = second, first
            mark = first.get(location) or second.get(location)
            if mark:
                return mark
            location, key = location[:-1], True
        return None

    def get(self, location: Location, default: Any = None) -> Any:
        """The value at a location, or the default if there is none."""
        return value_at(self.tree, location, default)


def _own_containers(value: Any) -> Any:
    """The same values in new mappings and lists."""
    if isinstance(value, dict):
        return {key: _own_containers(inner) for key, inner in value.items()}
    return [_own_containers(inner) for inner in value] if isinstance(value, list) else value


def value_at(tree: Any, location: Location, default: Any = None) -> Any:
    """The value at a location of a tree, or the default if there is none."""
    for key in location:
        try:
            tree = tree[key]
        except (KeyError, IndexError, TypeError):
            return default
    return tree


class _Frame(NamedTuple):
    container: dict[str, Any] | list[Any]
    location: Location


class _Builder:
    """Turns parser events into the tree of a `Source`."""

    def __init__(self, source: Source, most_values: int) -> None:
        self.source = source
        self.most_values = most_values
        self.frames: list[_Frame] = []
        self.key: str | None = None
        self.values = 0
        self.documents = 0
        self.is_mapping = False
        self.not_a_mapping = ConfigIssue("the file is empty")

    def take(self, placed: Placed) -> None:
        event = placed.event
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            self._count(placed)
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents == 2:
                raise Unreadable(
                    "a second document begins here: a config is one document", placed.mark
                )
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, placed)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open({}, event, placed)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open([], event, placed)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(placed)

    def _count(self, placed: Placed) -> None:
        """Limit the number of values, including those that aliases of aliases multiply."""
        self.values += 1
        if self.values > self.most_values:
            how = "aliases make this" if placed.is_copy else "this is"
            message = f"{how} more than {self.most_values:,} values: too many for a config"
            raise Unreadable(message, placed.mark)

    def _scalar(self, event: yaml.ScalarEvent, placed: Placed) -> None:
        if _UNSPEAKABLE.search(event.value):
            message = "this text contains NUL or a lone surrogate: remove that character"
            raise Unreadable(message, placed.mark)
        if self._expects_key():
            self._refuse_tag(event, placed)
            self._take_key(event, placed)
            return
        try:
            value = event.value if not event.implicit[0] else resolve(event.value)
        except ValueError as error:
            self._report(str(error), placed)
            value = None
            self.source.unread.add(self._next_location())
        self._refuse_tag(event, placed)
        self._put(value, placed)

    def _expects_key(self) -> bool:
        return (
            bool(self.frames) and isinstance(self.frames[-1].container, dict) and self.key is None
        )

    def _take_key(self, event: yaml.ScalarEvent, placed: Placed) -> None:
        frame, self.key = self.frames[-1], event.value
        location = (*frame.location, event.value)
        if event.value == "<<" and event.implicit[0]:
            self._report(
                "merging (`<<`) is not supported: write the keys out, or use an alias for the "
                "whole value (`key: *name`)",
                placed,
            )
        elif event.value in frame.container:
            first = self.source.key_marks[location].line + 1
            key = quoted(event.value)
            message = f"the key {key} is repeated: keep it here or on line {first}"
            self._report(message, placed)
        else:
            self.source.key_marks[location] = placed.mark

    def _open(
        self, container: dict[str, Any] | list[Any], event: yaml.NodeEvent, placed: Placed
    ) -> None:
        if self._expects_key():
            raise Unreadable("a key is text, not a list or mapping", placed.mark)
        if len(self.frames) >= DEEPEST:
            raise Unreadable(f"this nests deeper than {DEEPEST} levels", placed.mark)
        self._refuse_tag(event, placed)
        self.frames.append(_Frame(container, self._put(container, placed)))

    def _close(self, placed: Placed) -> None:
        """End a list or mapping; in brackets on one line, its mark covers the whole."""
        location, end = self.frames.pop().location, placed.mark
        start = self.source.value_marks.get(location)
        if start is not None and not placed.is_copy and start.line == end.line:
            self.source.value_marks[location] = start._replace(end_column=end.end_column)

    def _next_location(self) -> Location:
        """Where the next value belongs; outside the tree for the value of a repeated key."""
        if not self.frames:
            return ()
        container, parent = self.frames[-1]
        if isinstance(container, list):
            return (*parent, len(container))
        assert self.key is not None, "a value in a mapping follows its key"
        is_extra = self.key in container or self.key == "<<"
        return (*parent, self.key, "again") if is_extra else (*parent, self.key)

    def _put(self, value: Any, placed: Placed) -> Location:
        """Store a value where it belongs; return its location."""
        location = self._next_location()
        if not self.frames:
            self._put_root(value, placed)
            return location
        container = self.frames[-1].container
        if isinstance(container, list):
            container.append(value)
        elif self.key != "<<":
            container.setdefault(self.key or "", value)
        self.key = None
        self.source.value_marks.setdefault(location, placed.mark)
        return location

    def _put_root(self, value: Any, placed: Placed) -> None:
        if isinstance(value, dict):
            self.source.tree, self.is_mapping = value, True
            return
        hint = space_after_colon(value) if isinstance(value, str) else None
        message = hint or "a config is a mapping of `key: value` lines"
        self.not_a_mapping = ConfigIssue(message, mark=placed.mark)

    def _refuse_tag(self, event: yaml.NodeEvent, placed: Placed) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            self._report(f"tags are not allowed: remove {quoted(tag)}", placed)

    def _report(self, message: str, placed: Placed) -> None:
        if placed.is_copy:
            return  # reported at the anchor
        self.source.issues.append(ConfigIssue(message, mark=placed.mark))
        if len(self.source.issues) > MOST_ISSUES:
            raise Unreadable(message, placed.mark)


DEEPEST = 50
MOST_VALUES = 20_000
_MOST_BYTES = 2**18
"""With these limits, reading takes under a second: about 20 µs a value, up to 1 µs a byte."""

_UNSPEAKABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that only escapes can produce, and that file names and terminals cannot show."""


def _forbidden_character(text: str, error: yaml.reader.ReaderError) -> ConfigIssue:
    before = lines_of(text[: error.position])
    mark = Mark(len(before) - 1, len(before[-1]), len(before[-1]) + 1)
    message = f"the character U+{int(error.character):04X} is not allowed in YAML"
    return ConfigIssue(message, mark=mark)


def resolve(text: str) -> Any:
    """The value of a plain scalar in YAML 1.2's core schema. Raises `ValueError` if unclear."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text) or _PREFIXED.fullmatch(text):
        if len(text) > _LONGEST_INTEGER:
            most = f"use at most {_LONGEST_INTEGER}"
            raise ValueError(f"an integer of {len(text)} digits is too long: {most}")
        return int(text, 0)
    if re.fullmatch(r"[-+]?0[0-9]+", text):
        raise ValueError(f"write {int(text)} or '{text}', not {text}: a number has no leading 0")
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError(f"{quoted(text)} is too large: the largest number is 1.8e308")
        return number
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


_LONGEST_INTEGER = 30
