"""From a validated config to what is trained: data parts, network, parameters, objective.

What only the data can show to be wrong (sizes, empty parts, targets that a loss cannot take) is
complained of here, at the key that causes it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.arrays import InlineArrays
from bpcli.data.generators import Generator
from bpcli.data.prepare import PARTS, Part, PartName, Preparation, outputs_needed, split_rows
from bpcli.data.table import Labels, Table, is_one_hot
from bpcli.errors import DataError
from bpcli.nn.activations import Softmax
from bpcli.nn.arrays import Vector
from bpcli.nn.network import Bias, Layer, Network
from bpcli.nn.propagation import block_bytes, block_size
from bpcli.spec.crosscheck import Complaint
from bpcli.spec.load import Config
from bpcli.spec.models import DivideBy, InlineData, LayerParameters, ScaleSpec, Spec
from bpcli.training.batches import Batches
from bpcli.training.metrics import METRICS_OF
from bpcli.training.objective import Objective, Rows

Stream: TypeAlias = Literal["data", "split", "init", "batches"]
_STREAMS: tuple[Stream, ...] = ("data", "split", "init", "batches")


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
    preparation: Preparation
    parts: dict[PartName, Part]
    network: Network

    @property
    def spec(self) -> Spec:
        return self.config.spec

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
        self, pool: ThreadPoolExecutor | None = None, dtype: np.dtype | None = None
    ) -> Objective:
        """What training minimises."""
        training = self.spec.training
        rows = self.rows("train") if dtype is None else self._stored("train", dtype)
        return Objective(
            self.network, rows, l2=training.l2, reduction=training.reduction, pool=pool
        )

    def validation(self, pool: ThreadPoolExecutor | None = None) -> Objective | None:
        """The mean loss of the validation part, without L2; None where that part is empty."""
        if not len(self.parts["val"]):
            return None
        return Objective(self.network, self.rows("val"), pool=pool)

    @property
    def batches(self) -> Batches:
        """Which rows each update sees."""
        training = self.spec.training
        size = None if training.batch_size == "full" else training.batch_size
        return Batches(size, training.sampling, training.rows_per_epoch)

    def rows(self, name: PartName) -> Rows:
        """A part as the kernel reads it, kept in the training dtype once it was asked for."""
        if name not in self._rows:
            self._rows[name] = self._stored(name, self.dtype)
        return self._rows[name]

    @cached_property
    def _rows(self) -> dict[PartName, Rows]:
        return {}

    def _stored(self, name: PartName, dtype: np.dtype) -> Rows:
        part = self.parts[name]
        return Rows.of(self.network, part.X, part.Y, dtype)


def build(config: Config, *, needs_targets: bool = True) -> Experiment:
    """Make the data and describe the network. Raises `ConfigError` with what does not fit."""
    spec = config.spec
    table = _table(config)
    split = _split(spec, table)
    complaints = [
        *_targets_complaints(spec, table, needs_targets),
        *_size_complaints(spec, table),
        *_part_complaints(spec, table, split),
    ]
    if complaints:
        raise config.error(complaints)
    network = _network(spec, table)
    preparation, parts = _prepared(spec, table, split, network.outputs)
    complaints = [
        *_parameter_complaints(spec, network),
        *_memory_complaints(spec, network),
        *_overflow_complaints(preparation, parts),
        *(_loss_complaints(network, parts) if needs_targets else ()),
    ]
    if complaints:
        raise config.error(complaints)
    return Experiment(config, table, preparation, parts, network)


def _prepared(
    spec: Spec, table: Table, split: dict[PartName, Labels], outputs: int
) -> tuple[Preparation, dict[PartName, Part]]:
    rules = (_rule(spec.data.scale.inputs), _rule(spec.data.scale.targets))
    with np.errstate(over="ignore", invalid="ignore"):  # told of in a complaint
        preparation = Preparation.fit(table, split["train"], outputs, *rules)
        parts = {name: preparation.part(name, table, index) for name, index in split.items()}
    return preparation, parts


# The table.


def _table(config: Config) -> Table:
    data = config.spec.data
    key = "inputs" if isinstance(data, InlineData) else "generator"
    try:
        table = _made(data.source, stream(config.spec.seed, "data"))
        if data.targets == "same_as_inputs":
            return table.with_inputs_as_targets()
        if data.targets == "values":
            return table.with_values_as_targets()
        if data.targets == "classes" or _are_hard_classes(config.spec, table):
            return table.with_classes_as_targets()
    except DataError as error:
        raise config.error([Complaint(("data", key), str(error))]) from None
    return table


def _made(source: Generator | InlineArrays, rng: np.random.Generator) -> Table:
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            table = source.table(rng)
    except OverflowError as error:
        raise DataError(f"these options lead to numbers that are too large: {error}") from None
    values = [array for array in (table.X, table.Y) if array is not None]
    if not all(np.isfinite(array).all() for array in values):
        raise DataError("these options lead to numbers that are too large")
    return table


def _are_hard_classes(spec: Spec, table: Table) -> bool:
    """Inline 0/1 targets of a cross-entropy are classes, so that accuracy is reported."""
    if table.Y is None or spec.loss.targets == "values":
        return False
    if table.Y.shape[1] == 1:
        return bool(np.unique(table.Y).tolist() == [0, 1])
    return is_one_hot(table.Y)


def _targets_complaints(spec: Spec, table: Table, needs_targets: bool) -> Iterator[Complaint]:
    if needs_targets and not table.has_targets:
        yield Complaint(("data",), "there are no `targets`, which training needs", at_key=True)
    if len(table.class_names) == 1:
        yield Complaint(
            ("data",),
            f"all rows are of one class, `{table.class_names[0]}`: there is nothing to learn",
            at_key=True,
        )
    possible = METRICS_OF[table.task]
    for number, name in enumerate(() if isinstance(spec.metrics, str) else spec.metrics):
        if name not in possible:
            yield Complaint(
                ("metrics", number),
                f"`{name}` means nothing for {table.task}: expected {' or '.join(possible)}",
            )


def _size_complaints(spec: Spec, table: Table) -> Iterator[Complaint]:
    layers = spec.network.layers
    columns = table.X.shape[1]
    if layers[0] not in ("auto", columns):
        yield Complaint(
            ("network", "layers", 0),
            f"the first layer has {layers[0]} units, but the data has {columns} input columns",
        )
    last = ("network", "layers", len(layers) - 1)
    if not table.has_targets:
        if layers[-1] == "auto":
            yield Complaint(last, "`auto` takes this size from the targets, and there are none")
        return
    fitting = {outputs_needed(table, one_hot=False), outputs_needed(table, one_hot=True)}
    if _is_softmax(spec):
        fitting = {outputs_needed(table, one_hot=True)}
    if _is_softmax(spec) and 1 in (layers[-1], *fitting):
        yield Complaint(last, "a softmax of one unit is always 1: use another activation")
    elif layers[-1] != "auto" and layers[-1] not in fitting:
        what = (
            f"{table.Y.shape[1]} target columns"
            if table.Y is not None
            else f"{len(table.class_names)} classes"
        )
        yield Complaint(
            last,
            f"the last layer has {layers[-1]} units, but the data has {what}: expected "
            f"{' or '.join(map(str, sorted(fitting)))}",
        )


def _is_softmax(spec: Spec) -> bool:
    return isinstance(spec.network.activations[-1], Softmax)


# The network.


def _network(spec: Spec, table: Table) -> Network:
    described = spec.network
    sizes = [size for size in described.layers if size != "auto"]
    if len(sizes) < len(described.layers):
        sizes = list(_automatic_sizes(spec, table))
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
            yield outputs_needed(table, one_hot=_is_softmax(spec))


def _parameter_complaints(spec: Spec, network: Network) -> Iterator[Complaint]:
    for number, given in enumerate(spec.network.parameters or []):
        layer = network.layers[number]
        at = ("network", "parameters", number)
        widths = sorted({len(row) for row in given.weights})
        if len(given.weights) != layer.rows or widths != [layer.inputs]:
            found = f"{len(given.weights)} × {' or '.join(map(str, widths))}"
            yield Complaint(
                (*at, "weights"),
                f"weights are {found}, expected {layer.rows} × {layer.inputs}: a row a unit",
            )
        if layer.has_bias and given.bias is None:
            yield Complaint(at, f"the layer has a bias: give `bias` with {layer.rows} numbers")
        if not layer.has_bias and given.bias is not None:
            yield Complaint((*at, "bias"), "the layer has no bias (`network.bias` is false)")
        if layer.has_bias and given.bias is not None and len(given.bias) != layer.rows:
            yield Complaint(
                (*at, "bias"), f"bias has {len(given.bias)} numbers, expected {layer.rows}"
            )


def _explicit_params(network: Network, given: list[LayerParameters]) -> Vector:
    params = np.empty(network.n_params)
    for layer, matrix, values in zip(network.layers, network.matrices(params), given, strict=True):
        matrix[:, : layer.inputs] = values.weights
        if values.bias is not None:
            matrix[:, -1] = values.bias
    return params


_VECTORS_IN_USE = 6
"""Parameters, the step's new ones, gradient, velocity, best, and one more while adding up."""


def _memory_complaints(spec: Spec, network: Network) -> Iterator[Complaint]:
    """What would not fit in this machine is refused before any of it is made."""
    vector = network.n_params * np.dtype(spec.network.dtype).itemsize
    machine = _memory_of_machine()
    if vector * _VECTORS_IN_USE > machine:
        yield Complaint(
            ("network", "layers"),
            f"{network.n_params:,} parameters need about {_gib(vector * _VECTORS_IN_USE)} to "
            f"train; this machine has {_gib(machine)}",
        )
    blocks = block_bytes(network, np.dtype(spec.network.dtype))
    if blocks > machine:
        yield Complaint(
            ("network", "layers"),
            f"the activations of {block_size(network)} rows at a time take {_gib(blocks)}; this "
            f"machine has {_gib(machine)}",
        )
    epochs = spec.training.epochs
    if spec.training.record_params and vector * epochs > machine:
        yield Complaint(
            ("training", "record_params"),
            f"{network.n_params:,} parameters after each of {epochs:,} epochs take "
            f"{_gib(vector * epochs)}; this machine has {_gib(machine)}",
        )


def _gib(size: float) -> str:
    return f"{size / 2**30:,.0f} GiB"


def _memory_of_machine() -> float:
    """Bytes of memory in all; infinite where the system does not tell."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return math.inf
    return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


# The parts.


def _split(spec: Spec, table: Table) -> dict[PartName, Labels]:
    split = spec.data.split
    stratify = table.labels is not None if split.stratify == "auto" else split.stratify
    labels = table.labels if stratify else None
    rng = stream(spec.seed, "split")
    return split_rows(split.fractions, len(table), labels, rng)


def _rule(scale: ScaleSpec) -> Literal["none", "standard", "minmax"] | float:
    return scale.divide_by if isinstance(scale, DivideBy) else scale


def _part_complaints(
    spec: Spec, table: Table, split: dict[PartName, Labels]
) -> Iterator[Complaint]:
    for name in PARTS:
        fraction = spec.data.split.fractions[name]
        if fraction > 0 and not len(split[name]):
            yield Complaint(
                ("data", "split", name),
                f"{fraction:g} of {len(table)} rows leaves none in `{name}`",
            )
    if spec.data.split.stratify is True and table.labels is None:
        yield Complaint(
            ("data", "split", "stratify"), "only classes can be stratified, and these are values"
        )
    rows, training = len(split["train"]), spec.training
    if training.batch_size != "full" and training.batch_size > rows:
        yield Complaint(
            ("training", "batch_size"),
            f"a batch of {training.batch_size} is more than the {rows} training rows",
        )
    asked = training.rows_per_epoch
    if asked is not None and training.sampling == "shuffle" and asked > rows:
        yield Complaint(
            ("training", "rows_per_epoch"),
            f"`shuffle` takes each of the {rows} training rows once: {asked} is too many",
        )


def _overflow_complaints(
    preparation: Preparation, parts: dict[PartName, Part]
) -> Iterator[Complaint]:
    scaled = {
        "inputs": (preparation.inputs, [part.X for part in parts.values()]),
        "targets": (preparation.targets, [part.Y for part in parts.values()]),
    }
    for key, (scale, arrays) in scaled.items():
        if not all(np.isfinite(array).all() for array in (scale.shift, scale.factor, *arrays)):
            yield Complaint(
                ("data", "scale", key), f"scaling the {key} overflows: their numbers are too large"
            )


def _loss_complaints(network: Network, parts: dict[PartName, Part]) -> Iterator[Complaint]:
    """Targets that a cross-entropy cannot take, in whichever part."""
    kind = network.loss.targets
    if kind == "values":
        return
    Y = np.concatenate([part.Y for part in parts.values()])
    if Y.min() < 0 or Y.max() > 1:
        yield Complaint(
            ("loss",),
            f"this loss needs targets between 0 and 1, but they reach from {Y.min():g} to "
            f"{Y.max():g}",
        )
    elif kind == "distribution" and not np.allclose(Y.sum(axis=1), 1, atol=1e-6):
        yield Complaint(("loss",), "this loss needs targets whose rows add up to 1")
