"""Issues that lie between two keys. They are found in the tree as written, beside all others.

Every check is lenient about what it does not understand: the models report that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from bpcli.config.source import Location
from bpcli.data.preprocessing import FITTED_RULES
from bpcli.errors import ConfigIssue
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.losses import LOSSES, Loss, legal_losses
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS, GradientDescent, Optimizer
from bpcli.text import quoted

_SPLIT: Location = ("data", "split")
_STOP: Location = ("training", "stop")
_OPTIMIZER: Location = ("training", "optimizer")
_RATE: Location = ("training", "learning_rate")


class Tree(Protocol):
    """What the checks read: values by their location."""

    def get(self, location: Location, default: Any = None) -> Any: ...


class _Doubt(Exception):
    """A value was asked for that has an issue of its own."""


@dataclass(frozen=True)
class _WithDoubts:
    """A tree of which some values may not be read."""

    tree: Tree
    doubtful: Collection[Location]

    def get(self, location: Location, default: Any = None) -> Any:
        if any(location[: len(doubt)] == doubt for doubt in self.doubtful):
            raise _Doubt
        return self.tree.get(location, default)


def cross_check(tree: Tree, doubtful: Collection[Location] = ()) -> Iterator[ConfigIssue]:
    """The issues that no single key has; a check that reads what is in doubt is given up."""
    trusted = _WithDoubts(tree, doubtful)
    for check in _CHECKS:
        with suppress(_Doubt):
            yield from check(trusted)


_Check: TypeAlias = Callable[[Tree], Iterator[ConfigIssue]]
_CHECKS: list[_Check] = []


def _check(check: _Check) -> _Check:
    _CHECKS.append(check)
    return check


def _optimizer_check(
    check: Callable[[Tree, str, type[Optimizer]], Iterator[ConfigIssue]],
) -> _Check:
    """A check that also takes the optimizer and our name for it."""

    def with_optimizer(tree: Tree) -> Iterator[ConfigIssue]:
        name, kind = asked_optimizer(tree)
        if kind is not None:
            yield from check(tree, name, kind)

    return _check(with_optimizer)


def asked_optimizer(tree: Tree) -> tuple[str, type[Optimizer] | None]:
    """Our name for the optimizer, and its class; None where there is no such optimizer."""
    name = _name_at(tree, _OPTIMIZER)
    if not name and isinstance(tree.get(_OPTIMIZER), dict | None):
        name = "gradient_descent"
    name = str(OPTIMIZER_ALIASES.get(name, {"name": name})["name"])
    return name, OPTIMIZERS.get(name)


def _loss(tree: Tree) -> type[Loss] | None:
    return LOSSES.get(_name_at(tree, ("loss",)))


def _name_at(tree: Tree, location: Location) -> str:
    """The name in a short or long form; nothing that any registry knows where there is none."""
    value = tree.get(location)
    name = tree.get((*location, "name")) if isinstance(value, dict) else value
    return name if isinstance(name, str) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# The network and the loss.


def _one_entry_a_layer(key: str) -> _Check:
    def check(tree: Tree) -> Iterator[ConfigIssue]:
        layers, given = tree.get(("network", "layers")), tree.get(("network", key))
        if not isinstance(layers, list) or len(layers) < 2 or not isinstance(given, list):
            return
        if len(given) != len(layers) - 1:
            entries = "1 entry" if len(given) == 1 else f"{len(given)} entries"
            yield ConfigIssue(
                f"`{key}` has {entries}, but {len(layers)} `layers` need {len(layers) - 1}: one "
                "for each layer after the input",
                ("network", key),
            )

    return check


for _key in ("activations", "bias", "parameters"):
    _check(_one_entry_a_layer(_key))


@_check
def _auto_at_the_ends(tree: Tree) -> Iterator[ConfigIssue]:
    layers = tree.get(("network", "layers"))
    for position, size in enumerate(layers if isinstance(layers, list) else []):
        if size == "auto" and 0 < position < len(layers) - 1:
            yield ConfigIssue(
                "`auto` takes a size from the data: only the first and the last layer can",
                ("network", "layers", position),
            )


@_check
def _legal_loss(tree: Tree) -> Iterator[ConfigIssue]:
    activations, loss = tree.get(("network", "activations")), _name_at(tree, ("loss",))
    if not isinstance(activations, list) or not activations or loss not in LOSSES:
        return
    output = _name_at(tree, ("network", "activations", len(activations) - 1))
    output = ACTIVATION_ALIASES.get(output, output)
    if output in ACTIVATIONS and loss not in legal_losses(output):
        needed = " or ".join(LOSSES[loss].output_activations or ())
        yield ConfigIssue(
            f"`{loss}` needs a {needed} output layer, but the last activation is `{output}`, which "
            f"goes with {', '.join(legal_losses(output))}",
            ("loss",),
        )


# The data and their splits.


@_check
def _one_source(tree: Tree) -> Iterator[ConfigIssue]:
    has_generator = tree.get(("data", "generator")) is not None
    for key in ("inputs", "file"):
        if has_generator and tree.get(("data", key)):
            yield ConfigIssue(
                f"`generator` and `{key}` are two sources of data: keep one",
                ("data", key),
                at_key=True,
            )


@_check
def _inline_numbers(tree: Tree) -> Iterator[ConfigIssue]:
    """Cells of inline arrays that are no finite numbers; targets may be all words instead."""
    if tree.get(("data", "file")) is not None:
        return  # they are names of columns
    for key in ("inputs", "targets"):
        rows = tree.get(("data", key))
        are_words = key == "targets" and rows and all(isinstance(row, str) for row in rows)
        for number, row in enumerate(rows if isinstance(rows, list) and not are_words else []):
            cells = (
                [((column,), cell) for column, cell in enumerate(row)]
                if isinstance(row, list)
                else [((), row)]
            )
            for position, cell in cells:
                if not _is_number(cell) or not math.isfinite(cell):
                    message = f"found {quoted(cell)}, expected a finite number"
                    yield ConfigIssue(message, ("data", key, number, *position))


@_check
def _indicator_of_fill(tree: Tree) -> Iterator[ConfigIssue]:
    if tree.get(("data", "indicator")) and tree.get(("data", "fill")) is None:
        yield ConfigIssue(
            "`indicator` marks the values that `fill` put in: set `fill` too", ("data", "indicator")
        )


@_check
def _array_files(tree: Tree) -> Iterator[ConfigIssue]:
    """Keys for columns of words and missing values, which arrays of numbers do not have."""
    file = tree.get(("data", "file"))
    if not isinstance(file, str):
        return
    from bpcli.data.files.arrays import ARRAY_SUFFIXES  # only now: other sources do without

    for key in ("fill", "categories", "weight"):
        if file.lower().endswith(ARRAY_SUFFIXES) and tree.get(("data", key)):
            yield ConfigIssue(
                f"`{key}` is for tables in text files or Parquet, not for arrays", ("data", key)
            )


@_check
def _target_scale(tree: Tree) -> Iterator[ConfigIssue]:
    at: Location = ("data", "scale", "targets")
    scale, loss = tree.get(at, "none"), _loss(tree)
    if tree.get(("data", "targets")) == "same_as_inputs" and scale != "none":
        yield ConfigIssue(
            "with `targets: same_as_inputs` the targets take the scale of the inputs: leave this "
            "out",
            at,
        )
    elif scale in FITTED_RULES and loss is not None and loss.targets != "values":
        yield ConfigIssue(
            f"`{scale}` takes targets out of [0, 1], where the loss needs them: leave this out", at
        )


@_check
def _fractions(tree: Tree) -> Iterator[ConfigIssue]:
    if tree.get((*_SPLIT, "folds")) is not None:
        return
    splits = {name: tree.get((*_SPLIT, name)) for name in ("train", "val", "test")}
    numbers = {name: value for name, value in splits.items() if _is_number(value)}
    total = sum(numbers.values())
    told = ", ".join(f"{name} {value:g}" for name, value in numbers.items())
    if "train" in numbers and abs(total - 1) > 1e-9:
        message = f"the splits add up to {total:g}, not 1 ({told})"
        yield ConfigIssue(message, _SPLIT, at_key=True)
    elif "train" not in numbers and total >= 1:
        message = f"val and test take all rows ({told}): none are left to train on"
        yield ConfigIssue(message, _SPLIT, at_key=True)


_WAYS = ("files", "index", "column")


@_check
def _one_way_to_split(tree: Tree) -> Iterator[ConfigIssue]:
    """Splits named by files, row numbers or a column: in one way, and for files alone."""
    ways = [way for way in _WAYS if tree.get((*_SPLIT, way)) is not None]
    if ways and tree.get(("data", "file")) is None:
        message = f"`{ways[0]}` is for tables in files"
        yield ConfigIssue(message, (*_SPLIT, ways[0]), at_key=True)
    elif len(ways) > 1:
        names = " and ".join(f"`{way}`" for way in ways)
        message = f"{names} both name the splits: keep one"
        yield ConfigIssue(message, (*_SPLIT, ways[1]), at_key=True)
    for name in ("train", "val", "test"):
        named = [way for way in ("files", "index") if tree.get((*_SPLIT, way, name)) is not None]
        if named and tree.get((*_SPLIT, name)):
            message = f"`{named[0]}` says which rows are in `{name}`: leave this out"
            yield ConfigIssue(message, (*_SPLIT, name))


@_check
def _folds(tree: Tree) -> Iterator[ConfigIssue]:
    folds, fold = tree.get((*_SPLIT, "folds")), tree.get((*_SPLIT, "fold"))
    for key in ("train", "test", *_WAYS) if folds is not None else ():
        if tree.get((*_SPLIT, key)):
            yield ConfigIssue(
                "each of the `folds` is a test set in turn, and all other rows train: leave "
                f"`{key}` out",
                (*_SPLIT, key),
                at_key=True,
            )
    if fold is not None and folds is None:
        message = "`fold` chooses one of several: set `folds` too"
        yield ConfigIssue(message, (*_SPLIT, "fold"), at_key=True)
    elif _is_number(fold) and _is_number(folds) and fold > folds:
        yield ConfigIssue(f"found {fold}, but there are {folds} `folds`", (*_SPLIT, "fold"))


# The training.


@_check
def _batches(tree: Tree) -> Iterator[ConfigIssue]:
    if tree.get(("training", "batch_size"), "full") != "full":
        return
    if tree.get(("training", "sampling"), "shuffle") == "random":
        yield ConfigIssue(
            "`sampling: random` draws mini-batches: give `training.batch_size` a number",
            ("training", "sampling"),
        )
    if tree.get(("training", "rows_per_epoch")) is not None:
        yield ConfigIssue(
            "`rows_per_epoch` is for mini-batches: give `training.batch_size` a number",
            ("training", "rows_per_epoch"),
        )


@_check
def _validation_set(tree: Tree) -> Iterator[ConfigIssue]:
    val = tree.get((*_SPLIT, "val"), 0)
    by_file = any(tree.get((*_SPLIT, way, "val")) for way in ("files", "index"))
    if not _is_number(val) or val or by_file or tree.get((*_SPLIT, "column")) is not None:
        return
    for key in ("max_fail", "generalization_loss"):
        if tree.get((*_STOP, key)) is not None:
            yield ConfigIssue(
                f"`{key}` watches the validation loss, but there is no validation set: set "
                "`data.split.val`",
                (*_STOP, key),
            )


@_check
def _strip_to_compare(tree: Tree) -> Iterator[ConfigIssue]:
    if tree.get((*_STOP, "progress")) is not None and tree.get((*_STOP, "strip")) == 1:
        yield ConfigIssue(
            "`progress` compares the losses of a strip: it needs a `strip` of at least 2 epochs",
            (*_STOP, "strip"),
        )


@_check
def _momentum(tree: Tree) -> Iterator[ConfigIssue]:
    optimizer = tree.get(_OPTIMIZER)
    if not isinstance(optimizer, dict) or optimizer.get("nesterov") is not True:
        return
    implied = OPTIMIZER_ALIASES.get(_name_at(tree, _OPTIMIZER), {})
    if not optimizer.get("momentum", implied.get("momentum", 0)):
        yield ConfigIssue(
            "`nesterov` changes how momentum is applied: set `momentum` above 0",
            (*_OPTIMIZER, "nesterov"),
        )


@_optimizer_check
def _layerwise(tree: Tree, name: str, optimizer: type[Optimizer]) -> Iterator[ConfigIssue]:
    """`update`, an option of gradient descent alone, under another optimizer."""
    at = (*_OPTIMIZER, "update")
    if optimizer is not GradientDescent and tree.get(at) is not None:
        yield ConfigIssue(
            f"only `gradient_descent` updates layers one by one (`update: layerwise`): `{name}` "
            "chooses one step for all parameters together",
            at,
            at_key=True,
        )


@_optimizer_check
def _full_batch(tree: Tree, name: str, optimizer: type[Optimizer]) -> Iterator[ConfigIssue]:
    at: Location = ("training", "batch_size")
    if optimizer.full_batch_because and tree.get(at, "full") != "full":
        able = [name for name, kind in OPTIMIZERS.items() if kind.full_batch_because is None]
        yield ConfigIssue(
            f"`{name}` needs `batch_size: full`: {optimizer.full_batch_because}; mini-batches go "
            f"with {' or '.join(able)}",
            at,
        )


@_optimizer_check
def _learning_rate(tree: Tree, name: str, optimizer: type[Optimizer]) -> Iterator[ConfigIssue]:
    rate = tree.get(_RATE, 0)
    if rate is None and optimizer.default_learning_rate is not None:
        yield ConfigIssue(
            f"found nothing, expected a number greater than 0: `{name}` needs a learning rate",
            _RATE,
        )
    elif isinstance(rate, dict) and optimizer.changes_its_rate:
        yield ConfigIssue(
            f"`{name}` changes the learning rate itself, so it has no schedule: give the number to "
            "start with",
            _RATE,
            at_key=True,
        )


@_optimizer_check
def _sum_of_squares(tree: Tree, name: str, optimizer: type[Optimizer]) -> Iterator[ConfigIssue]:
    loss = _loss(tree)
    if optimizer.needs_sum_of_squares and loss is not None and not loss.is_sum_of_squares:
        squares = [name for name, kind in LOSSES.items() if kind.is_sum_of_squares]
        yield ConfigIssue(
            f"`{name}` minimises sums of squares, and this loss is not one: take "
            f"{' or '.join(squares)}, or an optimizer for any loss, such as `lbfgs`",
            ("loss",),
        )


@_optimizer_check
def _own_l2(tree: Tree, name: str, optimizer: type[Optimizer]) -> Iterator[ConfigIssue]:
    if optimizer.finds_l2 and tree.get(("training", "l2"), 0):
        yield ConfigIssue(
            f"`{name}` finds the strength of weight decay itself: leave `l2` out",
            ("training", "l2"),
        )
