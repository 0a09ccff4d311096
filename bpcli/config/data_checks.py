"""Issues between the keys of the data, besides those of their splits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bpcli.config.reader import Checks, Issues, Reader, as_list, is_number, issue_at
from bpcli.config.source import Location
from bpcli.data.scaler import FITTED_RULES
from bpcli.errors import ConfigIssue
from bpcli.nn.losses import LOSSES, PROBABILITIES
from bpcli.text import quoted

CHECKS = Checks()


@CHECKS.add
def _one_source(read: Reader) -> Issues:
    for key in ("inputs", "file"):
        if read("data.generator") is not None and read(f"data.{key}") is not None:
            message = f"`generator` and `{key}` are two sources of data: keep one"
            yield issue_at(f"data.{key}", message, at_key=True)


@CHECKS.add
def _inline_numbers(read: Reader) -> Issues:
    """Cells of inline arrays that are not finite numbers; targets may all be names of classes."""
    if read("data.file") is not None:
        return  # `inputs` and `targets` name columns
    for key in ("inputs", "targets"):
        rows = as_list(read(f"data.{key}"))
        if key == "targets" and all(isinstance(row, str | bool) for row in rows):
            continue
        hint = "; write classes as a list of names: [yes, no, …]" * (key == "targets")
        for number, row in enumerate(rows):
            for column, cell in enumerate(row) if isinstance(row, list) else [("", row)]:
                if not is_number(cell) or not math.isfinite(cell):
                    path = f"data.{key}.{number}.{column}".rstrip(".")
                    named = isinstance(cell, str | bool)
                    message = f"found {quoted(cell)}, expected a finite number{hint * named}"
                    yield issue_at(path, message)


@CHECKS.add
def _indicator_of_fill(read: Reader) -> Issues:
    if read("data.indicator") and read("data.fill") is None:
        yield issue_at(
            "data.indicator", "`indicator` marks the values that `fill` replaced: set `fill` too"
        )


@CHECKS.add
def _array_files(read: Reader) -> Issues:
    """Keys for categories and missing values, which arrays of numbers do not have."""
    file = read("data.file")
    if not isinstance(file, str):
        return
    from bpcli.data.files.array_files import is_array_file  # here: other sources do not need it

    keys = ("fill", "categories", "casefold", "rename", "calendar", "weight", "split.order_by")
    for key in keys:
        if is_array_file(Path(file)) and read(f"data.{key}"):
            name = key.removeprefix("split.")
            message = (
                f"`{name}` is for tables in text files or Parquet, not for arrays: remove this key"
            )
            yield issue_at(f"data.{key}", message)


@CHECKS.add
def _new_names(read: Reader) -> Issues:
    """New names of categories that mean a missing value."""
    renames = read("data.rename")
    if not isinstance(renames, dict):
        return
    from bpcli.data.files.dialect import MISSING  # here: other sources do not need it

    only = read("data.missing_only")
    words = {*(as_list(only) if only is not None else MISSING), *as_list(read("data.missing"))}
    for keys, name in _leaves(renames):
        if isinstance(name, str) and name.strip() in map(str, words):
            message = (
                f"{quoted(name)} means a missing value: list {quoted(keys[-1])} in `missing` "
                "instead"
            )
            yield ConfigIssue(message, ("data", "rename", *keys))


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[Location, Any]]:
    """The values of a mapping and of the mappings in it."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from (((key, *keys), leaf) for keys, leaf in _leaves(value))
        else:
            yield (key,), value


@CHECKS.add
def _target_scale(read: Reader) -> Issues:
    scale, loss = read("data.scale.targets", "none"), LOSSES.get(read.name("loss"))
    targets = read("data.targets")
    if isinstance(targets, str) and targets == "same_as_inputs" and scale != "none":
        yield issue_at(
            "data.scale.targets",
            "with `targets: same_as_inputs` the targets have the scale of the inputs: remove this "
            "key",
        )
    elif scale in FITTED_RULES and loss is not None and loss.targets != "values":
        needed = "[0, 1]" if loss.targets in PROBABILITIES else "[0, ∞)"
        yield issue_at(
            "data.scale.targets",
            f"`{scale}` scales targets beyond {needed}, the range this loss needs: remove this key",
        )
