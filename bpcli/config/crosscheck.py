"""Issues between two keys, checked in the config as written.

Every check ignores values of a wrong type: the models report those.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from bpcli.config.source import Location, Source
from bpcli.data.scaler import FITTED_RULES
from bpcli.errors import ConfigIssue
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.losses import LOSSES, PROBABILITIES, legal_losses
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS, GradientDescent, Optimizer
from bpcli.text import quoted


class _Doubt(Exception):
    """A check read a value that has an issue of its own."""


@dataclass(frozen=True)
class Reader:
    """Reads the values of a config by their paths, such as `data.split.val`."""

    source: Source
    doubtful: Collection[Location] = ()
    """Values that have an issue of their own: reading one ends the check."""

    def __call__(self, path: str, default: Any = None) -> Any:
        location = _location(path)
        if any(location[: len(doubt)] == doubt for doubt in self.doubtful):
            raise _Doubt
        return self.source.get(location, default)

    def name(self, path: str) -> str:
        """The name in its short or long form; empty if there is none."""
        value = self(path)
        name = self(f"{path}.name") if isinstance(value, dict) else value
        return name if isinstance(name, str) else ""


def _issue(path: str, message: str, *, at_key: bool = False) -> ConfigIssue:
    return ConfigIssue(message, _location(path), at_key)


def _location(path: str) -> Location:
    return tuple(int(key) if key.isdecimal() else key for key in path.split("."))


_Issues: TypeAlias = Iterator[ConfigIssue]
_Check: TypeAlias = Callable[[Reader], _Issues]
_CHECKS: list[_Check] = []


def cross_check(source: Source, doubtful: Collection[Location] = ()) -> Iterator[ConfigIssue]:
    """The issues between keys; a check that reads a doubtful value yields nothing more."""
    read = Reader(source, doubtful)
    for check in _CHECKS:
        with suppress(_Doubt):
            yield from check(read)


def _check(check: _Check) -> _Check:
    _CHECKS.append(check)
    return check


def _optimizer_check(check: Callable[[Reader, str, type[Optimizer]], _Issues]) -> _Check:
    """Register a check that also takes the optimizer's registry name and class."""

    def with_optimizer(read: Reader) -> _Issues:
        name, optimizer = asked_optimizer(read)
        if optimizer is not None:
            yield from check(read, name, optimizer)

    return _check(with_optimizer)


def asked_optimizer(read: Reader) -> tuple[str, type[Optimizer] | None]:
    """The registry name of the optimizer, and its class; None if there is no such optimizer."""
    name = read.name("training.optimizer")
    if not name and isinstance(read("training.optimizer"), dict | None):
        name = "gradient_descent"
    name = str(OPTIMIZER_ALIASES.get(name, {"name": name})["name"])
    return name, OPTIMIZERS.get(name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# The network and the loss.


def _one_entry_per_layer(key: str) -> _Check:
    def check(read: Reader) -> _Issues:
        layers, given = read("network.layers"), read(f"network.{key}")
        needed = len(_list(layers)) - 1
        if needed > 0 and isinstance(given, list) and len(given) != needed:
            entries = "1 entry" if len(given) == 1 else f"{len(given)} entries"
            yield _issue(
                f"network.{key}",
                f"`{key}` has {entries}, but {needed + 1} `layers` need {needed}: one for each "
                "layer after the input",
            )

    return check


for _key in ("activations", "bias", "parameters"):
    _check(_one_entry_per_layer(_key))


@_check
def _auto_at_the_ends(read: Reader) -> _Issues:
    for index, size in enumerate(_list(read("network.layers"))[1:-1], start=1):
        if size == "auto":
            message = "`auto` takes a size from the data: only the first and last layer allow it"
            yield _issue(f"network.layers.{index}", message)


@_check
def _legal_loss(read: Reader) -> _Issues:
    activations, loss = _list(read("network.activations")), read.name("loss")
    if not activations or loss not in LOSSES:
        return
    output = read.name(f"network.activations.{len(activations) - 1}")
    output = ACTIVATION_ALIASES.get(output, output)
    if output in ACTIVATIONS and loss not in legal_losses(output):
        needed = " or ".join(LOSSES[loss].output_activations or ())
        yield _issue(
            "loss",
            f"`{loss}` needs {needed} outputs, but the last activation is `{output}`: use "
            f"{needed}, or one of the losses {', '.join(legal_losses(output))}",
        )


# The data and their splits.


@_check
def _one_source(read: Reader) -> _Issues:
    for key in ("inputs", "file"):
        if read("data.generator") is not None and read(f"data.{key}") is not None:
            message = f"`generator` and `{key}` are two sources of data: keep one"
            yield _issue(f"data.{key}", message, at_key=True)


@_check
def _inline_numbers(read: Reader) -> _Issues:
    """Cells of inline arrays that are not finite numbers; targets may all be names of classes."""
    if read("data.file") is not None:
        return  # `inputs` and `targets` name columns
    for key in ("inputs", "targets"):
        rows = _list(read(f"data.{key}"))
        if key == "targets" and all(isinstance(row, str | bool) for row in rows):
            continue
        hint = "; write classes as a list of names: [yes, no, …]" * (key == "targets")
        for number, row in enumerate(rows):
            for column, cell in enumerate(row) if isinstance(row, list) else [("", row)]:
                if not _is_number(cell) or not math.isfinite(cell):
                    path = f"data.{key}.{number}.{column}".rstrip(".")
                    named = isinstance(cell, str | bool)
                    message = f"found {quoted(cell)}, expected a finite number{hint * named}"
                    yield _issue(path, message)


@_check
def _indicator_of_fill(read: Reader) -> _Issues:
    if read("data.indicator") and read("data.fill") is None:
        yield _issue(
            "data.indicator", "`indicator` marks the values that `fill` replaced: set `fill` too"
        )


@_check
def _array_files(read: Reader) -> _Issues:
    """Keys for categories and missing values, which arrays of numbers do not have."""
    file = read("data.file")
    if not isinstance(file, str):
        return
    from bpcli.data.files.arrays import is_array_file  # here: other sources do not need it

    keys = ("fill", "categories", "casefold", "rename", "calendar", "weight", "split.order_by")
    for key in keys:
        if is_array_file(Path(file)) and read(f"data.{key}"):
            name = key.removeprefix("split.")
            message = (
                f"`{name}` is for tables in text files or Parquet, not for arrays: remove this key"
            )
            yield _issue(f"data.{key}", message)


@_check
def _new_names(read: Reader) -> _Issues:
    """New names of categories that mean a missing value."""
    renames = read("data.rename")
    if not isinstance(renames, dict):
        return
    from bpcli.data.files.dialect import MISSING  # here: other sources do not need it

    only = read("data.missing_only")
    words = {*(_list(only) if only is not None else MISSING), *_list(read("data.missing"))}
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


@_check
def _target_scale(read: Reader) -> _Issues:
    scale, loss = read("data.scale.targets", "none"), LOSSES.get(read.name("loss"))
    targets = read("data.targets")
    if isinstance(targets, str) and targets == "same_as_inputs" and scale != "none":
        yield _issue(
            "data.scale.targets",
            "with `targets: same_as_inputs` the targets have the scale of the inputs: remove this "
            "key",
        )
    elif scale in FITTED_RULES and loss is not None and loss.targets != "values":
        needed = "[0, 1]" if loss.targets in PROBABILITIES else "[0, ∞)"
        yield _issue(
            "data.scale.targets",
            f"`{scale}` scales targets beyond {needed}, the range this loss needs: remove this key",
        )


@_check
def _fractions(read: Reader) -> _Issues:
    splits = {name: read(f"data.split.{name}") for name in ("train", "val", "test")}
    numbers = {name: value for name, value in splits.items() if _is_number(value)}
    total = sum(numbers.values())
    given = ", ".join(f"{name} {value:g}" for name, value in numbers.items())
    if read("data.split.folds") is not None:
        return
    if "train" in numbers and abs(total - 1) > 1e-9:
        has_rest = total - numbers["train"] < 1
        way_out = "remove `train` to use the rest" if has_rest else "reduce them"
        message = f"the splits add up to {total:g}, not 1 ({given}): {way_out}"
        yield _issue("data.split", message, at_key=True)
    elif "train" not in numbers and total >= 1:
        message = f"val and test take all rows ({given}), but training needs rows: reduce them"
        yield _issue("data.split", message, at_key=True)


_WAYS = ("files", "index", "column")


@_check
def _one_way_to_split(read: Reader) -> _Issues:
    """Splits given by files, row numbers or a column: in one way, and for tables in files only."""
    ways = [way for way in _WAYS if read(f"data.split.{way}") is not None]
    if ways and read("data.file") is None:
        yield _issue(f"data.split.{ways[0]}", f"`{ways[0]}` is for tables in files", at_key=True)
    elif len(ways) > 1:
        names = " and ".join(f"`{way}`" for way in ways)
        yield _issue(
            f"data.split.{ways[1]}", f"{names} both define the splits: keep one", at_key=True
        )
    for name in ("train", "val", "test"):
        named = [way for way in _WAYS[:2] if read(f"data.split.{way}.{name}") is not None]
        if named and read(f"data.split.{name}"):
            message = f"`{named[0]}` already defines the rows of `{name}`: remove this key"
            yield _issue(f"data.split.{name}", message)


@_check
def _folds(read: Reader) -> _Issues:
    folds, fold = read("data.split.folds"), read("data.split.fold")
    for key in ("train", "test", *_WAYS) if folds is not None else ():
        if read(f"data.split.{key}"):
            yield _issue(
                f"data.split.{key}",
                "each of the `folds` is the test set once, and the other rows are for training: "
                f"remove `{key}`",
                at_key=True,
            )
    if fold is not None and folds is None:
        yield _issue(
            "data.split.fold", "`fold` chooses one of the `folds`: set `folds` too", at_key=True
        )
    elif _is_number(fold) and _is_number(folds) and fold > folds:
        yield _issue("data.split.fold", f"found {fold}, expected at most {folds}, as in `folds`")


@_check
def _splits_in_order(read: Reader) -> _Issues:
    """Keys that contradict splits in the order of rows, and `order_by` without such splits."""
    order = read("data.split.order", "random")
    if read("data.split.order_by") is not None and order == "random":
        message = "`order_by` sorts rows for an `order`: set `order` to time, blocks or interleaved"
        yield _issue("data.split.order_by", message, at_key=True)
    if order not in ("time", "blocks", "interleaved"):
        return
    if read("data.split.stratify") is True:
        yield _issue(
            "data.split.stratify",
            f"`order: {order}` splits rows by their order, not by class: remove `stratify`",
        )
    if order == "time" and read("data.split.folds") is not None:
        yield _issue(
            "data.split.order",
            "with `folds`, a network would train on rows later than those it is tested on: use "
            "`val` and `test` without `folds`, or set `order: blocks` to allow that",
        )
    if read("data.split.column") is not None:
        message = "`column` already defines all splits: remove `order`"
        yield _issue("data.split.order", message, at_key=True)


# The training.


@_check
def _batches(read: Reader) -> _Issues:
    if read("training.batch_size", "full") != "full":
        return
    for key in ("sampling", "rows_per_epoch"):
        if read(f"training.{key}") not in (None, "shuffle"):
            message = f"`{key}` is for mini-batches: set `training.batch_size` to a number"
            yield _issue(f"training.{key}", message)


@_check
def _validation_set(read: Reader) -> _Issues:
    val = read("data.split.val", 0)
    by_file = any(read(f"data.split.{way}.val") for way in _WAYS[:2])
    by_array = read("data.splits.val") is not None or _may_have_splits(read("data.file"))
    if not _is_number(val) or val or by_file or by_array or read("data.split.column") is not None:
        return
    for key in ("max_fail", "generalization_loss"):
        if read(f"training.stop.{key}") is not None:
            yield _issue(
                f"training.stop.{key}",
                f"`{key}` needs the validation loss, but there is no validation set: set "
                "`data.split.val`",
            )
    watched = read("training.stop.plateau.of")
    if watched in ("val_loss", "val_score"):
        yield _issue(
            "training.stop.plateau.of",
            f"`{watched}` needs a validation set, but there is none: set `data.split.val`, or "
            "`of: loss`",
        )


@_check
def _calibration_of_average(read: Reader) -> _Issues:
    if read("training.calibration") is not None and read("training.restarts.combine") == "mean":
        yield _issue(
            "training.calibration",
            "an average of networks is not calibrated: remove this key, or keep the best network",
        )


def _may_have_splits(file: object) -> bool:
    """Whether a file may itself define splits, as those of a Python program's arrays do."""
    return isinstance(file, str) and Path(file).suffix.lower() == ".npz"


@_check
def _restarts(read: Reader) -> _Issues:
    given = read("training.restarts", 1)
    if not isinstance(given, dict | int) or given == 1:
        return
    if read("network.parameters") is not None:
        yield _issue(
            "training.restarts",
            "every restart would begin with the same `network.parameters`: leave out one of the "
            "two",
        )
    if isinstance(given, dict):
        yield from _kept_restarts(given)


def _kept_restarts(given: dict[Any, Any]) -> _Issues:
    count, keep = given.get("count"), given.get("keep")
    if keep is None:
        return
    if given.get("combine", "best") == "best":
        message = "`keep` is for `combine: mean`, which averages the `keep` best networks"
        yield _issue("training.restarts.keep", message, at_key=True)
    elif isinstance(count, int) and isinstance(keep, int) and keep > count:
        yield _issue(
            "training.restarts.keep", f"found {keep}, expected at most the {count} trained"
        )


@_check
def _strip_to_compare(read: Reader) -> _Issues:
    if read("training.stop.progress") is not None and read("training.stop.strip") == 1:
        yield _issue(
            "training.stop.strip",
            "`progress` compares the losses of a strip: it needs a `strip` of at least 2 epochs",
        )


@_check
def _momentum(read: Reader) -> _Issues:
    optimizer = read("training.optimizer")
    if not isinstance(optimizer, dict) or optimizer.get("nesterov") is not True:
        return
    implied = OPTIMIZER_ALIASES.get(read.name("training.optimizer"), {})
    if not optimizer.get("momentum", implied.get("momentum", 0)):
        message = "`nesterov` changes how momentum is applied: set `momentum` above 0"
        yield _issue("training.optimizer.nesterov", message)


@_optimizer_check
def _layerwise(read: Reader, name: str, optimizer: type[Optimizer]) -> _Issues:
    """`update` with another optimizer than gradient descent, the only one with this option."""
    if optimizer is not GradientDescent and read("training.optimizer.update") is not None:
        yield _issue(
            "training.optimizer.update",
            f"only `gradient_descent` updates layers one by one (`update: layerwise`): `{name}` "
            "chooses one step for all parameters together",
            at_key=True,
        )


@_optimizer_check
def _full_batch(read: Reader, name: str, optimizer: type[Optimizer]) -> _Issues:
    if optimizer.full_batch_because and read("training.batch_size", "full") != "full":
        able = [name for name, entry in OPTIMIZERS.items() if entry.full_batch_because is None]
        yield _issue(
            "training.batch_size",
            f"`{name}` needs `batch_size: full`: {optimizer.full_batch_because}; for mini-batches "
            f"use {' or '.join(able)}",
        )


@_optimizer_check
def _learning_rate(read: Reader, name: str, optimizer: type[Optimizer]) -> _Issues:
    rate = read("training.learning_rate", 0)
    if rate is None and optimizer.default_learning_rate is not None:
        message = f"found nothing, expected a number greater than 0: `{name}` needs a learning rate"
        yield _issue("training.learning_rate", message)
    elif isinstance(rate, dict) and optimizer.changes_its_rate:
        yield _issue(
            "training.learning_rate",
            f"`{name}` changes the learning rate itself, so it takes no schedule: set the initial "
            "rate as a number",
            at_key=True,
        )


@_optimizer_check
def _sum_of_squares(read: Reader, name: str, optimizer: type[Optimizer]) -> _Issues:
    loss = LOSSES.get(read.name("loss"))
    if optimizer.needs_sum_of_squares and loss is not None and not loss.is_sum_of_squares:
        squares = [name for name, entry in LOSSES.items() if entry.is_sum_of_squares]
        yield _issue(
            "loss",
            f"`{name}` minimises sums of squares, and this loss is not one: use "
            f"{' or '.join(squares)}, or an optimizer for any loss, such as `lbfgs`",
        )


@_optimizer_check
def _own_l2(read: Reader, name: str, optimizer: type[Optimizer]) -> _Issues:
    if optimizer.finds_l2 and read("training.l2", 0):
        message = f"`{name}` finds the strength of weight decay itself: remove `l2`"
        yield _issue("training.l2", message)


@_check
def _sweep(read: Reader) -> _Issues:
    if isinstance(read("sweep"), dict):
        from bpcli.config.sweep_checks import sweep_issues  # here: few configs have a sweep

        yield from sweep_issues(read.source, read.doubtful)
