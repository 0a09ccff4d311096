"""What a check of several keys reads: values of the config as written, by their paths.

Every check ignores values of a wrong type: the models report those.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from bpcli.config.source import Location, Source
from bpcli.errors import ConfigIssue


class Doubt(Exception):
    """A check read a value that has an issue of its own."""


@dataclass(frozen=True)
class Reader:
    """Reads the values of a config by their paths, such as `data.split.val`."""

    source: Source
    doubtful: Collection[Location] = ()
    """Values that have an issue of their own: reading one ends the check."""

    def __call__(self, path: str, default: Any = None) -> Any:
        location = _location(path)
        if any(location[: len(doubt)] == doubt for doubt in self.doubtful):
            raise Doubt
        return self.source.get(location, default)

    def name(self, path: str) -> str:
        """The name in its short or long form; empty if there is none."""
        value = self(path)
        name = self(f"{path}.name") if isinstance(value, dict) else value
        return name if isinstance(name, str) else ""


Issues: TypeAlias = Iterator[ConfigIssue]
Check: TypeAlias = Callable[[Reader], Issues]


class Checks(list[Check]):
    """The checks of one part of a config, in the order in which they are written."""

    def add(self, check: Check) -> Check:
        """Add a check; to be used as a decorator."""
        self.append(check)
        return check


def issue_at(path: str, message: str, *, at_key: bool = False) -> ConfigIssue:
    """The issue of the value at a path, or of its key."""
    return ConfigIssue(message, _location(path), at_key)


def _location(path: str) -> Location:
    return tuple(int(key) if key.isdecimal() else key for key in path.split("."))


def is_number(value: Any) -> bool:
    """Whether a value is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_list(value: Any) -> list[Any]:
    """The value if it is a list; an empty list for any other."""
    return value if isinstance(value, list) else []
