"""The table of a config: generated or read, with its targets, encoded and weighted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from bpcli.config.data_models import ArrayData, GeneratedData, InlineData
from bpcli.config.load import Config
from bpcli.config.models import Spec
from bpcli.data.generators import Generator
from bpcli.data.labels import notes_on_constants, notes_on_words
from bpcli.data.row_index import RowIndex, index_pieces
from bpcli.data.row_weights import row_weights, weights_of_classes
from bpcli.data.table import Classes, MultiLabels, RawTable, Table, Targets, Values
from bpcli.data.types import SplitName
from bpcli.errors import ConfigError, ConfigIssue, DataError
from bpcli.experiment.issues import has_softmax_output
from bpcli.experiment.splits import rows_in_no_split
from bpcli.experiment.streams import stream_of
from bpcli.nn.arrays import Array
from bpcli.nn.losses import PROBABILITIES
from bpcli.text import first_of

if TYPE_CHECKING:
    from bpcli.data.columns import FeatureEncoder


ReadRows: TypeAlias = Callable[[Spec], RawTable]
"""Generates or reads the rows of a config. Raises `DataError`."""


def make_table(config: Config, read: ReadRows) -> RawTable:
    """The rows of the config's source, with the targets that the config asks for.

    Raises `ConfigError` at the key that causes the error.
    """
    try:
        table = read(config.spec)
        _refuse_no_training_rows(table)
        return _with_targets(config.spec, table)
    except DataError as error:
        raise _data_error(config, error) from None


def encode_table(
    config: Config, table: RawTable, training: RowIndex, encoder: FeatureEncoder | None
) -> Table:
    """The table with its inputs encoded by `encoder`, or by one fitted to the training rows.

    Constant inputs are kept if the first layer has a given size or the parameters are given, which
    count them, and in an autoencoder, which reconstructs all inputs.
    """
    network = config.spec.network
    has_size = network.layers[0] != "auto" or network.parameters is not None
    try:
        return table.fit(training, encoder, keeps_constants=has_size or table.is_autoencoder)
    except DataError as error:
        raise _data_error(config, error) from None


def weigh_table(spec: Spec, table: Table, training: RowIndex) -> Table:
    """The table with the weights of its rows, by class and by the source."""
    if table.is_stored:
        return table  # its rows have no weights
    of_classes = class_weights(spec, table, training)
    return replace(table, weight=row_weights(table, of_classes, training[:]))


def class_weights(spec: Spec, table: Table, training: RowIndex) -> dict[str, float] | None:
    """The weight of each class; None if the config gives none."""
    rule = spec.training.class_weights
    if rule is None or table.labels is None or not len(training):
        return None
    labels, names = table.labels[training[:]], table.class_names
    return weights_of_classes(rule, labels, names, table.class_spelling)


def _with_targets(spec: Spec, table: RawTable) -> RawTable:
    if spec.data.targets_are_inputs:
        return table.with_inputs_as_targets()
    if isinstance(table.targets, Classes):
        return replace(table, targets=_from_classes(spec, table.targets))
    if not isinstance(table.targets, Values) or isinstance(table.targets, MultiLabels):
        return table
    targets, notes = _from_numbers(spec, table.targets)
    return replace(table, targets=targets, notes=(*table.notes, *notes))


def _from_classes(spec: Spec, targets: Classes) -> Targets:
    """Classes, or numbers if the config asks for them. Raises `DataError` for another task."""
    data = spec.data
    if isinstance(data, GeneratedData) and data.targets == "values":
        return targets.as_values()
    if data.asked_task in ("multilabel", "regression"):
        raise DataError(
            f"the targets are class names, but the task is `{data.asked_task}`: use numbers",
            "task",
        )
    return targets


def _from_numbers(spec: Spec, targets: Values) -> tuple[Targets, list[str]]:
    """Numbers, or classes or labels if the config says or needs that, and notes on what it needs.

    Raises `DataError` for numbers that the loss or the output layer cannot take.
    """
    data = spec.data
    wanted = data.targets if isinstance(data, GeneratedData) else None
    if data.asked_task == "multilabel":
        return targets.as_labels(), []
    are_classes = wanted == "classes" or data.asked_task == "classification"
    if are_classes or _are_hard_classes(spec, targets):
        return targets.as_classes(), []
    if wanted is None and _are_labels(spec, targets):
        return targets.as_labels(), [_INFERRED]
    if isinstance(data, InlineData | ArrayData) and _are_numbered_classes(spec, targets):
        classes = targets.as_classes()
        few = first_of(classes.names, 5)
        why = "because the loss or the output layer is for classes"
        return classes, [f"the targets {few} are read as classes, {why}"]
    if data.files or isinstance(data, InlineData | ArrayData):
        _refuse_numbers_as_classes(spec, targets)
    return targets, []


def read_rows(spec: Spec) -> RawTable:
    """The rows of the config's source. Raises `DataError`."""
    source = spec.data.source
    try:
        table = source.table(stream_of(spec, "data"))
    except OverflowError as error:
        raise DataError(f"these options generate numbers that are too large: {error}") from None
    if not isinstance(source, Generator) or not isinstance(table, Table):
        return table  # the other sources check each number
    values = [array for array in (table.X, table.Y) if isinstance(array, np.ndarray)]
    if not all(np.isfinite(array).all() for array in values):
        raise DataError("these options generate numbers that are too large: use smaller values")
    return table


def _refuse_no_training_rows(table: RawTable) -> None:
    if len(table) and not table.splits:
        return  # without an array of all row numbers
    if not len(table.splits.get("train", rows_in_no_split(table))):
        raise DataError("the splits take all rows: no rows are left for training", "split")


def _are_hard_classes(spec: Spec, targets: Values) -> bool:
    """Whether targets of 0 and 1 are classes: with a cross-entropy they are."""
    if spec.loss.targets not in PROBABILITIES or spec.data.asked_task == "regression":
        return False
    return targets.are_two_classes if targets.Y.shape[1] == 1 else targets.are_one_hot


def _are_labels(spec: Spec, targets: Values) -> bool:
    """Whether several targets of 0 and 1 are labels: with independent probabilities they are."""
    if spec.loss.targets != "probabilities" or spec.data.asked_task is not None:
        return False
    return targets.Y.shape[1] > 1 and targets.are_flags


_INFERRED = (
    "every target is 0 or 1, and the loss is for independent probabilities: the targets are read "
    "as labels, and a row may have any number of them (`multilabel`)"
)


def notes_on_labels(table: Table, indices: Mapping[SplitName, RowIndex]) -> Iterator[str]:
    """Notes on the two values of each label, and on labels that are constant in a split."""
    if table.Y is None or not table.words:
        return
    yield from notes_on_words(table.words)
    for name, index in indices.items():
        if len(index):
            yield from notes_on_constants(table.words, _column_ends(table.Y, index), name)


def _column_ends(Y: Array, index: RowIndex) -> Array:
    """The least and the largest number (2, k) of each column, in the rows at `index`."""
    ends = [(Y[rows].min(axis=0), Y[rows].max(axis=0)) for rows in index_pieces(index, 2**14)]
    low, high = zip(*ends, strict=True)
    return np.stack([np.min(low, axis=0), np.max(high, axis=0)])


def _are_numbered_classes(spec: Spec, targets: Values) -> bool:
    """Whether one column of whole numbers, such as 1 to K, is classes for the network."""
    is_whole = targets.Y.shape[1] == 1 and targets.are_whole
    return is_whole and (has_softmax_output(spec) or _are_no_probabilities(spec, targets))


def _are_no_probabilities(spec: Spec, targets: Values) -> bool:
    low, high = targets.ends
    return spec.loss.targets in PROBABILITIES and (low < 0 or high > 1)


def _refuse_numbers_as_classes(spec: Spec, targets: Values) -> None:
    """Raises `DataError` for a column of numbers where the loss or a softmax is for classes."""
    is_column = targets.Y.shape[1] == 1
    if is_column and (has_softmax_output(spec) or _are_no_probabilities(spec, targets)):
        low, high = targets.ends
        way = "set `task: classification`" if spec.data.files else "write them in quotes"
        of = "softmax" if has_softmax_output(spec) else "loss"
        raise DataError(
            f"the target `{targets.names[0]}` has numbers from {low:g} to {high:g}, but "
            f"the {of} is for classes: if they are classes, {way}",
            "targets",
        )


def _data_error(config: Config, error: DataError) -> ConfigError:
    """The error at the key that causes it."""
    data = config.spec.data
    return config.source.error([ConfigIssue(str(error), ("data", error.key or data.key))])
