"""Issues between the keys of the training, and with those that it depends on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bpcli.config.reader import Check, Checks, Issues, Reader, is_number, issue_at
from bpcli.config.split_checks import BY_ROWS
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS, GradientDescent, Optimizer

CHECKS = Checks()


def _optimizer_check(check: Callable[[Reader, str, type[Optimizer]], Issues]) -> Check:
    """Register a check that also takes the optimizer's registry name and class."""

    def with_optimizer(read: Reader) -> Issues:
        name, optimizer = asked_optimizer(read)
        if optimizer is not None:
            yield from check(read, name, optimizer)

    return CHECKS.add(with_optimizer)


def asked_optimizer(read: Reader) -> tuple[str, type[Optimizer] | None]:
    """The registry name of the optimizer, and its class; None if there is no such optimizer."""
    name = read.name("training.optimizer")
    if not name and isinstance(read("training.optimizer"), dict | None):
        name = "gradient_descent"
    name = str(OPTIMIZER_ALIASES.get(name, {"name": name})["name"])
    return name, OPTIMIZERS.get(name)


@CHECKS.add
def _batches(read: Reader) -> Issues:
    if read("training.batch_size", "full") != "full":
        return
    for key in ("sampling", "rows_per_epoch"):
        if read(f"training.{key}") not in (None, "shuffle"):
            message = f"`{key}` is for mini-batches: set `training.batch_size` to a number"
            yield issue_at(f"training.{key}", message)


@CHECKS.add
def _validation_set(read: Reader) -> Issues:
    val = read("data.split.val", 0)
    by_file = any(read(f"data.split.{way}.val") for way in BY_ROWS)
    by_array = read("data.splits.val") is not None or _may_have_splits(read("data.file"))
    if not is_number(val) or val or by_file or by_array or read("data.split.column") is not None:
        return
    for key in ("max_fail", "generalization_loss"):
        if read(f"training.stop.{key}") is not None:
            yield issue_at(
                f"training.stop.{key}",
                f"`{key}` needs the validation loss, but there is no validation set: set "
                "`data.split.val`",
            )
    watched = read("training.stop.plateau.of")
    if watched in ("val_loss", "val_score"):
        yield issue_at(
            "training.stop.plateau.of",
            f"`{watched}` needs a validation set, but there is none: set `data.split.val`, or "
            "`of: loss`",
        )


@CHECKS.add
def _calibration_of_average(read: Reader) -> Issues:
    if read("training.calibration") is not None and read("training.restarts.combine") == "mean":
        yield issue_at(
            "training.calibration",
            "an average of networks is not calibrated: remove this key, or keep the best network",
        )


def _may_have_splits(file: object) -> bool:
    """Whether a file may itself define splits, as those of a Python program's arrays do."""
    return isinstance(file, str) and Path(file).suffix.lower() == ".npz"


@CHECKS.add
def _restarts(read: Reader) -> Issues:
    given = read("training.restarts", 1)
    if not isinstance(given, dict | int) or given == 1:
        return
    if read("network.parameters") is not None:
        yield issue_at(
            "training.restarts",
            "every restart would begin with the same `network.parameters`: leave out one of the "
            "two",
        )
    if isinstance(given, dict):
        yield from _kept_restarts(given)


def _kept_restarts(given: dict[Any, Any]) -> Issues:
    count, keep = given.get("count"), given.get("keep")
    if keep is None:
        return
    if given.get("combine", "best") == "best":
        message = "`keep` is for `combine: mean`, which averages the `keep` best networks"
        yield issue_at("training.restarts.keep", message, at_key=True)
    elif isinstance(count, int) and isinstance(keep, int) and keep > count:
        yield issue_at(
            "training.restarts.keep", f"found {keep}, expected at most the {count} trained"
        )


@CHECKS.add
def _strip_to_compare(read: Reader) -> Issues:
    if read("training.stop.progress") is not None and read("training.stop.strip") == 1:
        yield issue_at(
            "training.stop.strip",
            "`progress` compares the losses of a strip: it needs a `strip` of at least 2 epochs",
        )


@CHECKS.add
def _momentum(read: Reader) -> Issues:
    optimizer = read("training.optimizer")
    if not isinstance(optimizer, dict) or optimizer.get("nesterov") is not True:
        return
    implied = OPTIMIZER_ALIASES.get(read.name("training.optimizer"), {})
    if not optimizer.get("momentum", implied.get("momentum", 0)):
        message = "`nesterov` changes how momentum is applied: set `momentum` above 0"
        yield issue_at("training.optimizer.nesterov", message)


@_optimizer_check
def _layerwise(read: Reader, name: str, optimizer: type[Optimizer]) -> Issues:
    """`update` with another optimizer than gradient descent, the only one with this option."""
    if optimizer is not GradientDescent and read("training.optimizer.update") is not None:
        yield issue_at(
            "training.optimizer.update",
            f"only `gradient_descent` updates layers one by one (`update: layerwise`): `{name}` "
            "chooses one step for all parameters together",
            at_key=True,
        )


@_optimizer_check
def _full_batch(read: Reader, name: str, optimizer: type[Optimizer]) -> Issues:
    if optimizer.full_batch_because and read("training.batch_size", "full") != "full":
        able = [name for name, entry in OPTIMIZERS.items() if entry.full_batch_because is None]
        yield issue_at(
            "training.batch_size",
            f"`{name}` needs `batch_size: full`: {optimizer.full_batch_because}; for mini-batches "
            f"use {' or '.join(able)}",
        )


@_optimizer_check
def _learning_rate(read: Reader, name: str, optimizer: type[Optimizer]) -> Issues:
    rate = read("training.learning_rate", 0)
    if rate is None and optimizer.default_learning_rate is not None:
        message = f"found nothing, expected a number greater than 0: `{name}` needs a learning rate"
        yield issue_at("training.learning_rate", message)
    elif isinstance(rate, dict) and optimizer.changes_its_rate:
        yield issue_at(
            "training.learning_rate",
            f"`{name}` changes the learning rate itself, so it takes no schedule: set the initial "
            "rate as a number",
            at_key=True,
        )


@_optimizer_check
def _sum_of_squares(read: Reader, name: str, optimizer: type[Optimizer]) -> Issues:
    loss = LOSSES.get(read.name("loss"))
    if optimizer.needs_sum_of_squares and loss is not None and not loss.is_sum_of_squares:
        squares = [name for name, entry in LOSSES.items() if entry.is_sum_of_squares]
        yield issue_at(
            "loss",
            f"`{name}` minimises sums of squares, and this loss is not one: use "
            f"{' or '.join(squares)}, or an optimizer for any loss, such as `lbfgs`",
        )


@_optimizer_check
def _own_l2(read: Reader, name: str, optimizer: type[Optimizer]) -> Issues:
    if optimizer.finds_l2 and read("training.l2", 0):
        message = f"`{name}` finds the strength of weight decay itself: remove `l2`"
        yield issue_at("training.l2", message)
