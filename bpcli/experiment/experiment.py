"""An experiment: the data splits, the network, its first parameters and its objective."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from bpcli.config.crosscheck import Complaint
from bpcli.config.data_models import DivideBy, GeneratedData, ScaleSpec
from bpcli.config.load import Config
from bpcli.config.models import LayerParameters, Spec
from bpcli.data.generators import Generator
from bpcli.data.preprocessing import Preprocessor, ScaleRule, Split, outputs_needed
from bpcli.data.row_weights import row_weights, weights_of_classes
from bpcli.data.split import fold_rows, split_rows
from bpcli.data.table import Table, is_one_hot
from bpcli.data.types import SPLITS, Labels, SplitName
from bpcli.engine.gauss_newton import gauss_newton_tasks
from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.rows import Rows
from bpcli.engine.shards import ShardPlan
from bpcli.errors import ConfigError, DataError
from bpcli.experiment import issues as complaints
from bpcli.experiment.issues import has_softmax_output
from bpcli.experiment.memory import needs, of_memory
from bpcli.metrics.metrics import METRICS_OF
from bpcli.nn.arrays import Vector
from bpcli.nn.network import Bias, Layer, Network
from bpcli.nn.numerics import prefer, repeatable_numerics, require
from bpcli.optimizers import Optimizer
from bpcli.optimizers.schedules import rate_at
from bpcli.text import quoted
from bpcli.training.batches import Batches
from bpcli.training.loop import Training
from bpcli.training.objective import NetworkObjective

if TYPE_CHECKING:
    from bpcli.data.columns import FeatureEncoder
    from bpcli.data.files.arrays import ArraySource
    from bpcli.data.files.table import FileSource
    from bpcli.data.inline import InlineArrays

    Source: TypeAlias = Generator | InlineArrays | FileSource | ArraySource

Stream: TypeAlias = Literal["data", "split", "init", "batches", "intervals"]
_STREAMS: tuple[Stream, ...] = ("data", "split", "init", "batches", "intervals")


def stream(seed: int, name: Stream) -> np.random.Generator:
    """An independent source of random numbers for each purpose.

    Changing the network therefore keeps the data and the split.
    """
    spawned = np.random.SeedSequence(seed, spawn_key=(_STREAMS.index(name),))
    return np.random.default_rng(spawned)


@dataclass(frozen=True)
class Experiment:
    """All that training, evaluation and gradient checking need, built from one config."""

    config: Config
    table: Table
    preprocessor: Preprocessor
    splits: dict[SplitName, Split]
    network: Network

    @property
    def spec(self) -> Spec:
        return self.config.spec

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of how the config and the data were read."""
        return (*self.config.notes, *self.table.notes)

    @property
    def class_weights(self) -> dict[str, float] | None:
        """The weight of each class; None where the config gives none."""
        return _of_classes(self.spec, self.table, self.splits["train"].index)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.spec.network.dtype)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics to report beside the loss, by name."""
        if isinstance(self.spec.metrics, str):
            return METRICS_OF[self.table.task]
        return tuple(self.spec.metrics)

    @cached_property
    def initial_params(self) -> Vector:
        """The parameters training starts from, in the training dtype."""
        explicit = self.spec.network.parameters
        if explicit is None:
            rng = stream(self.spec.seed, "init")
            params = self.network.initial_params(self.spec.network.init, rng)
        else:
            params = _explicit_params(self.network, explicit)
        params = params.astype(self.dtype)
        params.flags.writeable = False
        return params

    def objective(
        self, pool: WorkerPool | None = None, dtype: np.dtype | None = None
    ) -> NetworkObjective:
        """What training minimises."""
        training = self.spec.training
        rows = self.rows("train") if dtype is None else self._stored("train", dtype)
        return NetworkObjective(
            self.network,
            rows,
            l2=training.l2,
            reduction=training.reduction,
            pool=pool,
            shares_jacobian=pool is not None and training.optimizer.needs_sum_of_squares,
        )

    def validation(self, pool: WorkerPool | None = None) -> NetworkObjective | None:
        """The mean loss of the validation set, without L2; None where that split is empty."""
        if not len(self.splits["val"]):
            return None
        return NetworkObjective(self.network, self.rows("val"), pool=pool)

    @cached_property
    def plan(self) -> ShardPlan:
        """How the rows of the training set are cut up, whatever the number of workers."""
        rows = self.rows("train")
        return ShardPlan.of(len(rows), rows, self.network)

    @property
    def tasks(self) -> int:
        """Into how many pieces an epoch's work falls that workers can take."""
        shards = len(self.plan.shards)
        if not self.spec.training.optimizer.needs_sum_of_squares:
            return shards
        return max(shards, gauss_newton_tasks(len(self.rows("train")), self.network))

    def training(self, objective: NetworkObjective, optimizer: Optimizer | None = None) -> Training:
        """The optimizer's steps through an objective, from the initial parameters.

        `optimizer` may stand in for the config's, such as one that measures what that does.
        """
        asked = self.spec.training
        return Training(
            objective,
            optimizer or asked.optimizer,
            self.initial_params,
            learning_rate=asked.learning_rate,
            batches=self.batches,
            rng=stream(self.spec.seed, "batches"),
        )

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """What the optimizer tells of its state, by name."""
        asked = self.spec.training
        state = asked.optimizer.init(self.initial_params)
        return tuple(asked.optimizer.diagnostics(state, rate_at(asked.learning_rate, 0)))

    @property
    def batches(self) -> Batches:
        """Which rows each update sees."""
        training = self.spec.training
        size = None if training.batch_size == "full" else training.batch_size
        return Batches(size, training.sampling, training.rows_per_epoch)

    def rows(self, name: SplitName) -> Rows:
        """A split as the kernel reads it, kept in the training dtype once it was asked for."""
        if name not in self._rows:
            self._rows[name] = self._stored(name, self.dtype)
        return self._rows[name]

    @cached_property
    def _rows(self) -> dict[SplitName, Rows]:
        return {}

    def _stored(self, name: SplitName, dtype: np.dtype) -> Rows:
        split = self.splits[name]
        return Rows.filled(self.network, split.blocks(), len(split), dtype, split.weight)


def build(
    config: Config,
    *,
    needs_targets: bool = True,
    encoder: FeatureEncoder | None = None,
    can_be_native: bool = False,
) -> Experiment:
    """Make the data and describe the network. Raises `ConfigError` with what does not fit.

    `encoder` is that of a training, which is then not fitted again.

    Generators use matrix products too, so the data are made with one BLAS thread and the numerics
    of the training: the same rows, to the bit, on any number of cores.

    Raises `NumericsNotPinned`, before anything is made, where this process has other numerics, and
    `NumericsError` where it cannot have those, unless it `can_be_native`.
    """
    numerics, demand = config.spec.training.numerics, prefer if can_be_native else require
    demand(numerics, can_restart=_can_be_read_again(config))
    with repeatable_numerics():
        experiment = _build(config, needs_targets, encoder)
    demand(numerics)  # scikit-learn brings a BLAS of its own
    return experiment


def _can_be_read_again(config: Config) -> bool:
    """Whether the config came from a file, not from a pipe."""
    try:
        return Path(config.source.name).is_file()
    except OSError:  # too long to be a file's name
        return False


def _build(config: Config, needs_targets: bool, encoder: FeatureEncoder | None) -> Experiment:
    spec = config.spec
    _refuse_what_cannot_fit(config)
    table = _table(config)
    found = [*complaints.of_folds(spec, table)]
    if found:
        raise config.error(found)
    indices = _split(spec, table)
    table = replace(table, notes=(*table.notes, *_notes_on_folds(spec, table)))
    table = _fitted(config, table, indices["train"], encoder)
    found = [
        *complaints.of_targets(spec, table, needs_targets),
        *complaints.of_weights(spec, table),
        *complaints.of_sizes(spec, table),
        *complaints.of_splits(spec, table, indices),
    ]
    if found:
        raise config.error(found)
    table = _weighted(spec, table, indices["train"])
    network = _network(spec, table)
    preprocessor, splits = _prepared(spec, table, indices, network.outputs)
    found = [
        *complaints.of_parameters(spec, network),
        *of_memory(needs(spec, network, len(table), table_bytes=0)),
        *complaints.of_overflow(preprocessor, splits),
        *(complaints.of_loss(network, splits) if needs_targets else ()),
    ]
    if found:
        raise config.error(found)
    return Experiment(config, table, preprocessor, splits, network)


def _refuse_what_cannot_fit(config: Config) -> None:
    """Raises `ConfigError` where the config alone tells that there is too little memory."""
    spec = config.spec
    generator = spec.data.source if isinstance(spec.data, GeneratedData) else None
    rows, numbers = (0, 0) if generator is None else (generator.rows, generator.numbers)
    sizes = [1 if size == "auto" else size for size in spec.network.layers]
    found = [*of_memory(needs(spec, _layered(spec, sizes), rows, _BYTES_A_NUMBER * numbers))]
    if found:
        raise config.error(found)


_BYTES_A_NUMBER = 16
"""Of a number of a table that is made: it is in double precision, and copied once on the way."""


def _prepared(
    spec: Spec, table: Table, indices: dict[SplitName, Labels], outputs: int
) -> tuple[Preprocessor, dict[SplitName, Split]]:
    rules = (_rule(spec.data.scale.inputs), _rule(spec.data.scale.targets))
    preprocessor = Preprocessor.fit(table, indices["train"], outputs, *rules)
    splits = {name: preprocessor.split(name, table, index) for name, index in indices.items()}
    return preprocessor, splits


# The table.


def _table(config: Config) -> Table:
    data = config.spec.data
    try:
        table = _made(data.source, stream(config.spec.seed, "data"))
        _refuse_no_training_rows(table)
        if data.targets == "same_as_inputs":
            return table.with_inputs_as_targets()
        asked = data.targets if isinstance(data, GeneratedData) else None
        if asked == "values":
            return table.with_values_as_targets()
        if asked == "classes" or _are_hard_classes(config.spec, table):
            return table.with_classes_as_targets()
        if data.files:
            _refuse_numbers_as_classes(config.spec, table)
    except DataError as error:
        raise _data_error(config, error) from None
    return table


def _refuse_no_training_rows(table: Table) -> None:
    if not len(table.splits.get("train", _rows_in_none(table))):
        raise DataError("the splits take all rows: none are left to train on", "split")


def _refuse_numbers_as_classes(spec: Spec, table: Table) -> None:
    """Raises `DataError` for a column of numbers that a cross-entropy cannot mean as such."""
    Y = table.Y
    if spec.loss.targets == "values" or Y is None or Y.shape[1] > 1:
        return
    if Y.min() < 0 or Y.max() > 1:
        raise DataError(
            f"the target `{table.target_names[0]}` is numbers from {Y.min():g} to {Y.max():g}, and "
            "the loss is for classes: if they are classes, set `task: classification`",
            "targets",
        )


def _fitted(
    config: Config, table: Table, training: Labels, encoder: FeatureEncoder | None
) -> Table:
    try:
        return table.fitted(training, encoder)
    except DataError as error:
        raise _data_error(config, error) from None


def _data_error(config: Config, error: DataError) -> ConfigError:
    """The error at the key that causes it."""
    data = config.spec.data
    return config.error([Complaint(("data", error.key or data.key), str(error))])


def _made(source: Source, rng: np.random.Generator) -> Table:
    try:
        table = source.table(rng)
    except OverflowError as error:
        raise DataError(f"these options lead to numbers that are too large: {error}") from None
    if not isinstance(source, Generator):
        return table  # they have looked at each number
    values = [array for array in (table.X, table.Y) if isinstance(array, np.ndarray)]
    if not all(np.isfinite(array).all() for array in values):
        raise DataError("these options lead to numbers that are too large")
    return table


def _are_hard_classes(spec: Spec, table: Table) -> bool:
    """Inline 0/1 targets of a cross-entropy are classes, so that accuracy is reported."""
    if table.Y is None or spec.loss.targets == "values":
        return False
    if spec.data.is_regression:
        return False
    if table.Y.shape[1] == 1:
        return bool(np.unique(table.Y).tolist() == [0, 1])
    return is_one_hot(table.Y)


def _weighted(spec: Spec, table: Table, training: Labels) -> Table:
    return replace(table, weight=row_weights(table, _of_classes(spec, table, training), training))


def _of_classes(spec: Spec, table: Table, training: Labels) -> dict[str, float] | None:
    """The weight of each class; None where the config gives none."""
    rule = spec.training.class_weights
    if rule is None or table.labels is None:
        return None
    return weights_of_classes(rule, table.labels[training], table.class_names)


# The network.


def _network(spec: Spec, table: Table) -> Network:
    described = spec.network
    sizes = [size for size in described.layers if size != "auto"]
    if len(sizes) < len(described.layers):
        sizes = list(_automatic_sizes(spec, table))
    return _layered(spec, sizes)


def _layered(spec: Spec, sizes: Sequence[int]) -> Network:
    """The network with these layer sizes."""
    described = spec.network
    biases = described.bias if isinstance(described.bias, list) else None
    layers = []
    for number, activation in enumerate(described.activations):
        asked = biases[number] if biases else described.bias
        bias: Bias = "frozen" if asked == "frozen" else "trained" if asked else "none"
        layers.append(Layer(sizes[number], sizes[number + 1], activation, bias))
    return Network(tuple(layers), spec.loss)


def _automatic_sizes(spec: Spec, table: Table) -> Iterator[int]:
    """`auto` at the ends fits the data; elsewhere the config was refused."""
    last = len(spec.network.layers) - 1
    for position, size in enumerate(spec.network.layers):
        if size != "auto":
            yield size
        elif position == 0:
            yield table.X.shape[1]
        elif position == last:
            yield outputs_needed(table, one_hot=has_softmax_output(spec))


def _explicit_params(network: Network, given: list[LayerParameters]) -> Vector:
    params = np.empty(network.n_params)
    for layer, matrix, values in zip(network.layers, network.matrices(params), given, strict=True):
        matrix[:, : layer.inputs] = values.weights
        if values.bias is not None:
            matrix[:, -1] = values.bias
    return params


# The splits.


def _split(spec: Spec, table: Table) -> dict[SplitName, Labels]:
    split = spec.data.split
    stratify = table.labels is not None if split.stratify == "auto" else split.stratify
    labels = table.labels if stratify else None
    rng = stream(spec.seed, "split")
    if split.folds is not None:
        return fold_rows(split.folds, split.val, len(table), labels, rng)[(split.fold or 1) - 1]
    fixed = dict(table.splits)
    pool = fixed.pop("train", _rows_in_none(table))
    fractions = {name: size for name, size in split.fractions.items() if name not in fixed}
    drawn = split_rows(fractions, len(pool), None if labels is None else labels[pool], rng)
    return {split: fixed[split] if split in fixed else pool[drawn[split]] for split in SPLITS}


def _notes_on_folds(spec: Spec, table: Table) -> Iterator[str]:
    """Classes with too few rows to be in every fold."""
    folds = spec.data.split.folds
    if folds is None or table.labels is None:
        return
    counts = np.bincount(table.labels, minlength=len(table.class_names)).tolist()
    rows_of = zip(table.class_names, counts, strict=True)
    few = [f"{quoted(name)} ({rows})" for name, rows in rows_of if 0 < rows < folds]
    if few:
        listed = ", ".join(few[:3]) + " and others" * (len(few) > 3)
        yield (
            f"classes with fewer rows than the {folds} folds: {listed}; some folds test or train "
            "on none of them"
        )


def _rows_in_none(table: Table) -> Labels:
    """The rows that no split has for itself."""
    is_free = np.ones(len(table), bool)
    for index in table.splits.values():
        is_free[index] = False
    return np.flatnonzero(is_free)


def _rule(scale: ScaleSpec) -> ScaleRule | float:
    return scale.divide_by if isinstance(scale, DivideBy) else scale
