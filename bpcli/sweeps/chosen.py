"""The settings that a sampler has chosen, as the folder of a sweep keeps them.

They are written before they are trained. So a sweep that is resumed trains what it began with, also
if another version of Optuna would choose otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

from bpcli.config.domains import (
    Choice,
    Distribution,
    LogUniform,
    LogWhole,
    Uniform,
    Whole,
    is_whole,
)
from bpcli.errors import RunError
from bpcli.runs.files import GrowingFile, to_json
from bpcli.runs.saved import Count, JsonValue, Saved, Text, check, structure
from bpcli.sweeps.journal import read_lines

Settings: TypeAlias = Mapping[int, Mapping[str, Any]]


@structure
class ChosenSetting(Saved):
    """A line of the file: the number of a setting and its values."""

    setting: Count
    values: dict[Text, JsonValue]


def read_settings(path: Path, domains: Mapping[str, Distribution]) -> dict[int, dict[str, Any]]:
    """The settings in a file, by their numbers. Raises `RunError` if it is damaged.

    Numbers count from 0, and each value is one that its key can have.
    """
    lines, _ = read_lines(path)
    settings = {}
    for number, line in enumerate(lines):
        chosen = check(ChosenSetting, line, path)
        where = f"{path} is damaged: in line {number + 1}"
        if chosen.setting != number:
            raise RunError(f"{where}, the setting is {chosen.setting}, not {number}.")
        if chosen.values.keys() != domains.keys():
            raise RunError(f"{where}, the keys are not those of the sweep: {', '.join(domains)}.")
        try:
            settings[number] = {
                key: _known(domain, chosen.values[key]) for key, domain in domains.items()
            }
        except ValueError as error:
            raise RunError(f"{where}, {error}.") from None
    return settings


def keep_settings(
    path: Path, domains: Mapping[str, Distribution], chosen: Settings
) -> dict[int, Mapping[str, Any]]:
    """Write the settings that the file does not have yet; those that it has win.

    They are on the disk on return. Raises `RunError` if they cannot be written.
    """
    known = read_settings(path, domains)
    new = {number: values for number, values in chosen.items() if number not in known}
    if new:
        lines = [ChosenSetting(number, dict(values)).to_json() for number, values in new.items()]
        content = "".join(to_json(line, indent=None) + "\n" for line in lines).encode()
        with closing(GrowingFile(path, read_lines(path)[1])) as file:
            file.grow(content)
            file.sync()
    return {number: known.get(number, values) for number, values in chosen.items()}


def _known(domain: Distribution, value: object) -> Any:
    """The value of a domain that is written so. Raises `ValueError` if there is none."""
    text = to_json(value, indent=None)
    match domain:
        case Choice(values):
            matches = [each for each in values if to_json(each, indent=None) == text]
        case Whole(low, high) | LogWhole(low, high):
            matches = [value] if is_whole(value) and low <= value <= high else []
        case Uniform(low, high) | LogUniform(low, high):
            matches = [value] if isinstance(value, float) and low <= value <= high else []
        case _:
            raise TypeError(f"no values of {domain}")
    if not matches:
        raise ValueError(f"{text[:80]} is not one of the values allowed for its key")
    return matches[0]
