"""pydantic's errors in our words, each with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bpcli.config.crosscheck import Complaint
from bpcli.config.issues import MOST_FAULTS
from bpcli.config.keys import ALIASES, NAMING_KEYS, choice_at, could_stand, home_of, known_keys
from bpcli.config.source import Location, Source
from bpcli.config.syntax import space_after_colon
from bpcli.text import did_you_mean, quoted, suggestion


@dataclass(frozen=True)
class WrongValue(Complaint):
    """A value that is not allowed."""


@dataclass(frozen=True)
class MissingKey(Complaint):
    """A key that has no default."""


@dataclass(frozen=True)
class UnknownKey(Complaint):
    """A key that may not stand there; `meant` is where it may, if that can be told."""

    meant: Location | None = None


@dataclass(frozen=True)
class UnknownName(Complaint):
    """A name that is in no registry, which leaves open what options may stand beside it.

    `section` is the value or mapping that names; `meant` the name that is probably meant.
    """

    section: Location = ()
    meant: str | None = None


def explain(source: Source, error: ValidationError | None) -> list[Complaint]:
    """One complaint a place: alternatives of a union are merged."""
    expected: dict[Location, list[str]] = {}
    complaints: list[Complaint] = []
    for detail in [] if error is None else _details(error):
        location = _real_location(source, detail["loc"], detail["type"])
        if detail["type"] == "extra_forbidden":
            complaints.append(_unknown_key(source, location))
        elif detail["type"] == "missing":
            complaints.append(_missing_key(location))
        elif detail["type"] in _TAGS and isinstance(source.get(location), dict | str):
            complaints.append(_unknown_name(source, location, detail))
        else:
            wanted = expected.setdefault(location, [])
            wanted += [text for text in [_expectation(detail)] if text not in wanted]
    places = [*expected, *(complaint.location for complaint in complaints)]
    for location, wanted in expected.items():
        if not _is_shadowed(location, places):
            complaints.append(_wrong_value(source, location, wanted))
    return complaints


_TAGS = ("union_tag_not_found", "union_tag_invalid")


def _details(error: ValidationError) -> Iterator[Any]:
    """The errors but those of a default that depends on another value with a fault of its own."""
    found = error.errors(include_url=False, include_input=False)
    return (
        detail for detail in found[:MOST_FAULTS] if detail["type"] != "default_factory_not_called"
    )


def _is_shadowed(location: Location, all_locations: list[Location]) -> bool:
    """True where a fault deeper inside the same value says it better (a union's other arm)."""
    return any(
        len(other) > len(location) and other[: len(location)] == location for other in all_locations
    )


def _real_location(source: Source, loc: tuple[Any, ...], kind: str) -> Location:
    """Where a pydantic error lies, without the tags of unions, which are no keys of the file."""
    location: list[Any] = []
    value: Any = source.tree
    for position, part in enumerate(loc):
        is_key = isinstance(value, dict) and part in value
        is_place = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if is_key or is_place:
            location.append(part)
            value = value[part]
        elif kind == "missing" and position == len(loc) - 1:
            location.append(part)
    return tuple(location)


# Keys.


def _unknown_key(source: Source, location: Location) -> UnknownKey:
    key, parent = str(location[-1]), location[:-1]
    hint, meant = _meant_key(source, key, parent)
    return UnknownKey(location, f"unknown key {quoted(key)}{hint}", at_key=True, meant=meant)


def _meant_key(source: Source, key: str, parent: Location) -> tuple[str, Location | None]:
    """The hint for an unknown key, and where it should stand."""
    choice = choice_at(parent)
    if key == "name" and choice is not None and choice.key != "name":
        return f"; did you mean `{choice.key}`?", (*parent, choice.key)
    home = home_of(source, key, parent)
    if home is not None:
        if key in known_keys(source, home):
            return f"; it belongs {_place(home)}", (*home, key)
        return f"; it belongs {_place(home)}, with {_owners(home, key)}", None
    other = _of_another(source, key, parent)
    if other is not None:
        return other, None
    known = known_keys(source, parent)
    here = source.get(parent)
    vacant = [name for name in known if not isinstance(here, dict) or name not in here]
    meant = suggestion(key, vacant) or suggestion(key, known)
    if meant is not None:
        return f"; did you mean `{meant}`?", (*parent, meant)
    allowed = f"the keys {_place(parent)} are {', '.join(known)}" if known else "it has no options"
    return f"; {allowed}", None


def _of_another(source: Source, key: str, parent: Location) -> str | None:
    """The hint for an option of other entries than the one chosen."""
    if _owners(parent, key):
        return f"; it is an option of {_owners(parent, key)}"
    if parent == ("data",) and key in known_keys(Source("", ""), parent):
        return "; it is for tables in files (`file`)"
    return None


def _owners(location: Location, key: str) -> str:
    """The entries that have such an option, some of them if they are many."""
    choice = choice_at(location)
    names = choice.with_option(key) if choice is not None else []
    return ", ".join(f"`{name}`" for name in names[:4]) + " or others" * (len(names) > 4)


def _place(location: Location) -> str:
    name = ".".join(map(str, location))
    return f"under {quoted(name)}" if location else "at the top level"


def _missing_key(location: Location) -> MissingKey:
    parent = location[:-1]
    return MissingKey(parent, f"the key `{location[-1]}` is missing {_place(parent)}", at_key=True)


# Names.


def _unknown_name(source: Source, location: Location, detail: Any) -> Complaint:
    """What is in no registry, or a mapping that names nothing."""
    found = source.get(location)
    choice = choice_at(location)
    key = choice.key if choice else "name"
    if isinstance(found, dict) and key not in found:
        return _nameless(source, location, key)
    at = (*location, key) if isinstance(found, dict) else location
    named = source.get(at)
    wanted = _expectation(detail)
    if detail["type"] == "union_tag_not_found" and choice is not None:
        wanted = ", ".join(f"`{name}`" for name in choice.registry)
    meant = suggestion(named, _names_in([wanted]))
    hint = f"; did you mean `{meant}`?" if meant else ""
    message = f"found {quoted(named)}, expected {wanted}{hint}"
    return UnknownName(at, message, section=location, meant=meant and ALIASES.get(meant, meant))


def _nameless(source: Source, location: Location, key: str) -> Complaint:
    """A section without the key that says what it is, perhaps because that is misspelt."""
    found = source.get(location)
    lost = _lost_source(found) if location == ("data",) else None
    if lost is None and "name" in found:
        lost = ("name",)  # as elsewhere: here another key names
    if lost is not None:
        return _unknown_key(source, (*location, *lost))
    for written in found:
        meant = suggestion(written, _SOURCES if location == ("data",) else (key,))
        is_other = could_stand(written, location) or home_of(source, written, location)
        if meant is not None and not is_other:
            at, hint = (*location, written), f"; did you mean `{meant}`?"
            message = f"unknown key {quoted(written)}{hint}"
            return UnknownKey(at, message, at_key=True, meant=(*location, meant))
    message = f"the key `{key}` is missing {_place(location)}"
    if location == ("data",):
        message = "expected a mapping with `generator`, `file` or `inputs`"
    return UnknownName(location, message, at_key=True, section=location)


def _lost_source(data: dict[str, Any]) -> Location | None:
    """Where the source of the data stands in a section of `data` instead, however deep."""
    sections: list[tuple[Location, dict[str, Any]]] = [((), data)]
    for at, section in sections:  # which grows
        for key, inner in section.items():
            if at and key in _SOURCES[:2]:
                return (*at, key)
            if isinstance(inner, dict):
                sections.append(((*at, key), inner))
    return None


_SOURCES = ("generator", "file", "inputs")


def _names_in(wanted: list[str]) -> list[str]:
    names = re.findall(r"`([^`]+)`", " ".join(wanted))
    return names + [alias for alias, name in ALIASES.items() if name in names]


# Values.

_NOUNS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a word",
    "string_too_short": "a word that is not empty",
    "string_unicode": "a word of valid characters",
    "list_type": "a list",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
    "none_required": "null",
    "finite_number": "a finite number",
    "union_tag_not_found": "a name, or a mapping with one",
    "string_pattern_mismatch": "at most 64 letters, digits, - _ and ., the first a letter or digit",
}
_BOUNDS = {
    "greater_than": ("a number greater than {}", "gt"),
    "greater_than_equal": ("a number of at least {}", "ge"),
    "less_than": ("a number less than {}", "lt"),
    "less_than_equal": ("a number of at most {}", "le"),
    "too_short": ("a list of at least {}", "min_length"),
}


def _expectation(detail: Any) -> str:
    """What was allowed, as a noun phrase."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _NOUNS:
        return _NOUNS[kind]
    if kind in _BOUNDS:
        phrase, key = _BOUNDS[kind]
        bound = context[key]
        return phrase.format(bound if isinstance(bound, int) else f"{bound:g}")
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "`")
    if kind == "union_tag_invalid":
        return str(context["expected_tags"]).replace("'", "`").removesuffix(", `arrays`, `file`")
    return str(detail["msg"]).removeprefix("Value error, ")


def _wrong_value(source: Source, location: Location, wanted: list[str]) -> WrongValue:
    found = source.get(location)
    if isinstance(found, dict):
        named = next(
            (key for key in NAMING_KEYS if isinstance(found.get(key), str)),
            None,
        )
        if named is not None:
            location, found = (*location, named), found[named]
    if location == ("data",) and not isinstance(found, dict):
        return WrongValue(location, "expected a mapping with `generator`, `file` or `inputs`")
    if isinstance(found, str) and "a mapping of keys and values" in wanted:
        spaced = space_after_colon(found)
        if spaced is not None:
            return WrongValue(location, spaced)
    hint = _spelling(found, wanted) or did_you_mean(found, _names_in(wanted))
    return WrongValue(location, f"found {quoted(found)}, expected {' or '.join(wanted)}{hint}")


_WORDS_OF_YAML_1_1 = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def _spelling(found: object, wanted: list[str]) -> str:
    """A hint for what is a number or a truth value elsewhere, and a word in YAML 1.2."""
    if not isinstance(found, str) or len(found) > 40:
        return ""
    truth = _WORDS_OF_YAML_1_1.get(found.lower())
    if truth is not None and _NOUNS["bool_type"] in wanted:
        return f"; write `{truth}`"
    number = found.replace("_", "").replace(",", ".")
    is_number = re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", number)
    if is_number and any("number" in noun for noun in wanted):
        return f"; write `{number}`"
    return ""
