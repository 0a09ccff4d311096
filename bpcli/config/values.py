"""Wrong and missing values: pydantic's errors in our words, one for each place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationError

from bpcli.config.issues import MOST_ISSUES
from bpcli.config.keys import NAMING_KEYS
from bpcli.config.mend import NO_SOURCE, place
from bpcli.config.source import Location, value_at
from bpcli.config.syntax import space_after_colon
from bpcli.errors import ConfigIssue
from bpcli.text import did_you_mean, quoted


def value_issues(tree: Mapping[str, Any], error: ValidationError | None) -> Iterator[ConfigIssue]:
    """What validation found in a tree; the alternatives of a union are merged.

    Missing keys are reported at the key of their section.
    """
    wanted: dict[Location, dict[str, None]] = {}
    sentences: dict[Location, str] = {}
    missing: list[Location] = []
    for detail in [] if error is None else _details(error):
        location = _location(tree, detail["loc"], detail["type"])
        if detail["type"] == "missing":
            missing.append(location)
        elif detail["type"] == "value_error":
            sentences[location] = str(detail["msg"]).removeprefix("Value error, ")
        else:
            wanted.setdefault(location, {})[_expectation(detail)] = None
    for location in missing:
        message = f"the key `{location[-1]}` is missing {place(location[:-1])}"
        yield ConfigIssue(message, location, at_key=True)
    for location, sentence in sentences.items():
        yield ConfigIssue(sentence, _at_name(tree, location))
    found = (*wanted, *sentences, *missing)
    inner = {other[:end] for other in found for end in range(len(other))}
    for location, expected in wanted.items():
        if location not in inner:  # else another arm of a union says more, deeper inside
            yield _wrong_value(tree, _at_name(tree, location), [*expected])


def _details(error: ValidationError) -> Iterator[Any]:
    """The errors but those of unknown keys, and of defaults that depend on what is wrong."""
    found = error.errors(include_url=False, include_input=False)
    told = ("extra_forbidden", "default_factory_not_called")
    return islice((detail for detail in found if detail["type"] not in told), MOST_ISSUES)


def _location(tree: Any, loc: tuple[Any, ...], kind: str) -> Location:
    """Where a pydantic error lies, without the tags of unions, which are no keys of the file."""
    location: list[Any] = []
    for position, step in enumerate(loc):
        is_key = isinstance(tree, dict) and step in tree
        is_item = isinstance(tree, list) and isinstance(step, int) and step < len(tree)
        if is_key or is_item:
            location.append(step)
            tree = tree[step]
        elif kind == "missing" and position == len(loc) - 1:
            location.append(step)
    return tuple(location)


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
    return str(detail["msg"])


def _at_name(tree: Any, location: Location) -> Location:
    """Of a mapping that names an entry of a registry, where the name stands."""
    found = value_at(tree, location)
    keys = (
        key for key in NAMING_KEYS if isinstance(found, dict) and isinstance(found.get(key), str)
    )
    return (*location, *islice(keys, 1))


def _wrong_value(tree: Any, location: Location, wanted: list[str]) -> ConfigIssue:
    found = value_at(tree, location)
    if location == ("data",) and not isinstance(found, dict):
        return ConfigIssue(NO_SOURCE, location)
    if isinstance(found, str) and "a mapping of keys and values" in wanted:
        spaced = space_after_colon(found)
        if spaced is not None:
            return ConfigIssue(spaced, location)
    hint = _spelling(found, wanted) or did_you_mean(
        found, re.findall(r"`([^`]+)`", " ".join(wanted))
    )
    return ConfigIssue(f"found {quoted(found)}, expected {' or '.join(wanted)}{hint}", location)


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
