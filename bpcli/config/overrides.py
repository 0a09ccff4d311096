"""`--set key.path=value`: replace or add one value of a config from the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bpcli.config.events import Unreadable
from bpcli.config.source import DEEPEST, MOST_VALUES, Key, Location, Source
from bpcli.errors import ConfigError, Mark
from bpcli.text import quoted


def override(source: Source, assignment: str, option: str = "--set") -> None:
    """Apply `key.path=value`, with the value read as YAML; it takes precedence over the file.

    Its issues are added to those of the source.
    """
    path, _, text = assignment.partition("=")
    shown = assignment if option == "--set" else text
    given = Assignment(path.strip().split("."), text, f"{option} {shown}")
    try:
        _refuse_malformed(assignment, given, option)
        put(source, given.value())
    except Unreadable as error:
        source.issues.append(error.issue._replace(location=tuple(given.keys)))


class NewValue(NamedTuple):
    """A value for the place that the keys lead to, and the marks of the keys and the value.

    `inner_keys` and `inner_values` are the marks inside the value, by their locations in it.
    """

    keys: Sequence[str]
    value: Any
    key_marks: Sequence[Mark]
    value_mark: Mark
    inner_keys: Mapping[Location, Mark]
    inner_values: Mapping[Location, Mark]


class Assignment(NamedTuple):
    """The keys, the value's text, and the option as written, for marks.

    The first `implied` keys follow from the option and are not written in it.
    """

    keys: list[str]
    text: str
    origin: str
    implied: int = 0

    def value(self) -> NewValue:
        """The text read as YAML. Raises `Unreadable`."""
        return self._read("value: ", "")

    def listed(self) -> NewValue:
        """The text read as the items of a list, without its brackets. Raises `Unreadable`."""
        return self._read("value: [", "]")

    def verbatim(self) -> NewValue:
        """The text itself."""
        return NewValue(self.keys, self.text.strip(), self._key_marks, self._value_mark, {}, {})

    def _read(self, before: str, after: str) -> NewValue:
        parsed = self._parsed(f"{before}{self.text}{after}")
        marks = (
            dict(self._inner(marks, len(before)))
            for marks in (parsed.key_marks, parsed.value_marks)
        )
        value = parsed.tree["value"]
        return NewValue(self.keys, value, self._key_marks, self._value_mark, *marks)

    def _parsed(self, text: str) -> Source:
        try:
            parsed = Source.parse(text, "value", MOST_VALUES)
        except ConfigError as error:
            raise Unreadable(error.issues[0].message, self._value_mark) from None
        if parsed.issues:
            raise Unreadable(parsed.issues[0].message, self._value_mark)
        if list(parsed.tree) != ["value"]:
            raise Unreadable("expected one value, found several lines", self._value_mark)
        return parsed

    def _inner(self, marks: dict[Location, Mark], shift: int) -> Iterator[tuple[Location, Mark]]:
        """The marks inside the value, as marks in the option if the value is on one line."""
        for location, mark in marks.items():
            if len(location) > 1:
                start, end = mark.column - shift, mark.end_column - shift
                is_on_line = mark.line == 0 and "\n" not in self.text
                yield location[1:], self._mark_of(start, end) if is_on_line else self._value_mark

    @property
    def _value_mark(self) -> Mark:
        return self._mark_of(0, len(self.text))

    def _mark_of(self, start: int, end: int) -> Mark:
        """The mark of a piece of the value in the option."""
        before = len(self.origin) - len(self.text)
        return Mark(0, before + start, before + end, self.origin)

    @property
    def _key_marks(self) -> list[Mark]:
        return [self._key_mark(number) for number in range(len(self.keys))]

    def _key_mark(self, number: int) -> Mark:
        """The mark of a key of the path; the mark of the value if it is not in the option."""
        path = ".".join(self.keys[self.implied :])
        start = self.origin.find(f"{path}=")
        if start < 0 or number < self.implied:
            return self._value_mark
        start += len(".".join([*self.keys[self.implied : number], ""]))
        return Mark(0, start, start + len(self.keys[number]), self.origin)


def _refuse_malformed(assignment: str, given: Assignment, option: str) -> None:
    """Raises `Unreadable` for text that is not `key.path=value`, or nests too deep."""
    start, origin = len(option) + 1, f"{option} {assignment}"
    if "=" not in assignment or not all(given.keys):
        message = "expected key=value, such as --set training.epochs=50"
        raise Unreadable(message, Mark(0, start, len(origin), origin))
    if len(given.keys) > DEEPEST:
        mark = Mark(0, start, start + assignment.index("="), origin)
        raise Unreadable(f"this nests deeper than {DEEPEST} levels", mark)


def put(source: Source, given: NewValue) -> None:
    """Put a value in its place, with its marks. Raises `Unreadable` if there is no such place."""
    location = _make_way(source, given)
    parent: Any = source.get(location[:-1])
    parent[location[-1]] = given.value
    forget(source, location)
    source.key_marks[location] = given.key_marks[-1]
    source.value_marks[location] = given.value_mark
    for inner, mark in given.inner_keys.items():
        source.key_marks[(*location, *inner)] = mark
    for inner, mark in given.inner_values.items():
        source.value_marks[(*location, *inner)] = mark


def forget(source: Source, location: Location) -> None:
    """Remove the marks of what was at a location, and what is known of values not read there."""
    for marks in (source.key_marks, source.value_marks):
        for stale in [known for known in marks if known[: len(location)] == location]:
            del marks[stale]
    source.unread = {known for known in source.unread if known[: len(location)] != location}


def _make_way(source: Source, given: NewValue) -> Location:
    """The location of the keys; missing mappings on the way are made."""
    location: Location = ()
    parent: Any = source.tree
    for depth in range(len(given.keys)):
        location = (*location, _step(parent, given, depth))
        if depth == len(given.keys) - 1:
            break
        value = source.get(location)
        if value is None:
            value = parent[location[-1]] = {}
            source.key_marks[location] = source.value_marks[location] = given.key_marks[depth]
            source.unread.discard(location)
        elif (key := _long_form(location, value)) is not None:
            value = parent[location[-1]] = {key: value}
            if location in source.value_marks:
                source.value_marks[(*location, key)] = source.value_marks[location]
        elif not isinstance(value, dict | list):
            path = ".".join(map(str, location))
            raise Unreadable(
                f"`{path}` is {quoted(value)}, which has no keys", given.key_marks[depth]
            )
        parent = value
    return location


def _step(parent: Any, given: NewValue, depth: int) -> Key:
    key = given.keys[depth]
    if not isinstance(parent, list):
        return key
    if not (key.isascii() and key.isdecimal()) or int(key[:20]) >= len(parent):
        allowed = f"expected an index from 0 to {len(parent) - 1}" if parent else "it has no items"
        raise Unreadable(
            f"`{'.'.join(given.keys[:depth])}` is a list of {len(parent)}; {allowed}, not {key}",
            given.key_marks[depth],
        )
    return int(key)


def _long_form(location: Location, value: Any) -> str | None:
    """The key that a short value has in its long form, which has options too; None if it has none.

    A text is short for {name: text}, and a number of restarts for {count: number}.
    """
    if isinstance(value, int) and location == ("training", "restarts"):
        return "count"
    has_name = location[-1] in ("optimizer", "init", "loss") or location[-2:-1] == ("activations",)
    return "name" if isinstance(value, str) and has_name else None
