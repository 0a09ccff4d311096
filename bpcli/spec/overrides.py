"""`--set key.path=value`: one value of a config replaced, or added, from the command line."""

from __future__ import annotations

from typing import Any

from bpcli.errors import ConfigError
from bpcli.spec.faults import Mark
from bpcli.spec.source import Key, Location, Source


def override(source: Source, assignment: str, option: str = "--set") -> None:
    """Apply `key.path=value`, the value read as YAML. Outranks the file.

    Raises `ConfigError` where the path leads into something that has no keys, or the value is not
    one value.
    """
    path, equals, text = assignment.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(
            f"{option} {assignment}: expected key=value, such as --set training.epochs=50."
        )
    mark = Mark(0, 0, 0, origin=f"{option} {assignment if option == '--set' else text}")
    value = _value(text, mark)
    location = _make_way(source, keys, mark)
    parent: Any = source.get(location[:-1])
    parent[location[-1]] = value
    for marks in (source.key_marks, source.value_marks):
        for stale in [known for known in marks if known[: len(location)] == location]:
            del marks[stale]
        marks[location] = mark


def _value(text: str, mark: Mark) -> Any:
    try:
        parsed = Source.parse(f"value: {text}", "value")
    except ConfigError as error:
        first = str(error).splitlines()[0].split(": ", 1)[1]
        raise ConfigError(f"{mark.origin}: {first}.") from None
    if parsed.faults:
        raise ConfigError(f"{mark.origin}: {parsed.faults[0].message}.")
    if list(parsed.tree) != ["value"]:
        raise ConfigError(f"{mark.origin}: expected one value, found several lines.")
    return parsed.tree["value"]


def _make_way(source: Source, keys: list[str], mark: Mark) -> Location:
    """The location the keys name; mappings on the way are made where they lack."""
    location: Location = ()
    parent: Any = source.tree
    for depth, key in enumerate(keys):
        location = (*location, _step(parent, key, keys[:depth], mark))
        if depth == len(keys) - 1:
            break
        here = source.get(location)
        if here is None:
            here = _place(source, parent, location, {}, mark)
        elif isinstance(here, str) and _is_shorthand(location):
            here = _place(source, parent, location, {"name": here}, None)
        elif not isinstance(here, dict | list):
            where = ".".join(map(str, location))
            raise ConfigError(f"{mark.origin}: `{where}` is {here!r}, which has no keys.")
        parent = here
    return location


def _step(parent: Any, key: str, path: list[str], mark: Mark) -> Key:
    if not isinstance(parent, list):
        return key
    if not key.isdecimal() or int(key) >= len(parent):
        raise ConfigError(
            f"{mark.origin}: `{'.'.join(path)}` is a list of {len(parent)}; its places are 0 to "
            f"{len(parent) - 1}, not {key}."
        )
    return int(key)


def _place(
    source: Source, parent: Any, location: Location, made: dict[str, Any], mark: Mark | None
) -> dict[str, Any]:
    parent[location[-1]] = made
    if mark is not None:
        source.key_marks[location] = source.value_marks[location] = mark
    elif location in source.value_marks:
        source.value_marks[(*location, "name")] = source.value_marks[location]
    return made


def _is_shorthand(location: Location) -> bool:
    """True where a word stands for `{name: word}`, so that options can be set beside it."""
    return location[-1] in ("optimizer", "init", "loss") or location[-2:-1] == ("activations",)
