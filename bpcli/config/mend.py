"""Unknown keys and names of a config, and a copy in which they are replaced by the likely ones.

A misspelt name hides the issues of its options, and a misplaced key is missing where it belongs.
The copy has neither problem, so that validating it once shows all other issues. Keys are corrected
from the top down, then names, then keys again, because names decide which options there are.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bpcli.config.keys import (
    Choice,
    choice_at,
    choices_in,
    could_stand,
    home_of,
    is_section,
    known_keys,
    subsections,
)
from bpcli.config.source import Location, Source, value_at
from bpcli.errors import ConfigIssue
from bpcli.text import quoted, suggestion


@dataclass
class Mended:
    """The corrected copy, the issues of keys and names, and the values in doubt because of them."""

    source: Source
    tree: dict[str, Any]
    issues: list[ConfigIssue] = field(default_factory=list)
    written: dict[Location, Location] = field(default_factory=dict)
    """The original location of each moved value, by its new one."""
    doubtful: set[Location] = field(default_factory=set)
    """Values that differ in the copy from what was written."""
    guessed: set[Location] = field(default_factory=set)
    """Sections whose name is a guess from the given name or options."""
    are_named: bool = False
    """Whether the names are corrected, so that the options beside them can be judged."""
    incomplete: set[Location] = field(default_factory=set)
    """Sections in which a key may be missing because it could not be moved there."""

    def get(self, location: Location) -> Any:
        return value_at(self.tree, location)

    def in_text(self, location: Location) -> Location:
        """The location of a value of the copy in the config as written."""
        for end in range(len(location), 0, -1):
            if location[:end] in self.written:
                return (*self.written[location[:end]], *location[end:])
        return location

    def is_unread(self, location: Location) -> bool:
        """Whether the value there, or an enclosing one, could not be read and has its issue."""
        at = self.in_text(location)
        return any(at[:end] in self.source.unread for end in range(len(at) + 1))


def mend(source: Source) -> Mended:
    """Correct unknown keys and names in a copy of a config."""
    mended = Mended(source, deepcopy(source.tree))
    _mend_keys(mended)
    for location in list(choices_in(mended.tree)):
        _mend_name(mended, location)
    mended.are_named = True
    _mend_keys(mended)
    return mended


# Keys.


class _Meaning(NamedTuple):
    """What an unknown key probably means: a hint, and where it belongs, if known."""

    hint: str
    location: Location | None = None
    can_move: bool = True
    """False if the section has such a key only when it names another entry."""


def _mend_keys(mended: Mended) -> None:
    """Rename or move the unknown keys of the config and of all sections inside."""
    sections: list[Location] = [()]
    for section in sections:  # the list grows during the loop
        value = mended.get(section)
        if isinstance(value, dict):
            meant = {key: _meaning(mended, key, section) for key in _strays(mended, section)}
            outer_first = sorted(meant, key=lambda key: len(meant[key].location or ()))
            moved = [_mend_key(mended, section, key, meant[key]) for key in outer_first]
            sections += [new for new in moved if new is not None and _is_ours(mended, new)]
        inner = value if isinstance(value, dict) else range(len(value))
        locations = ((*section, key) for key in inner)
        sections += [location for location in locations if _is_ours(mended, location)]


def _is_ours(mended: Mended, location: Location) -> bool:
    """Whether the value there is a section, or a list of sections."""
    value = mended.get(location)
    at = (*location, 0) if isinstance(value, list) else location
    return isinstance(value, dict | list) and is_section(at)


def _strays(mended: Mended, section: Location) -> list[str]:
    """Unknown keys; before names are corrected, only keys that are wrong with every name."""
    value, choice = mended.get(section), choice_at(section)
    known = known_keys(mended.tree, section)
    unknown = [key for key in value if key not in known]
    if choice is None:
        return unknown
    if mended.are_named:
        is_guess = section in mended.guessed
        return [key for key in unknown if not (is_guess and choice.with_option(key))]
    absent = [key for key in choice.naming_keys if key not in value]
    return [
        key
        for key in unknown
        if home_of(mended.tree, key, section) is not None
        or (isinstance(value[key], dict) and suggestion(key, subsections(section)))
        or (not could_stand(key, section) and suggestion(key, absent))
    ]


def _meaning(mended: Mended, key: str, section: Location) -> _Meaning:
    choice, value = choice_at(section), mended.get(section)
    is_nameless = choice is not None and not choice.is_named(value)
    if choice is not None and is_nameless and key == "name":
        return _Meaning(f"; did you mean `{choice.key}`?", (*section, choice.key))
    home = home_of(mended.tree, key, section)
    if home is not None:
        return _at_home(home, key, is_known=key in known_keys(mended.tree, home))
    if _owners(section, key):
        return _Meaning(f"; it is an option of {_owners(section, key)}")
    if section == ("data",) and could_stand(key, section):
        return _Meaning("; it is for tables in files (`file`)")
    known = known_keys(mended.tree, section)
    if choice is not None and is_nameless and section == ("data",):
        known = [*choice.naming_keys, *subsections(section)]
    vacant = [name for name in known if name not in value or (*section, name) in mended.incomplete]
    meant = suggestion(key, vacant) or suggestion(key, known)
    if meant is not None:
        return _Meaning(f"; did you mean `{meant}`?", (*section, meant))
    allowed = f"the keys {under(section)} are {', '.join(known)}" if known else "it has no options"
    return _Meaning(f"; {allowed}")


def _at_home(home: Location, key: str, *, is_known: bool) -> _Meaning:
    """The meaning of a key in the wrong section; it cannot be moved into a list."""
    is_in_list = home[-1:] == (0,)
    can_move = is_known and not is_in_list
    owners = "" if can_move else f", with {_owners(home, key)}"
    hint = f"; it belongs {under(home[:-1] if is_in_list else home)}{owners}"
    return _Meaning(hint, (*home, key), can_move)


def _owners(section: Location, key: str) -> str:
    """The entries that have this option, at most four by name."""
    choice = choice_at(section)
    names = choice.with_option(key) if choice is not None else []
    return ", ".join(f"`{name}`" for name in names[:4]) + " or others" * (len(names) > 4)


def under(section: Location) -> str:
    """The phrase for a section in a message: "under `training`"."""
    return f"under {quoted('.'.join(map(str, section)))}" if section else "at the top level"


def _mend_key(mended: Mended, section: Location, key: str, meaning: _Meaning) -> Location | None:
    """Report an unknown key and move its value to where it belongs; return that location."""
    written = mended.in_text((*section, key))
    message = f"unknown key {quoted(key)}{meaning.hint}"
    mended.issues.append(ConfigIssue(message, written, at_key=True))
    value = mended.get(section).pop(key)
    if meaning.location is None:
        return None
    mended.doubtful.add(meaning.location)
    if not meaning.can_move:
        mended.incomplete.add(meaning.location[:-1])
        return None
    return _put(mended, meaning.location, value, written)


def _put(mended: Mended, new: Location, value: Any, written: Location) -> Location | None:
    """Move a value to an empty location; a section joins the one that is there, key by key."""
    home = _section(mended, new[:-1])
    if home is None:
        return None
    existing = home.get(str(new[-1]))
    if isinstance(existing, dict) and isinstance(value, dict):
        for key, inner in value.items():
            _put(mended, (*new, key), inner, (*written, key))
    elif new[-1] in home:
        return None
    else:
        home[str(new[-1])] = value
        mended.written[new] = written
    return new


def _section(mended: Mended, location: Location) -> dict[str, Any] | None:
    """The mapping at a location, made if there is no value; None if there is another value."""
    value, choice = mended.get(location), choice_at(location)
    if isinstance(value, str) and choice is not None and choice.key == "name":
        mended.written[*location, "name"] = mended.in_text(location)
        value = mended.get(location[:-1])[location[-1]] = {"name": value}
    parent = _section(mended, location[:-1]) if value is None else None
    if parent is not None:
        mended.incomplete.add(location)
        value = parent[str(location[-1])] = {}
    return value if isinstance(value, dict) else None


# Names.


def _mend_name(mended: Mended, section: Location) -> None:
    """Report an unknown or missing name, and replace it by the closest one."""
    value, choice = mended.get(section), choice_at(section)
    assert choice is not None, "`choices_in` gives locations of choices"
    at = _name_location(section, value, choice)
    named = None if at is None else mended.get(at)
    if at is None or (isinstance(named, str) and choice.entry(named)):
        return
    meant = suggestion(named, choice.names)
    is_missing = isinstance(value, dict) and choice.key not in value
    if not mended.is_unread(at):
        message = _nameless(section, choice) if is_missing else _unknown(named, choice, meant)
        location = mended.in_text(section if is_missing else at)
        mended.issues.append(ConfigIssue(message, location, at_key=is_missing))
    mended.guessed.add(section)
    options = value if isinstance(value, dict) else ()
    mended.get(at[:-1])[at[-1]] = choice.entry(meant) if meant else choice.closest(options)


def _name_location(section: Location, value: Any, choice: Choice) -> Location | None:
    """Where the name is or should be; None if no name is needed or possible."""
    if isinstance(value, str) and choice.key == "name":
        return section
    if not isinstance(value, dict):
        return None
    is_needed = choice.key in value or not (choice.default or choice.is_named(value))
    return (*section, choice.key) if is_needed else None


def _nameless(section: Location, choice: Choice) -> str:
    return NO_SOURCE if choice.other_keys else f"the key `{choice.key}` is missing {under(section)}"


def _unknown(named: object, choice: Choice, meant: str | None) -> str:
    allowed = ", ".join(f"`{name}`" for name in choice.registry)
    hint = f"; did you mean `{meant}`?" if meant else ""
    return f"found {quoted(named)}, expected {allowed}{hint}"


NO_SOURCE = "expected a mapping with `generator`, `file` or `inputs`"
