"""Unknown keys and names of a config, and a copy of it in which what was probably meant stands.

A misspelt name hides what stands beside it, and a key in the wrong place leaves a gap in the right
one. The copy has neither, so that validating it once shows all else that is wrong. Keys are put
right from the top down; then names; then keys again, since names decide which options there are.
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
    """The copy, what was wrong with keys and names, and what is in doubt because of that."""

    source: Source
    tree: dict[str, Any]
    issues: list[ConfigIssue] = field(default_factory=list)
    written: dict[Location, Location] = field(default_factory=dict)
    """Where what was moved to a location stands in the text."""
    doubtful: set[Location] = field(default_factory=set)
    """Values that were not written as they are in the copy."""
    guessed: set[Location] = field(default_factory=set)
    """Sections under a name of ours, the closest to what was given, or to its options."""
    are_named: bool = False
    """Whether the names are put right, so that the options beside them can be judged."""
    incomplete: set[Location] = field(default_factory=set)
    """Sections in which something may be missing because it could not be put there."""

    def get(self, location: Location) -> Any:
        return value_at(self.tree, location)

    def in_text(self, location: Location) -> Location:
        """Where a value of the copy stands in the config as written."""
        for end in range(len(location), 0, -1):
            if location[:end] in self.written:
                return (*self.written[location[:end]], *location[end:])
        return location

    def is_unread(self, location: Location) -> bool:
        """Whether the text there, or around it, could not be read: its issue is known."""
        at = self.in_text(location)
        return any(at[:end] in self.source.unread for end in range(len(at) + 1))


def mend(source: Source) -> Mended:
    """Put unknown keys and names right in a copy of a config."""
    mended = Mended(source, deepcopy(source.tree))
    _mend_keys(mended, ())
    for location in list(choices_in(mended.tree)):
        _mend_name(mended, location)
    mended.are_named = True
    _mend_keys(mended, ())
    return mended


# Keys.


class _Meaning(NamedTuple):
    """What an unknown key probably means: a hint, and where it belongs, if that can be told."""

    hint: str
    location: Location | None = None
    can_move: bool = True
    """False where the section has such a key under another name only."""


def _mend_keys(mended: Mended, top: Location) -> None:
    """Rename or move the unknown keys of a section, and of all sections inside."""
    sections = [top]
    for section in sections:  # which grows
        here = mended.get(section)
        if isinstance(here, dict):
            meant = {key: _meaning(mended, key, section) for key in _strays(mended, section)}
            outer_first = sorted(meant, key=lambda key: len(meant[key].location or ()))
            moved = [_mend_key(mended, section, key, meant[key]) for key in outer_first]
            sections += [new for new in moved if new is not None and _is_ours(mended, new)]
        inner = here if isinstance(here, dict) else range(len(here))
        locations = ((*section, key) for key in inner)
        sections += [location for location in locations if _is_ours(mended, location)]


def _is_ours(mended: Mended, location: Location) -> bool:
    """Whether there is a section, or a list of sections."""
    here = mended.get(location)
    at = (*location, 0) if isinstance(here, list) else location
    return isinstance(here, dict | list) and is_section(at)


def _strays(mended: Mended, section: Location) -> list[str]:
    """Unknown keys; before the names are right, those that are wrong whatever the name is."""
    here, choice = mended.get(section), choice_at(section)
    known = known_keys(mended.tree, section)
    unknown = [key for key in here if key not in known]
    if choice is None:
        return unknown
    if mended.are_named:
        is_guess = section in mended.guessed
        return [key for key in unknown if not (is_guess and choice.with_option(key))]
    absent = [key for key in choice.naming_keys if key not in here]
    return [
        key
        for key in unknown
        if home_of(mended.tree, key, section) is not None
        or (isinstance(here[key], dict) and suggestion(key, subsections(section)))
        or (not could_stand(key, section) and suggestion(key, absent))
        or (key == "name" and not choice.is_named(here))
    ]


def _meaning(mended: Mended, key: str, section: Location) -> _Meaning:
    choice, here = choice_at(section), mended.get(section)
    is_nameless = choice is not None and not choice.is_named(here)
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
    vacant = [name for name in known if name not in here or (*section, name) in mended.incomplete]
    meant = suggestion(key, vacant) or suggestion(key, known)
    if meant is not None:
        return _Meaning(f"; did you mean `{meant}`?", (*section, meant))
    allowed = f"the keys {place(section)} are {', '.join(known)}" if known else "it has no options"
    return _Meaning(f"; {allowed}")


def _at_home(home: Location, key: str, *, is_known: bool) -> _Meaning:
    """Of a key in the wrong section; which entry of a list it is for cannot be told."""
    is_in_list = home[-1:] == (0,)
    can_move = is_known and not is_in_list
    owners = "" if can_move else f", with {_owners(home, key)}"
    hint = f"; it belongs {place(home[:-1] if is_in_list else home)}{owners}"
    return _Meaning(hint, (*home, key), can_move)


def _owners(section: Location, key: str) -> str:
    """The entries that have such an option, some of them if they are many."""
    choice = choice_at(section)
    names = choice.with_option(key) if choice is not None else []
    return ", ".join(f"`{name}`" for name in names[:4]) + " or others" * (len(names) > 4)


def place(section: Location) -> str:
    """Where the keys of a section stand, in words."""
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
    """Put a value where nothing stands yet; a section, around what was moved into it before."""
    home = _section(mended, new[:-1])
    if home is None:
        return None
    there = home.get(str(new[-1]))
    if isinstance(there, dict) and isinstance(value, dict):
        value = there | value
    elif new[-1] in home:
        return None
    home[str(new[-1])] = value
    mended.written[new] = written
    return new


def _section(mended: Mended, location: Location) -> dict[str, Any] | None:
    """The mapping at a location, made where there is none yet; None where there cannot be."""
    here, choice = mended.get(location), choice_at(location)
    if isinstance(here, str) and choice is not None and choice.key == "name":
        mended.written[*location, "name"] = mended.in_text(location)
        here = mended.get(location[:-1])[location[-1]] = {"name": here}
    parent = _section(mended, location[:-1]) if here is None else None
    if parent is not None:
        mended.incomplete.add(location)
        here = parent[str(location[-1])] = {}
    return here if isinstance(here, dict) else None


# Names.


def _mend_name(mended: Mended, section: Location) -> None:
    """Report a name that is in no registry, or that is missing, and put the closest there."""
    here, choice = mended.get(section), choice_at(section)
    assert choice is not None, "`choices_in` gives locations of choices"
    at = _where_named(section, here, choice)
    named = None if at is None else mended.get(at)
    if at is None or (isinstance(named, str) and choice.entry(named)):
        return
    meant = suggestion(named, choice.names)
    is_missing = isinstance(here, dict) and choice.key not in here
    if not mended.is_unread(at):
        message = _nameless(section, choice) if is_missing else _unknown(named, choice, meant)
        location = mended.in_text(section if is_missing else at)
        mended.issues.append(ConfigIssue(message, location, at_key=is_missing))
    mended.guessed.add(section)
    options = here if isinstance(here, dict) else ()
    mended.get(at[:-1])[at[-1]] = choice.entry(meant) if meant else choice.closest(options)


def _where_named(section: Location, here: Any, choice: Choice) -> Location | None:
    """Where the name stands, or should; None where none has to, or none can: see `values`."""
    if isinstance(here, str) and choice.key == "name":
        return section
    if not isinstance(here, dict):
        return None
    is_needed = choice.key in here or not (choice.default or choice.is_named(here))
    return (*section, choice.key) if is_needed else None


def _nameless(section: Location, choice: Choice) -> str:
    return NO_SOURCE if choice.other_keys else f"the key `{choice.key}` is missing {place(section)}"


def _unknown(named: object, choice: Choice, meant: str | None) -> str:
    allowed = ", ".join(f"`{name}`" for name in choice.registry)
    hint = f"; did you mean `{meant}`?" if meant else ""
    return f"found {quoted(named)}, expected {allowed}{hint}"


NO_SOURCE = "expected a mapping with `generator`, `file` or `inputs`"
