"""Issues of a config's `sweep` with the keys that it varies, and between its own keys."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from bpcli.config.domains import (
    Choice,
    Distribution,
    LogWhole,
    Whole,
    distribution,
    grid_values,
    is_whole,
)
from bpcli.config.events import Unreadable
from bpcli.config.keys import could_stand, home_of, is_section, known_keys
from bpcli.config.mend import under
from bpcli.config.overrides import NewValue, put
from bpcli.config.source import DEEPEST, Location, Source
from bpcli.config.sweep_spec import MOST_SETTINGS
from bpcli.errors import ConfigIssue, Mark
from bpcli.text import quoted, suggestion

HIDDEN = "hidden"
"""The swept key that is no key of the config: the sizes of the hidden layers."""

_AT = ("sweep",)
_NO_RESULT = "it changes no result"
_UNSWEPT = {
    "name": "it names the runs",
    "seed": "use `seeds` for several trainings of each setting",
    "sweep": "a sweep cannot contain another sweep",
    "metrics": _NO_RESULT,
    "training.restarts": "use `seeds` for several trainings of each setting",
    "training.workers": _NO_RESULT,
    "training.engine": _NO_RESULT,
    "training.scheduler": _NO_RESULT,
    "training.numerics": "it is the same for all trainings of a process",
    "training.record_params": _NO_RESULT,
    "training.tensorboard": _NO_RESULT,
    "training.log_every": _NO_RESULT,
    "training.metrics_every": _NO_RESULT,
    "training.checkpoint_every": _NO_RESULT,
}
WITHOUT_EFFECT = frozenset(key for key, reason in _UNSWEPT.items() if reason == _NO_RESULT)
"""The keys that change no result of a training."""

_Issues: TypeAlias = Iterator[ConfigIssue]


def sweep_issues(source: Source, doubtful: Collection[Location] = ()) -> _Issues:
    """The issues besides those of single values; entries with an issue of their own are skipped."""
    parts = {name: _mapping(source.get((*_AT, name))) for name in ("grid", "random")}
    keys = [*parts["grid"], *parts["random"]]
    wrong = [location for location in doubtful if location[: len(_AT)] == _AT]
    if not (keys or wrong):
        yield _empty(source)
    for name, entries in parts.items():
        for key in entries:
            yield from _key_issues(source, (*_AT, name, key), key, keys)
    for key in parts["random"]:
        if key in parts["grid"]:
            message = f"`{key}` is in `grid` and in `random`: keep one"
            yield ConfigIssue(message, (*_AT, "random", key), at_key=True)
    if parts["grid"] and source.get((*_AT, "sampler")) == "tpe":
        yield _chosen_grid(next(iter(parts["grid"])))
    if not wrong:
        yield from _number_issues(source, parts["grid"], is_drawn=bool(parts["random"]))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _empty(source: Source) -> ConfigIssue:
    if source.get((*_AT, "trials")) is not None:
        message = "`trials` is the number of settings, but no key varies: add `grid` or `random`"
        return ConfigIssue(message, (*_AT, "trials"), at_key=True)
    message = "a sweep has `grid` or `random`, with at least one key that varies: add one"
    return ConfigIssue(message, _AT, at_key=True)


def _chosen_grid(key: str) -> ConfigIssue:
    """The issue of a grid, which has every combination, with a sampler that chooses."""
    message = (
        "`sampler: tpe` chooses all values itself, but `grid` tries every combination: move "
        f"`{key}` to `random`, or use `sampler: random`"
    )
    return ConfigIssue(message, (*_AT, "grid", key), at_key=True)


# The swept keys.


def _key_issues(source: Source, at: Location, key: str, swept: Collection[str]) -> _Issues:
    """The issues of a swept key."""
    reason = next((why for name, why in _UNSWEPT.items() if _is_in(key, name)), None)
    if key == HIDDEN:
        yield from _hidden_issues(source, at, swept)
    elif reason is not None:
        yield ConfigIssue(f"`{key}` cannot be swept: {reason}", at, at_key=True)
    elif key.count(".") >= DEEPEST:
        yield ConfigIssue(f"this nests deeper than {DEEPEST} levels", at, at_key=True)
    else:
        message = _unknown(source, key) or _unreachable(source, key, swept)
        if message is not None:
            yield ConfigIssue(message, at, at_key=True)


def _is_in(key: str, section: str) -> bool:
    return f"{key}.".startswith(f"{section}.")


def _unknown(source: Source, path: str) -> str | None:
    """The message on a key that no config has."""
    keys = path.split(".")
    for depth, key in enumerate(keys):
        section = tuple(int(key[:20]) if key.isdecimal() else key for key in keys[:depth])
        if not is_section(section):
            continue
        known = known_keys(source.tree, section)
        if key not in known and not could_stand(key, section):
            return f"unknown key {quoted(path)}{_hint(source, keys, section, known)}"
    return None


def _hint(source: Source, keys: list[str], section: Location, known: Collection[str]) -> str:
    """The path that was probably meant, or the keys of the section in which a key is unknown."""
    depth = len(section)
    home = home_of(source.tree, keys[depth], section)
    known = known if section else [*known, HIDDEN]
    meant = suggestion(keys[depth], known)
    if home is not None and 0 not in home:
        return f"; did you mean `{'.'.join(map(str, (*home, *keys[depth:])))}`?"
    if meant == HIDDEN:
        return f"; did you mean `{HIDDEN}`?"
    if meant is not None:
        return f"; did you mean `{'.'.join([*keys[:depth], meant, *keys[depth + 1 :]])}`?"
    allowed = [key for key in known if ".".join([*keys[:depth], key]) not in _UNSWEPT]
    return f"; the keys {under(section)} are {', '.join(allowed)}" if allowed else ""


def _unreachable(source: Source, path: str, swept: Collection[str]) -> str | None:
    """The message on a place that is not in the config, such as an index that is too large."""
    if any(_is_in(path, other) for other in swept if other != path):
        return None  # what contains it varies too
    nowhere = Mark(0, 0, 0)
    keys = path.split(".")
    try:
        put(source.copy(), NewValue(keys, None, [nowhere] * len(keys), nowhere, {}, {}))
    except Unreadable as error:
        return error.issue.message
    return None


def _hidden_issues(source: Source, at: Location, swept: Collection[str]) -> _Issues:
    """The issues of `hidden` with the network, and of its values."""
    for key in swept:
        if _is_in(key, "network.layers"):
            message = f"`hidden` and `{key}` both set the layers: keep one"
            yield ConfigIssue(message, at, at_key=True)
    is_given = source.get(("network", "parameters")) is not None
    if is_given or any(_is_in(key, "network.parameters") for key in swept):
        message = (
            "`hidden` changes the sizes of the layers, but `network.parameters` has their initial "
            "parameters: remove `parameters`"
        )
        yield ConfigIssue(message, at, at_key=True)
    yield from _size_issues(source.get(at), at)


def _size_issues(entry: Any, at: Location) -> _Issues:
    """The issues of each item of a list, or the first of a range or distribution."""
    wrong = {
        number: value
        for number, value in enumerate(_sizes(entry, is_drawn=at[1] == "random"))
        if not _is_hidden(value)
    }
    for number, value in wrong.items() if isinstance(entry, list) else [*wrong.items()][:1]:
        message = (
            f"found {_shown(value)}, expected sizes of hidden layers: a whole number such as 5, a "
            "list such as [10, 5], or 0 for no hidden layer"
        )
        yield ConfigIssue(message, (*at, number) if isinstance(entry, list) else at)


def _sizes(entry: Any, *, is_drawn: bool) -> list[Any]:
    """The values of `hidden` to check; of a distribution, its lowest one."""
    try:
        if not is_drawn:
            return grid_values(entry)
        drawn: Distribution = distribution(entry)
    except ValueError:
        return []  # it is an issue of its own
    if isinstance(drawn, Choice):
        return [*drawn.values]
    return [drawn.low] if isinstance(drawn, Whole | LogWhole) else [drawn.at(0.5)]


def _is_hidden(value: Any) -> bool:
    if isinstance(value, list):
        return all(is_whole(size) and size > 0 for size in value)
    return is_whole(value) and value >= 0


def _shown(value: Any) -> str:
    """A value in full if it is a short list."""
    text = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else ""
    return f"`{text}`" if 0 < len(text) <= 40 else quoted(value)


# Numbers of settings and seeds.


def _number_issues(source: Source, grid: Mapping[str, Any], *, is_drawn: bool) -> _Issues:
    try:
        combinations = math.prod(len(grid_values(entry)) for entry in grid.values())
    except ValueError:
        return  # it is an issue of its own
    trials = source.get((*_AT, "trials"))
    if not is_drawn and trials is None and combinations > MOST_SETTINGS:
        message = (
            f"the grid has {combinations:,} combinations, more than {MOST_SETTINGS:,}: set "
            "`trials`, or use `random`"
        )
        yield ConfigIssue(message, (*_AT, "grid"), at_key=True)
    if grid and not is_drawn and is_whole(trials) and trials > combinations:
        message = f"found {trials:,}, but the grid has only {combinations:,} combinations"
        yield ConfigIssue(message, (*_AT, "trials"))
    seed, seeds = source.get(("seed",), 0), source.get((*_AT, "seeds"), 1)
    if is_whole(seed) and is_whole(seeds) and seed < 2**63 <= seed + seeds - 1:
        message = f"the seeds from {seed} on exceed the largest seed, {2**63 - 1}: use fewer"
        yield ConfigIssue(message, (*_AT, "seeds"))
