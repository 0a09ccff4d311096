"""Faults that lie between two keys. They read the raw tree, so that they are found beside others.

Every check is lenient about what it does not understand: the models report that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from bpcli.config.issues import Fault
from bpcli.config.source import Location, Source
from bpcli.data.preprocessing import FITTED_RULES
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.losses import LOSSES, legal_losses
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS, GradientDescent, Optimizer
from bpcli.text import quoted


@dataclass(frozen=True)
class Complaint:
    """Something wrong at a location of the tree."""

    location: Location
    message: str
    at_key: bool = False


def faults_of(source: Source, complaints: Iterable[Complaint]) -> list[Fault]:
    """Complaints at their places in the text."""
    return [
        Fault(complaint.message, source.mark_of(complaint.location, key=complaint.at_key))
        for complaint in complaints
    ]


class Tree(Protocol):
    """What the checks read: values by their location."""

    def get(self, location: Location, default: Any = None) -> Any: ...


class _Doubt(Exception):
    """A value was asked for that is wrong by itself."""


@dataclass(frozen=True)
class _WithDoubts:
    """A tree of which some values may not be read."""

    tree: Tree
    doubtful: Collection[Location]

    def get(self, location: Location, default: Any = None) -> Any:
        if any(location[: len(doubt)] == doubt for doubt in self.doubtful):
            raise _Doubt
        return self.tree.get(location, default)


def cross_check(tree: Tree, doubtful: Collection[Location] = ()) -> Iterator[Complaint]:
    """The faults that no single key has; a check that reads what is in doubt is given up."""
    trusted = _WithDoubts(tree, doubtful)
    for check in _CHECKS:
        with suppress(_Doubt):
            yield from check(trusted)


def _entries_of(key: str) -> Callable[[Tree], Iterator[Complaint]]:
    """Whether a list of the network has one entry a layer."""

    def check(source: Tree) -> Iterator[Complaint]:
        layers, found = source.get(("network", "layers")), source.get(("network", key))
        if not isinstance(layers, list) or len(layers) < 2 or not isinstance(found, list):
            return
        wanted = len(layers) - 1
        if len(found) != wanted:
            entries = "1 entry" if len(found) == 1 else f"{len(found)} entries"
            yield Complaint(
                ("network", key),
                f"`{key}` has {entries}, but {len(layers)} `layers` need {wanted}: one for each "
                "layer after the input",
            )

    return check


def _auto_at_the_ends(source: Tree) -> Iterator[Complaint]:
    layers = source.get(("network", "layers"))
    for position, size in enumerate(layers if isinstance(layers, list) else []):
        if size == "auto" and 0 < position < len(layers) - 1:
            yield Complaint(
                ("network", "layers", position),
                "`auto` takes a size from the data: only the first and the last layer can",
            )


def _legal_loss(source: Tree) -> Iterator[Complaint]:
    activations = source.get(("network", "activations"))
    loss = _name_at(source, ("loss",))
    if not isinstance(activations, list) or not activations or loss not in LOSSES:
        return
    output = _name_at(source, ("network", "activations", len(activations) - 1))
    output = ACTIVATION_ALIASES.get(output, output)
    if output not in ACTIVATIONS or loss in legal_losses(output):
        return
    needed = " or ".join(LOSSES[loss].output_activations or ())
    yield Complaint(
        ("loss",),
        f"`{loss}` needs a {needed} output layer, but the last activation is `{output}`, which "
        f"goes with {', '.join(legal_losses(output))}",
    )


def _split_sums_to_one(source: Tree) -> Iterator[Complaint]:
    if source.get(("data", "split", "folds")) is not None:
        return
    splits = {name: source.get(("data", "split", name)) for name in ("train", "val", "test")}
    numbers = {split: value for split, value in splits.items() if _is_number(value)}
    total = sum(numbers.values())
    if "train" in numbers and abs(total - 1) > 1e-9:
        yield Complaint(
            ("data", "split"),
            f"the splits add up to {total:g}, not 1 ({_sum_text(numbers)})",
            at_key=True,
        )
    elif "train" not in numbers and total >= 1:
        yield Complaint(
            ("data", "split"),
            f"val and test take all rows ({_sum_text(numbers)}): none are left to train on",
            at_key=True,
        )


_WAYS = ("files", "index", "column")


def _splits_of_files(source: Tree) -> Iterator[Complaint]:
    """Splits told apart by files, row numbers or a column: in one way, and of files alone."""
    split: Location = ("data", "split")
    ways = [way for way in _WAYS if source.get((*split, way)) is not None]
    if not ways:
        return
    if source.get(("data", "file")) is None:
        yield Complaint((*split, ways[0]), f"`{ways[0]}` is for tables in files", at_key=True)
    elif len(ways) > 1:
        names = " and ".join(f"`{way}`" for way in ways)
        yield Complaint((*split, ways[1]), f"{names} both name the splits: keep one", at_key=True)
    for name in ("train", "val", "test"):
        named = [way for way in ("files", "index") if source.get((*split, way, name)) is not None]
        if named and source.get((*split, name)):
            yield Complaint(
                (*split, name), f"`{named[0]}` says which rows are in `{name}`: leave this out"
            )


def _folds(source: Tree) -> Iterator[Complaint]:
    split = ("data", "split")
    folds, fold = source.get((*split, "folds")), source.get((*split, "fold"))
    for name in ("train", "test"):
        if folds is not None and source.get((*split, name)):
            yield Complaint(
                (*split, name),
                f"each of the `folds` is a test set in turn, and all else trains: leave `{name}` "
                "out",
                at_key=True,
            )
    for way in _WAYS:
        if folds is not None and source.get((*split, way)) is not None:
            yield Complaint((*split, way), "`folds` share out all rows: leave this out", True)
    if fold is not None and folds is None:
        yield Complaint((*split, "fold"), "`fold` chooses one of several: set `folds` too", True)
    elif _is_number(fold) and _is_number(folds) and fold > folds:
        yield Complaint((*split, "fold"), f"found {fold}, but there are {folds} `folds`")


def _sum_text(numbers: dict[str, Any]) -> str:
    return ", ".join(f"{split} {value:g}" for split, value in numbers.items())


def _batches(source: Tree) -> Iterator[Complaint]:
    if source.get(("training", "batch_size"), "full") != "full":
        return
    if source.get(("training", "sampling"), "shuffle") == "random":
        yield Complaint(
            ("training", "sampling"),
            "`sampling: random` draws mini-batches: give `training.batch_size` a number",
        )
    if source.get(("training", "rows_per_epoch")) is not None:
        yield Complaint(
            ("training", "rows_per_epoch"),
            "`rows_per_epoch` is for mini-batches: give `training.batch_size` a number",
        )


def _needs_validation(source: Tree) -> Iterator[Complaint]:
    val = source.get(("data", "split", "val"), 0)
    if not _is_number(val) or val:
        return
    by_file = any(source.get(("data", "split", way, "val")) for way in ("files", "index"))
    if by_file or source.get(("data", "split", "column")) is not None:
        return
    for key in ("max_fail", "generalization_loss"):
        if source.get(("training", "stop", key)) is not None:
            yield Complaint(
                ("training", "stop", key),
                f"`{key}` watches the validation loss, but there is no validation set: set "
                "`data.split.val`",
            )


def _strip_to_compare(source: Tree) -> Iterator[Complaint]:
    stop = ("training", "stop")
    if source.get((*stop, "progress")) is not None and source.get((*stop, "strip")) == 1:
        yield Complaint(
            (*stop, "strip"),
            "`progress` compares the losses of a strip: it needs a `strip` of at least 2 epochs",
        )


def _momentum(source: Tree) -> Iterator[Complaint]:
    optimizer = source.get(("training", "optimizer"))
    if not isinstance(optimizer, dict) or optimizer.get("nesterov") is not True:
        return
    alias = OPTIMIZER_ALIASES.get(_name_at(source, ("training", "optimizer")), {})
    if not optimizer.get("momentum", alias.get("momentum", 0)):
        yield Complaint(
            ("training", "optimizer", "nesterov"),
            "`nesterov` changes how momentum is applied: set `momentum` above 0",
        )


def _layerwise(source: Tree) -> Iterator[Complaint]:
    """`update`, which is an option of gradient descent alone, under another optimizer."""
    name, optimizer = asked_optimizer(source)
    key = ("training", "optimizer", "update")
    if optimizer not in (None, GradientDescent) and source.get(key) is not None:
        yield Complaint(
            key,
            f"layers are updated one by one (`update: layerwise`) by `gradient_descent` alone: "
            f"`{name}` chooses one step for all parameters together",
            at_key=True,
        )


def _full_batch(source: Tree) -> Iterator[Complaint]:
    name, optimizer = asked_optimizer(source)
    size = source.get(("training", "batch_size"), "full")
    if optimizer is not None and optimizer.full_batch_because and size != "full":
        able = [name for name, kind in OPTIMIZERS.items() if kind.full_batch_because is None]
        yield Complaint(
            ("training", "batch_size"),
            f"`{name}` needs `batch_size: full`: {optimizer.full_batch_because}; mini-batches go "
            f"with {' or '.join(able)}",
        )


def _own_rate(source: Tree) -> Iterator[Complaint]:
    name, optimizer = asked_optimizer(source)
    if optimizer is None or not optimizer.changes_its_rate:
        return
    if isinstance(source.get(("training", "learning_rate")), dict):
        yield Complaint(
            ("training", "learning_rate"),
            f"`{name}` changes the learning rate itself, so it has no schedule: give the number to "
            "start with",
            at_key=True,
        )


def _sum_of_squares(source: Tree) -> Iterator[Complaint]:
    name, optimizer = asked_optimizer(source)
    loss = LOSSES.get(_name_at(source, ("loss",)))
    if optimizer is None or not optimizer.needs_sum_of_squares or loss is None:
        return
    if not loss.is_sum_of_squares:
        squares = [name for name, kind in LOSSES.items() if kind.is_sum_of_squares]
        yield Complaint(
            ("loss",),
            f"`{name}` lowers sums of squares, which this loss is not: take "
            f"{' or '.join(squares)}, or an optimizer for any loss, such as `lbfgs`",
        )


def _own_l2(source: Tree) -> Iterator[Complaint]:
    name, optimizer = asked_optimizer(source)
    if optimizer is not None and optimizer.finds_l2 and source.get(("training", "l2"), 0):
        yield Complaint(
            ("training", "l2"),
            f"`{name}` finds the strength of weight decay itself: leave `l2` out",
        )


def asked_optimizer(source: Tree) -> tuple[str, type[Optimizer] | None]:
    """The optimizer under our name for it."""
    given = source.get(("training", "optimizer"), "gradient_descent")
    name = _name_at(source, ("training", "optimizer"), given) or (
        "gradient_descent" if isinstance(given, dict) else ""
    )
    name = str(OPTIMIZER_ALIASES.get(name, {"name": name})["name"])
    return name, OPTIMIZERS.get(name)


def _target_scale(source: Tree) -> Iterator[Complaint]:
    same = source.get(("data", "targets")) == "same_as_inputs"
    scale = source.get(("data", "scale", "targets"), "none")
    loss = LOSSES.get(_name_at(source, ("loss",)))
    if same and scale != "none":
        yield Complaint(
            ("data", "scale", "targets"),
            "with `targets: same_as_inputs` the targets take the scale of the inputs: leave "
            "this out",
        )
    elif scale in FITTED_RULES and loss is not None and loss.targets != "values":
        yield Complaint(
            ("data", "scale", "targets"),
            f"`{scale}` takes targets out of [0, 1], where the loss needs them: leave this out",
        )


def _one_source(source: Tree) -> Iterator[Complaint]:
    has_generator = source.get(("data", "generator")) is not None
    for key in ("inputs", "file"):
        if has_generator and source.get(("data", key)):
            yield Complaint(
                ("data", key), f"`generator` and `{key}` are two sources of data: keep one", True
            )


def _indicator_of_fill(source: Tree) -> Iterator[Complaint]:
    if source.get(("data", "indicator")) and source.get(("data", "fill")) is None:
        yield Complaint(
            ("data", "indicator"), "`indicator` tells where `fill` stood in: set `fill` too"
        )


def _array_files(source: Tree) -> Iterator[Complaint]:
    """What columns of words and gaps need, and arrays of numbers have not."""
    file = source.get(("data", "file"))
    if not isinstance(file, str):
        return
    from bpcli.data.files.arrays import ARRAY_SUFFIXES  # only now: other sources do without

    if not file.lower().endswith(ARRAY_SUFFIXES):
        return
    for key in ("fill", "categories", "weight"):
        if source.get(("data", key)):
            yield Complaint(
                ("data", key), f"`{key}` is for tables in text files or Parquet, not for arrays"
            )


def _inline_numbers(source: Tree) -> Iterator[Complaint]:
    """Cells of inline arrays that are no finite numbers; targets may be all words instead."""
    if source.get(("data", "file")) is not None:
        return  # they are names of columns
    for key in ("inputs", "targets"):
        rows = source.get(("data", key))
        if not isinstance(rows, list) or (
            key == "targets" and rows and all(isinstance(row, str) for row in rows)
        ):
            continue
        for number, row in enumerate(rows):
            cells = enumerate(row) if isinstance(row, list) else [(None, row)]
            for column, cell in cells:
                if not _is_number(cell) or not math.isfinite(cell):
                    place = (number,) if column is None else (number, column)
                    yield Complaint(
                        ("data", key, *place), f"found {quoted(cell)}, expected a finite number"
                    )


def _name_at(source: Tree, location: Location, default: Any = None) -> str:
    """The name in a short or long form; nothing that any registry knows where there is none."""
    value = source.get(location, default)
    name = source.get((*location, "name")) if isinstance(value, dict) else value
    return name if isinstance(name, str) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_CHECKS: tuple[Callable[[Tree], Iterator[Complaint]], ...] = (
    _entries_of("activations"),
    _entries_of("bias"),
    _entries_of("parameters"),
    _auto_at_the_ends,
    _legal_loss,
    _split_sums_to_one,
    _splits_of_files,
    _folds,
    _batches,
    _needs_validation,
    _strip_to_compare,
    _momentum,
    _layerwise,
    _full_batch,
    _own_rate,
    _sum_of_squares,
    _own_l2,
    _target_scale,
    _one_source,
    _indicator_of_fill,
    _array_files,
    _inline_numbers,
)
