"""One config with several optimizers in turn, for a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bpcli.config.load import Config, read_source, validate_all
from bpcli.config.overrides import override
from bpcli.config.reader import Reader
from bpcli.config.source import Source
from bpcli.config.training_checks import asked_optimizer
from bpcli.errors import ConfigError, ConfigIssue

_OPTION = "--optimizers"
_RATE = ("training", "learning_rate")


@dataclass(frozen=True)
class Alternative:
    """The config with one optimizer, labelled as the user wrote it."""

    label: str
    config: Config


def load_alternatives(path: Path, overrides: Sequence[str], optimizers: str) -> list[Alternative]:
    """The config with each optimizer of a list, separated by commas outside brackets.

    The learning rate of the config belongs to its own optimizer: others take their default, unless
    `--set` gives a rate for all. Raises `ConfigError` with the issues of all configs, and if two
    optimizers are the same.
    """
    base = read_source(path, overrides)
    sources = [_with_optimizer(base, text) for text in split_list(optimizers)]
    configs = validate_all([base, *sources])[1:]
    labels = [_label(source.get(("training", "optimizer"))) for source in sources]
    alternatives = [
        Alternative(label, replace(config, overrides=tuple(overrides)))
        for label, config in zip(labels, configs, strict=True)
    ]
    _refuse_twins(alternatives)
    return alternatives


def split_list(text: str) -> list[str]:
    """Split a text at the commas outside brackets. Raises `ConfigError` if an item is empty."""
    items, depth = [""], 0
    for character in text:
        depth += (character in "{[") - (character in "}]")
        if character == "," and depth == 0:
            items.append("")
        else:
            items[-1] += character
    items = [item.strip() for item in items]
    if not all(items):
        raise ConfigError(
            f"{_OPTION} {text}: expected names separated by commas, such as "
            "traingd,{name: gradient_descent, momentum: 0.5}."
        )
    return items


def _with_optimizer(base: Source, text: str) -> Source:
    source = deepcopy(base)
    override(source, f"training.optimizer={text}", option=_OPTION)
    if source.get(("training", "optimizer"), "") is None:
        message = "found nothing, expected the name of an optimizer"
        source.issues.append(source.located(ConfigIssue(message, ("training", "optimizer"))))
    is_own = asked_optimizer(Reader(source))[0] == asked_optimizer(Reader(base))[0]
    mark = base.mark_of(_RATE)
    is_for_all = mark is not None and mark.origin is not None
    if not is_own and not is_for_all:
        source.tree["training"].pop("learning_rate", None)
    return source


def _label(given: Any) -> str:
    """The name that the user wrote, with its options in brackets: traingdm (momentum 0.5)."""
    if not isinstance(given, dict):
        return str(given)
    options = [
        f"{key} {'null' if value is None else value}"
        for key, value in given.items()
        if key != "name"
    ]
    name = given.get("name", "gradient_descent")
    return f"{name} ({', '.join(options)})" if options else str(name)


def _refuse_twins(alternatives: Sequence[Alternative]) -> None:
    twins = list(_twins(alternatives))
    if twins:
        raise ConfigError(f"{_OPTION}: {'; '.join(twins)}. Name each once.")


def _twins(alternatives: Sequence[Alternative]) -> Iterator[str]:
    for number, later in enumerate(alternatives):
        for earlier in alternatives[:number]:
            optimizers = [each.config.spec.training.optimizer for each in (earlier, later)]
            if optimizers[0] == optimizers[1]:
                yield f"`{earlier.label}` and `{later.label}` are the same optimizer"
                break
