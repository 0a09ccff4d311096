"""YAML text as a tree of plain values that remembers where each key and value stands.

Scalars follow YAML 1.2's core schema: `1e-3` is a number, `no` a word. Built on PyYAML's events,
without constructors or recursion, so a file can neither run code nor overflow the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from bpcli.errors import ConfigError
from bpcli.spec.faults import Fault, Mark, faults_error

Key: TypeAlias = str | int
Location: TypeAlias = tuple[Key, ...]
"""Where a value stands in the tree: keys and list positions from the top."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: value
    for value in (True, False)
    for word in (str(value), str(value).lower(), str(value).upper())
}


@dataclass
class Source:
    """A config's text, its values as plain Python, and the place of each."""

    name: str
    text: str
    content: bytes = b""
    tree: dict[str, Any] = field(default_factory=dict)
    key_marks: dict[Location, Mark] = field(default_factory=dict)
    value_marks: dict[Location, Mark] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a file. Raises `ConfigError` where there is none or it is not YAML."""
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST + 1)
            text = content.decode("utf-8-sig")
        except FileNotFoundError:
            raise ConfigError(f"There is no file {path}.") from None
        except IsADirectoryError:
            raise ConfigError(f"{path} is a folder, not a config file.") from None
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path} is not UTF-8 text (byte {error.start}).") from None
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
        if len(content) > _LARGEST:
            raise ConfigError(f"{path} is too large for a config: over {_LARGEST >> 20} MiB.")
        source = cls.parse(text, str(path))
        source.content = content
        return source

    @classmethod
    def parse(cls, text: str, name: str) -> Source:
        """Parse YAML text; `name` stands before the line numbers of faults.

        Raises `ConfigError` where it is not YAML or no mapping. Lesser faults (a key twice, a tag)
        are kept in `faults`, to be reported together with what else is wrong.
        """
        source = cls(name, text, text.encode("utf-8", "surrogatepass"))
        builder = _Builder(source)
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                builder.take(event)
        except yaml.MarkedYAMLError as error:
            at = error.problem_mark or error.context_mark
            mark = Mark(at.line, at.column, at.column + 1) if at else None
            message = " ".join(filter(None, (error.context, error.problem)))
            if "'\\t'" in message:
                message = "indent with spaces, not tabs"
            source.faults.append(Fault(f"this is not YAML: {message}", mark))
            raise source.error() from None
        except yaml.reader.ReaderError as error:
            before = text[: error.position]
            line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
            message = f"the character U+{int(error.character):04X} is not allowed in YAML"
            source.faults.append(Fault(message, Mark(line, column, column + 1)))
            raise source.error() from None
        if not builder.is_mapping:
            raise source.error()
        return source

    def error(self, more: Iterable[Fault] = ()) -> ConfigError:
        """The faults of the text, and more, as one error."""
        return faults_error(self.name, self.text, [*self.faults, *more])

    def mark_of(self, location: Location, *, key: bool = False) -> Mark | None:
        """Where a value (or its key) stands; for what is not written, where its parent does."""
        while location:
            first, second = self.value_marks, self.key_marks
            if key:
                first, second = second, first
            found = first.get(location) or second.get(location)
            if found:
                return found
            location, key = location[:-1], True
        return None

    def get(self, location: Location, default: Any = None) -> Any:
        """The value at a location, or the default where nothing stands there."""
        value: Any = self.tree
        for key in location:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return default
        return value


class _Frame(NamedTuple):
    container: dict[str, Any] | list[Any]
    location: Location


class _Builder:
    """Turns parser events into the tree of a `Source`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.frames: list[_Frame] = []
        self.key: str | None = None
        self.documents = 0
        self.is_mapping = False

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents == 2:
                self._fault("one document a file is allowed", event)
        elif isinstance(event, yaml.AliasEvent):
            self._fault("aliases (*name) are not supported: write the value out", event)
            if self._expects_key():
                raise self.source.error()
            self._put(None, event)
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open({}, event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open([], event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self.frames.pop()
        elif isinstance(event, yaml.StreamEndEvent) and not self.documents:
            self.source.faults.append(Fault("the file is empty", None))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if event.tag is not None and event.tag != "!":
            self._fault(f"tags ({event.tag}) are not allowed", event)
        if self._expects_key():
            self._take_key(event)
            return
        try:
            value = event.value if not event.implicit[0] else resolve(event.value)
        except ValueError as error:
            self._fault(str(error), event)
            value = None
        self._put(value, event)

    def _expects_key(self) -> bool:
        return (
            bool(self.frames) and isinstance(self.frames[-1].container, dict) and self.key is None
        )

    def _take_key(self, event: yaml.ScalarEvent) -> None:
        frame, self.key = self.frames[-1], event.value
        location = (*frame.location, event.value)
        if event.value in frame.container:
            first = self.source.key_marks[location].line + 1
            self._fault(f"the key `{event.value}` stands here again, first on line {first}", event)
        else:
            self.source.key_marks[location] = _mark(event)

    def _open(self, container: dict[str, Any] | list[Any], event: Any) -> None:
        if event.tag is not None and event.tag != "!":
            self._fault(f"tags ({event.tag}) are not allowed", event)
        if self._expects_key():
            self._fault("a key is a word, not a list or mapping", event)
            raise self.source.error()
        if len(self.frames) >= _DEEPEST:
            self._fault(f"this nests deeper than {_DEEPEST} levels", event)
            raise self.source.error()
        self.frames.append(_Frame(container, self._put(container, event)))

    def _put(self, value: Any, event: Any) -> Location:
        """Store a value where it belongs; return its location."""
        if not self.frames:
            if isinstance(value, dict) and self.documents == 1:
                self.source.tree, self.is_mapping = value, True
            elif self.documents == 1:
                self._fault("a config is a mapping of `key: value` lines", event)
            return ()
        container, parent = self.frames[-1]
        if isinstance(container, dict):
            assert self.key is not None, "a value in a mapping follows its key"
            location: Location = (*parent, self.key)
            container.setdefault(self.key, value)
            self.key = None
        else:
            location = (*parent, len(container))
            container.append(value)
        self.source.value_marks.setdefault(location, _mark(event))
        return location

    def _fault(self, message: str, event: Any) -> None:
        self.source.faults.append(Fault(message, _mark(event)))


_DEEPEST = 50
_LARGEST = 10 * 2**20
"""Bytes of a config: rows by the thousand belong in a file of their own."""


def _mark(event: Any) -> Mark:
    start, end = event.start_mark, event.end_mark
    one_line = end.line == start.line and end.column > start.column
    return Mark(start.line, start.column, end.column if one_line else start.column + 1)


def resolve(text: str) -> Any:
    """What a plain scalar means in YAML 1.2's core schema. Raises `ValueError` where unclear."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) or _PREFIXED.fullmatch(text):
        if len(text) > _LONGEST_INTEGER:
            raise ValueError(f"an integer of {len(text)} digits is too long")
        return int(text, 0)
    if re.fullmatch(r"[-+]?0[0-9]+", text):
        raise ValueError(f"write {int(text)} or '{text}', not {text}: a number has no leading 0")
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


_LONGEST_INTEGER = 30
