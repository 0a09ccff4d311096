"""Issues that only the data or the sizes of layers show, at the key that causes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np

from bpcli.config.models import Spec
from bpcli.data.preprocessing import Preprocessor, Split, outputs_needed, taken
from bpcli.data.row_blocks import row_blocks
from bpcli.data.row_index import RowIndex
from bpcli.data.scaler import FITTED_RULES, Scaler
from bpcli.data.table import RawTable, Table
from bpcli.data.types import SPLITS, Labels, SplitName
from bpcli.data.values import category_named
from bpcli.errors import ConfigIssue
from bpcli.metrics.metrics import METRICS_OF, has_probabilities
from bpcli.nn.arrays import Array
from bpcli.nn.losses import PROBABILITIES
from bpcli.nn.network import Network
from bpcli.text import plural, quoted


def has_softmax_output(spec: Spec) -> bool:
    """Whether the output is a softmax, which needs one unit per class, also for two classes."""
    return spec.network.activations[-1].gives_distribution


def of_targets(spec: Spec, table: Table, needs_targets: bool) -> Iterator[ConfigIssue]:
    """Missing targets, a single class, and metrics that are undefined for the task."""
    if needs_targets and not table.has_targets:
        message = "there are no targets, but training needs them: add `targets`"
        yield ConfigIssue(message, ("data",), at_key=True)
    if len(table.class_names) == 1:
        yield ConfigIssue(
            f"all rows have the same class, `{table.class_names[0]}`: there is nothing to learn",
            ("data",),
            at_key=True,
        )
    is_probability = spec.network.activations[-1].gives_probabilities
    is_scaled = spec.data.scale.targets in FITTED_RULES
    has_words = table.labels is not None or bool(table.words)
    if has_words and is_scaled and is_probability:
        yield ConfigIssue(
            f"scaled {_nature(table)} lie beyond the outputs' range from 0 to 1: remove this key",
            ("data", "scale", "targets"),
        )
    possible = METRICS_OF[table.task]
    for number, name in enumerate(() if isinstance(spec.metrics, str) else spec.metrics):
        if name not in possible:
            yield ConfigIssue(
                f"`{name}` is undefined for {table.task}: expected {' or '.join(possible)}",
                ("metrics", number),
            )


def _nature(table: RawTable) -> str:
    if table.labels is not None:
        return "classes"
    return "labels" if table.words else "values"


def of_weights(spec: Spec, table: Table) -> Iterator[ConfigIssue]:
    """Class weights for targets that are values, or for unknown classes."""
    rule = spec.training.class_weights
    at = ("training", "class_weights")
    if rule is None or not table.has_targets:
        return
    if table.labels is None:
        yield ConfigIssue(
            f"`class_weights` needs targets that are classes, but these are {_nature(table)}: "
            "remove this key",
            at,
        )
    elif rule != "balanced":
        known, taken = ", ".join(table.class_names), dict[str, str]()
        for name in rule:
            message, own = None, category_named(name, table.class_names, table.class_spelling)
            if own is None:
                message = f"there is no class {quoted(name)}; the classes are {known}"
            elif own in taken:
                message = (
                    f"class {quoted(own)} already has a weight, as {quoted(taken[own])}: keep "
                    "one of them"
                )
            else:
                taken[own] = name
            if message is not None:
                yield ConfigIssue(message, (*at, name), at_key=True)


def of_sizes(spec: Spec, table: Table) -> Iterator[ConfigIssue]:
    """Layer sizes that do not fit the data."""
    layers = spec.network.layers
    columns = table.X.shape[1]
    if layers[0] not in ("auto", columns):
        yield ConfigIssue(
            f"the first layer has {layers[0]} units, but the data has "
            f"{plural(columns, 'input column')}: write {columns} or `auto`",
            ("network", "layers", 0),
        )
    last = ("network", "layers", len(layers) - 1)
    if not table.has_targets:
        if layers[-1] == "auto":
            message = "`auto` takes this size from the targets, but there are none: write a number"
            yield ConfigIssue(message, last)
        return
    if len(table.class_names) == 1:
        return  # of_targets reports it
    if has_softmax_output(spec) and table.words:
        yield ConfigIssue(
            "a softmax chooses one of its outputs, but a row may have any number of these labels: "
            "use `sigmoid` with the loss `binary_cross_entropy`",
            ("network", "activations", len(spec.network.activations) - 1),
        )
    fitting = {outputs_needed(table, one_hot=False), outputs_needed(table, one_hot=True)}
    if has_softmax_output(spec):
        fitting = {outputs_needed(table, one_hot=True)}
    if has_softmax_output(spec) and 1 in (layers[-1], *fitting):
        yield ConfigIssue("a softmax of one unit is always 1: use another activation", last)
    elif layers[-1] != "auto" and layers[-1] not in fitting:
        targets = (
            plural(table.Y.shape[1], "target column")
            if table.Y is not None
            else f"{len(table.class_names)} classes"
        )
        yield ConfigIssue(
            f"the last layer has {layers[-1]} units, but the data has {targets}: expected "
            f"{' or '.join(map(str, sorted(fitting)))}",
            last,
        )


def of_parameters(spec: Spec, network: Network) -> Iterator[ConfigIssue]:
    """Explicit parameters whose shape does not fit their layer."""
    explicit = spec.network.parameters
    for number, given in enumerate(explicit if isinstance(explicit, list) else []):
        layer = network.layers[number]
        at = ("network", "parameters", number)
        widths = sorted({len(row) for row in given.weights})
        if len(given.weights) != layer.rows or widths != [layer.inputs]:
            shape = f"{len(given.weights)} × {' or '.join(map(str, widths))}"
            yield ConfigIssue(
                f"weights are {shape}, expected {layer.rows} × {layer.inputs}: one row per unit",
                (*at, "weights"),
            )
        if layer.has_bias and given.bias is None:
            yield ConfigIssue(f"the layer has a bias: give `bias` with {layer.rows} numbers", at)
        if not layer.has_bias and given.bias is not None:
            message = "the layer has no bias (`network.bias` is false): remove this key"
            yield ConfigIssue(message, (*at, "bias"))
        if layer.has_bias and given.bias is not None and len(given.bias) != layer.rows:
            yield ConfigIssue(
                f"bias has {len(given.bias)} numbers, expected {layer.rows}", (*at, "bias")
            )


def of_folds(spec: Spec, table: RawTable) -> Iterator[ConfigIssue]:
    """More folds than rows, reported before folds are drawn."""
    folds, rows = spec.data.split.folds, len(table)
    if folds is not None and folds > rows:
        few = "1 row is" if rows == 1 else f"{rows} rows are"
        message = f"{few} too few for {folds} folds: each fold needs a row"
        yield ConfigIssue(message, ("data", "split", "folds"))


def of_splits(
    spec: Spec, table: Table, indices: Mapping[SplitName, RowIndex]
) -> Iterator[ConfigIssue]:
    """Splits without rows, and batches larger than the training set."""
    for name in SPLITS:
        fraction = spec.data.split.fractions[name]
        if fraction > 0 and not len(indices[name]):
            yield ConfigIssue(
                f"{fraction:g} of {len(table)} rows gives no row for `{name}`: use a larger "
                "fraction",
                ("data", "split", name),
            )
    yield from _lost_classes(spec, table, indices)
    if spec.data.split.stratify is True and table.labels is None:
        yield ConfigIssue(
            f"`stratify` needs targets that are classes, but these are {_nature(table)}: remove "
            "this key",
            ("data", "split", "stratify"),
        )
    rows, training = len(indices["train"]), spec.training
    if training.batch_size != "full" and training.batch_size > rows:
        yield ConfigIssue(
            f"a batch of {training.batch_size} is more than the {rows} training rows: use fewer, "
            "or `full`",
            ("training", "batch_size"),
        )
    wanted = training.rows_per_epoch
    if wanted is not None and training.sampling != "random" and wanted > rows:
        yield ConfigIssue(
            f"`{training.sampling}` takes each of the {rows} training rows once, so {wanted} is "
            "too many: use fewer, or `sampling: random`",
            ("training", "rows_per_epoch"),
        )


def of_validation(spec: Spec, indices: Mapping[SplitName, RowIndex]) -> Iterator[ConfigIssue]:
    """Stop rules that need a validation set, where an .npz file does not define one."""
    if len(indices["val"]):
        return
    stop = spec.training.stop
    needing = [key for key in ("max_fail", "generalization_loss") if getattr(stop, key) is not None]
    needing += ["plateau"] * (stop.plateau is not None and stop.plateau.of != "loss")
    for key in needing:
        yield ConfigIssue(
            f"`{key}` needs a validation set, but there is none: set `data.split.val`",
            ("training", "stop", key),
        )


def of_calibration(
    spec: Spec, table: Table, network: Network, indices: Mapping[SplitName, RowIndex]
) -> Iterator[ConfigIssue]:
    """A calibration without probabilities, or without validation rows."""
    message = None
    if spec.training.calibration is None or not table.has_targets:
        return
    if table.labels is None and not table.words:
        message = "only probabilities of classes or labels are calibrated: remove this key"
    elif not has_probabilities(network, are_labels=bool(table.words)):
        message = (
            "the outputs are not probabilities: use softmax, or sigmoid for two classes or for "
            "labels, or remove this key"
        )
    elif not len(indices["val"]):
        message = (
            "`calibration` needs a validation set, but there is none: set `data.split.val`, or "
            "remove this key"
        )
    if message is not None:
        yield ConfigIssue(message, ("training", "calibration"))


def _lost_classes(
    spec: Spec, table: Table, indices: Mapping[SplitName, RowIndex]
) -> Iterator[ConfigIssue]:
    """Classes without a training row after the splits were drawn."""
    if table.labels is None or not len(indices["train"]) or table.splits:
        return
    is_present = _present(table.labels, indices["train"], len(table.class_names))
    lost = [table.class_names[number] for number in np.flatnonzero(~is_present)]
    if lost and spec.data.split.folds is None:
        names = " and ".join(quoted(name) for name in lost[:3]) + " and others" * (len(lost) > 3)
        split = spec.data.split
        can_stratify = split.stratify is False and len(table.class_names) <= len(indices["train"])
        or_stratify = ", or `stratify: true`" * can_stratify
        if split.order != "random":
            or_stratify = ", or `order: random`, which spreads classes evenly"
        yield ConfigIssue(
            f"class {names} has no training row: use smaller validation and test sets{or_stratify}",
            ("data", "split"),
            at_key=True,
        )


def _present(labels: Labels, index: RowIndex, classes: int) -> Array:
    """Which classes (classes,) some row at `index` has; rows are read until all are found."""
    is_present = np.zeros(classes, bool)
    for some in row_blocks((len(index),)):
        is_present[taken(labels, index[some])] = True
        if is_present.all():
            break
    return is_present


def of_overflow(
    preprocessor: Preprocessor, splits: dict[SplitName, Split]
) -> Iterator[ConfigIssue]:
    """Scales that are not finite, or that make finite numbers overflow."""
    if preprocessor.inputs.changes_nothing and preprocessor.targets.changes_nothing:
        return
    is_finite = {
        "inputs": _is_finite(preprocessor.inputs),
        "targets": _is_finite(preprocessor.targets),
    }
    for X, Y in (block for split in splits.values() for block in split.blocks()):
        is_finite["inputs"] &= bool(np.isfinite(X).all())
        is_finite["targets"] &= bool(np.isfinite(Y).all())
    for key, is_fine in is_finite.items():
        if not is_fine:
            yield ConfigIssue(
                f"scaling the {key} overflows: their numbers are too large", ("data", "scale", key)
            )


def _is_finite(scale: Scaler) -> bool:
    return bool(np.isfinite([scale.shift, scale.factor]).all())


def of_loss(network: Network, splits: dict[SplitName, Split]) -> Iterator[ConfigIssue]:
    """The first targets of any split that the loss cannot take."""
    expected = network.loss.targets
    if expected == "counts":
        yield from islice(_negative_targets(splits), 1)
    if expected in PROBABILITIES:
        yield from islice(_impossible_targets(network, splits), 1)


def _impossible_targets(network: Network, splits: dict[SplitName, Split]) -> Iterator[ConfigIssue]:
    """Each block of targets that the loss cannot take."""
    for split in splits.values():
        for _, Y in split.target_blocks():
            message = network.loss.issue_of_targets(Y)
            if message is not None:
                yield ConfigIssue(message, ("loss",))


def _negative_targets(splits: dict[SplitName, Split]) -> Iterator[ConfigIssue]:
    """Each target below 0, as the network gets it."""
    for split in splits.values():
        table = split.table
        scaled = "" if split.preprocessor.targets.changes_nothing else "scaled "
        for start, Y in split.target_blocks():
            for row, column in np.argwhere(Y < 0).tolist():
                at = start + row
                number = table.numbers_of(split.index[at : at + 1])[0]
                yield ConfigIssue(
                    f"this loss needs targets of 0 or more, but the {scaled}target "
                    f"{quoted(table.target_names[column])} of row {number} is {Y[row, column]:g}",
                    ("loss",),
                )
