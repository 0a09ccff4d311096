"""Unknown keys and names of a config, and a copy of it in which what was probably meant stands.

A misspelt name hides what stands beside it, and a key in the wrong place leaves a gap in the right
one. The copy has neither, so that validating it once shows all else that is wrong. Keys are put
right from the top down; then names; then the options, which the names decide.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bpcli.config.keys import (
    SOURCES,
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
    for location in list(choices_in(mended.tree)):
        _mend_options(mended, location)
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
            meanings = {key: _meaning(mended, key, section) for key in _strays(mended, section)}
            moved = (
                _mend_key(mended, section, key, meanings[key]) for key in _outer_first(meanings)
            )
            sections += [new for new in moved if new is not None and _is_ours(mended, new)]
        inner = here if isinstance(here, dict) else range(len(here))
        locations = ((*section, key) for key in inner)
        sections += [location for location in locations if _is_ours(mended, location)]


def _is_ours(mended: Mended, location: Location) -> bool:
    """Whether there is a section, or a list of sections."""
    here = mended.get(location)
    at = (*location, 0) if isinstance(here, list) else location
    return isinstance(here, dict | list) and is_section(at)


def _outer_first(meanings: dict[str, _Meaning]) -> list[str]:
    """A section before the keys that belong in it."""
    return sorted(meanings, key=lambda key: len(meanings[key].location or ()))


def _strays(mended: Mended, section: Location) -> list[str]:
    """Keys that are wrong whatever the section's name is; in one without names, all unknown."""
    here, choice = mended.get(section), choice_at(section)
    unknown = [key for key in here if key not in known_keys(mended.tree, section)]
    if choice is None:
        return unknown
    naming = _missing_names(here, section, choice)
    return [
        key
        for key in unknown
        if home_of(mended.tree, key, section) is not None
        or (isinstance(here[key], dict) and suggestion(key, subsections(section)))
        or (naming and not could_stand(key, section) and suggestion(key, naming))
        or (naming and key == "name")
    ]


def _missing_names(here: dict[str, Any], section: Location, choice: Choice) -> list[str]:
    """Keys that would say what the section is; `inputs` may also be columns of a `file`."""
    if section != ("data",):
        return [] if choice.key in here else [choice.key]
    is_certain = "generator" in here or "file" in here
    return [] if is_certain else [key for key in SOURCES if key not in here]


def _is_named(here: dict[str, Any], section: Location, choice: Choice) -> bool:
    return any(key in here for key in (SOURCES if section == ("data",) else (choice.key,)))


def _meaning(mended: Mended, key: str, section: Location) -> _Meaning:
    choice, here = choice_at(section), mended.get(section)
    is_nameless = choice is not None and not _is_named(here, section, choice)
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
    if section == ("data",) and is_nameless:
        known = [*SOURCES, *subsections(section)]
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
        _add(value, there)
    elif new[-1] in home:
        return None
    home[str(new[-1])] = value
    mended.written[new] = written
    return new


def _add(section: dict[str, Any], more: dict[str, Any]) -> None:
    """Add the keys of another section, and those of its sections to the same ones here."""
    for key, value in more.items():
        here = section.setdefault(key, value)
        if here is not value and isinstance(here, dict) and isinstance(value, dict):
            _add(here, value)


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
    if isinstance(here, str) and choice.key == "name":
        if choice.entry(here) is None:
            meant = _report_unknown(mended, section, here, choice)
            mended.get(section[:-1])[section[-1]] = meant or next(iter(choice.registry))
    elif isinstance(here, dict) and choice.key in here:
        named = here[choice.key]
        if not isinstance(named, str) or choice.entry(named) is None:
            meant = _report_unknown(mended, (*section, choice.key), named, choice)
            here[choice.key] = meant or choice.closest(here)
    elif isinstance(here, dict) and choice.default is None and not _is_named(here, section, choice):
        _report_nameless(mended, section, choice)
        here[choice.key] = choice.closest(here)


def _report_nameless(mended: Mended, section: Location, choice: Choice) -> None:
    message = f"the key `{choice.key}` is missing {place(section)}"
    if section == ("data",):
        message = NO_SOURCE
    mended.issues.append(ConfigIssue(message, mended.in_text(section), at_key=True))
    mended.guessed.add(section)


NO_SOURCE = "expected a mapping with `generator`, `file` or `inputs`"


def _report_unknown(mended: Mended, at: Location, named: Any, choice: Choice) -> str | None:
    """Report a name; return the one that was probably meant."""
    meant = suggestion(named, choice.names)
    hint = f"; did you mean `{meant}`?" if meant else ""
    allowed = ", ".join(f"`{name}`" for name in choice.registry)
    if not mended.is_unread(at):
        message = f"found {quoted(named)}, expected {allowed}{hint}"
        mended.issues.append(ConfigIssue(message, mended.in_text(at)))
    mended.guessed.add(at if choice_at(at) else at[:-1])
    return meant and choice.aliases.get(meant, meant)


def _mend_options(mended: Mended, section: Location) -> None:
    """Report the options that the named entry has not; under a guess, only those of no entry."""
    here, choice = mended.get(section), choice_at(section)
    known = known_keys(mended.tree, section)
    for key in [key for key in here if key not in known] if isinstance(here, dict) else []:
        if section in mended.guessed and choice is not None and choice.with_option(key):
            del here[key]
            continue
        new = _mend_key(mended, section, key, _meaning(mended, key, section))
        if new is not None and _is_ours(mended, new):
            _mend_keys(mended, new)
