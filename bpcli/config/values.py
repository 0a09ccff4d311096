"""Wrong and missing values: pydantic's errors in our wording, one per location."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationError

from bpcli.config.issues import MOST_ISSUES
from bpcli.config.keys import NAMING_KEYS
from bpcli.config.mend import NO_SOURCE, under
from bpcli.config.source import Location, value_at
from bpcli.config.syntax import space_after_colon
from bpcli.errors import ConfigIssue
from bpcli.text import did_you_mean, quoted


def value_issues(tree: Mapping[str, Any], error: ValidationError | None) -> Iterator[ConfigIssue]:
    """The issues that validation found; the alternatives of a union are merged.

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
        message = f"the key `{location[-1]}` is missing {under(location[:-1])}"
        yield ConfigIssue(message, location, at_key=True)
    for location, sentence in sentences.items():
        yield ConfigIssue(sentence, _at_name(tree, location))
    wrong = (*wanted, *sentences, *missing)
    outer = {location[:end] for location in wrong for end in range(len(location))}
    for location, expected in wanted.items():
        if location not in outer:  # else another alternative of a union has an issue deeper inside
            yield _wrong_value(tree, _at_name(tree, location), [*expected])


def _details(error: ValidationError) -> Iterator[Any]:
    """The errors, without unknown keys and defaults that depend on a wrong value."""
    details = error.errors(include_url=False, include_input=False)
    skipped = ("extra_forbidden", "default_factory_not_called")
    return islice((detail for detail in details if detail["type"] not in skipped), MOST_ISSUES)


def _location(tree: Any, loc: tuple[Any, ...], error_type: str) -> Location:
    """The location of a pydantic error, without the tags of unions, which are not in the file."""
    location: list[Any] = []
    for index, step in enumerate(loc):
        is_key = isinstance(tree, dict) and step in tree
        is_item = isinstance(tree, list) and isinstance(step, int) and step < len(tree)
        if is_key or is_item:
            location.append(step)
            tree = tree[step]
        elif error_type == "missing" and index == len(loc) - 1:
            location.append(step)
    return tuple(location)


_NOUNS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "string_unicode": "text of valid characters",
    "list_type": "a list",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
    "none_required": "null",
    "finite_number": "a finite number",
    "union_tag_not_found": "a name, or a mapping with one",
}
_BOUNDS = {
    "greater_than": ("a number greater than {}", "gt"),
    "greater_than_equal": ("a number of at least {}", "ge"),
    "less_than": ("a number less than {}", "lt"),
    "less_than_equal": ("a number of at most {}", "le"),
    "too_short": ("a list of at least {}", "min_length"),
}


def _expectation(detail: Any) -> str:
    """The allowed values, as a noun phrase."""
    error_type, context = detail["type"], detail.get("ctx", {})
    if error_type in _NOUNS:
        return _NOUNS[error_type]
    if error_type in _BOUNDS:
        phrase, key = _BOUNDS[error_type]
        bound = context[key]
        return phrase.format(bound if isinstance(bound, int) else f"{bound:g}")
    if error_type == "literal_error":
        return str(context["expected"]).replace("'", "`")
    return str(detail["msg"])


def _at_name(tree: Any, location: Location) -> Location:
    """The location of the name in a mapping that names a registry entry; else the location."""
    value = value_at(tree, location)
    keys = (
        key for key in NAMING_KEYS if isinstance(value, dict) and isinstance(value.get(key), str)
    )
    return (*location, *islice(keys, 1))


def _wrong_value(tree: Any, location: Location, wanted: list[str]) -> ConfigIssue:
    value = value_at(tree, location)
    if location == ("data",) and not isinstance(value, dict):
        return ConfigIssue(NO_SOURCE, location)
    if isinstance(value, str) and "a mapping of keys and values" in wanted:
        spaced = space_after_colon(value)
        if spaced is not None:
            return ConfigIssue(spaced, location)
    hint = _spelling(value, wanted) or did_you_mean(
        value, re.findall(r"`([^`]+)`", " ".join(wanted))
    )
    return ConfigIssue(f"found {quoted(value)}, expected {' or '.join(wanted)}{hint}", location)


_BOOLEANS_OF_YAML_1_1 = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def _spelling(value: object, wanted: list[str]) -> str:
    """A hint for text that other formats read as a number or boolean, but YAML 1.2 does not."""
    if not isinstance(value, str) or len(value) > 40:
        return ""
    truth = _BOOLEANS_OF_YAML_1_1.get(value.lower())
    if truth is not None and _NOUNS["bool_type"] in wanted:
        return f"; write `{truth}`"
    number = value.replace("_", "").replace(",", ".")
    is_number = re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", number)
    if is_number and any("number" in noun for noun in wanted):
        return f"; write `{number}`"
    return ""
