"""A training that starts from the network of an earlier one, or of another program.

The network comes from a file that the config names (`network.parameters: {file: net.m}`). Its
columns and classes must be those of the data. Its scales are kept; or new scales are fitted, and
the first and the last layer are adapted so that the network computes the same as before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bpcli.config.load import Config
from bpcli.config.parameters_spec import ParametersFile
from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.scaler import Scaler
from bpcli.data.table import Table, value_names
from bpcli.data.types import Words
from bpcli.errors import ConfigError, ConfigIssue, ModelError
from bpcli.imports.model import ImportedLayer, ImportedModel
from bpcli.imports.read import READERS, read_model
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.registry import name_of
from bpcli.text import first_of

_AT = ("network", "parameters", "file")


_NO_FILE = (
    "expected a file that ends in one of {}; to start from a run, write "
    "`bpnet train --from RUN CONFIG`, and leave out this key"
)


@dataclass(frozen=True, eq=False)
class Adapted:
    """The scales of a training, and the parameters with which it starts."""

    preprocessor: Preprocessor
    params: Vector


@dataclass(frozen=True, eq=False)
class Start:
    """The network to start from, and the file that it comes from."""

    config: Config
    model: ImportedModel
    file: Path
    content: bytes
    refits: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def kept_as(self) -> str:
        """The name of the copy in the folder of a run."""
        return f"start{self.file.suffix.lower()}"

    def error(self, message: str) -> ConfigError:
        """The error at the key that names the file."""
        return self.config.source.error([ConfigIssue(message, _AT)])

    def encoder_for(self, own: FeatureEncoder) -> FeatureEncoder:
        """The encoder fitted to the data, with the fills and categories of the start.

        Raises `ConfigError` if the columns have other names.
        """
        columns = {column.name: column for column in own.inputs}
        names = [column.name for column in self.model.columns]
        if {*names} != {*columns}:
            raise self.error(
                f"the network of {self.file.name} has the inputs {first_of(names)}, but the data "
                f"have {first_of([*columns])}: choose the same columns by `data.inputs`, or name "
                "those of the network by `bpnet import --inputs`"
            )
        inputs = (_merged(column, columns[column.name]) for column in self.model.columns)
        return replace(own, inputs=tuple(inputs))

    def issues(self, table: Table, network: Network) -> Iterator[ConfigIssue]:
        """Names, classes, sizes and activations that differ from the config and the data."""
        return _issues(self, table, network)

    def adapted(self, network: Network, fitted: Preprocessor) -> Adapted:
        """The scales and the parameters of a training that starts here.

        Raises `ConfigError` if new scales would change what the network computes.
        """
        try:
            return _adapted(self, network, fitted)
        except ModelError as error:
            raise self.error(str(error)) from None


def start_of(config: Config, given: ParametersFile) -> Start:
    """The start that a config asks for. Raises `ConfigError` if its file has no network."""
    path = Path(given.file)
    if path.suffix.lower() not in READERS:
        raise config.source.error([ConfigIssue(_NO_FILE.format(", ".join(READERS)), _AT)])
    try:
        model, content = read_model(path)
    except ModelError as error:
        raise config.source.error([ConfigIssue(str(error).rstrip("."), _AT)]) from None
    return Start(config, model, path, content, given.scales == "refit")


def _merged(known: InputColumn, own: InputColumn) -> InputColumn:
    """The column of the start; one that it only names is read as the data need it."""
    return own if known == InputColumn(known.name) and own.kind == "number" else known


def _issues(start: Start, table: Table, network: Network) -> Iterator[ConfigIssue]:
    model, name = start.model, start.file.name
    layers = tuple((layer.inputs, layer.units) for layer in network.layers)
    if layers != tuple((layer.inputs, layer.units) for layer in model.layers):
        yield ConfigIssue(
            f"the network of {name} has the layers {model.sizes}, but the config and the data have "
            f"{[network.inputs, *(units for _, units in layers)]}: set `network.layers`",
            _AT,
        )
        return
    for number, (given, layer) in enumerate(zip(model.layers, network.layers, strict=True), 1):
        own, old = (name_of(ACTIVATIONS, each.activation) for each in (layer, given))
        if layer.activation != given.activation:
            yield ConfigIssue(
                f"layer {number} of {name} has the activation `{old}`, but the config has `{own}`: "
                "set `network.activations`",
                _AT,
            )
        if given.bias is not None and not layer.has_bias:
            yield ConfigIssue(
                f"layer {number} of {name} has biases: set `network.bias` to true", _AT
            )
    if list(model.input_names) != list(table.input_names):
        yield ConfigIssue(
            f"the network of {name} has the inputs {first_of(model.input_names)}, but the data "
            f"have {first_of(table.input_names)}: name them by `bpnet import --inputs`",
            _AT,
        )
    yield from _issues_of_classes(start, table)
    yield from _issues_of_targets(start, table)


def _issues_of_classes(start: Start, table: Table) -> Iterator[ConfigIssue]:
    known, own = start.model.classes, table.class_names
    is_binary = start.model.layers[-1].units == 1
    fits = known == own or (not is_binary and {*known} == {*own})
    if known and own and not fits:
        yield ConfigIssue(
            f"the network of {start.file.name} has the classes {first_of(known)}, but the data "
            f"have {first_of(own)}: name them by `bpnet import --classes`",
            _AT,
        )
    elif bool(known) != bool(own):
        said = ("classes", "numbers") if known else ("numbers", "classes")
        yield ConfigIssue(
            f"the network of {start.file.name} predicts {said[0]}, but the targets are {said[1]}",
            _AT,
        )


def _issues_of_targets(start: Start, table: Table) -> Iterator[ConfigIssue]:
    """Targets in another order, or of other names, unless the network does not name them."""
    known, own, words = start.model.target_names, table.target_names, start.model.labels
    if not table.has_targets or table.class_names or table.is_autoencoder:
        return
    if words and words != tuple(table.words.values()):
        yield ConfigIssue(
            f"the labels of {start.file.name} have the values {_pairs(words)}, but those of the "
            f"data are {_pairs(tuple(table.words.values()))}",
            _AT,
        )
    elif known != own and known != value_names(len(known)):
        yield ConfigIssue(
            f"the network of {start.file.name} has the targets {first_of(known)}, but the data "
            f"have {first_of(own)}: set `data.targets`",
            _AT,
        )


def _pairs(words: tuple[Words, ...]) -> str:
    return first_of([f"{zero}/{one}" for zero, one in words]) or "none"


def _adapted(start: Start, network: Network, fitted: Preprocessor) -> Adapted:
    layers = [*start.model.layers]
    layers[-1] = _ordered(layers[-1], start.model.classes, fitted.class_names)
    inputs, targets = start.model.inputs, start.model.targets
    if start.refits:
        layers[0] = _with_inputs(layers[0], inputs, fitted.inputs)
        layers[-1] = _with_targets(layers[-1], targets, fitted.targets)
        inputs, targets = fitted.inputs, fitted.targets
    params = np.empty(network.n_params)
    pairs = zip(layers, network.layers, network.matrices(params), strict=True)
    for number, (given, layer, matrix) in enumerate(pairs, start=1):
        matrix[:, : layer.inputs] = given.weights
        if layer.has_bias:
            matrix[:, -1] = 0.0 if given.bias is None else given.bias
        elif given.bias is not None and given.bias.any():
            raise ModelError(f"layer {number} needs biases: set `network.bias` to true")
    return Adapted(replace(fitted, inputs=inputs, targets=targets), params)


def _ordered(layer: ImportedLayer, known: tuple[str, ...], own: tuple[str, ...]) -> ImportedLayer:
    """The last layer with its units in the order of the classes of the data."""
    if known == own or len(known) != layer.units:
        return layer
    pieces = layer.activation.rows_per_unit
    units = np.array([known.index(name) for name in own])
    rows = (units[:, np.newaxis] * pieces + np.arange(pieces)).ravel()
    bias = None if layer.bias is None else layer.bias[rows]
    return ImportedLayer(layer.weights[rows], bias, layer.activation)


def _with_inputs(layer: ImportedLayer, old: Scaler, new: Scaler) -> ImportedLayer:
    """The first layer for inputs of another scale.

    x' = (x - s)/f, and x = x₁ f₁ + s₁: W x' = (W f₁/f) x₁ + W (s₁ - s)/f.
    """
    moved = layer.weights @ ((new.shift - old.shift) / old.factor)
    weights = layer.weights * (new.factor / old.factor)
    return ImportedLayer(weights, _shifted(layer.bias, moved), layer.activation)


def _with_targets(layer: ImportedLayer, old: Scaler, new: Scaler) -> ImportedLayer:
    """The last layer for targets of another scale: y = a f + s = a₁ f₁ + s₁.

    Raises `ModelError` if the layer is not linear and the scales differ.
    """
    ratio, moved = old.factor / new.factor, (old.shift - new.shift) / new.factor
    if (ratio == 1).all() and not moved.any():
        return layer
    if not layer.activation.is_identity:
        raise ModelError(
            "the scale of the targets can be fitted again only if the output layer is linear: "
            "set `scales: keep`"
        )
    bias = None if layer.bias is None else layer.bias * ratio
    weights = layer.weights * ratio[:, np.newaxis]
    return ImportedLayer(weights, _shifted(bias, moved), layer.activation)


def _shifted(bias: Vector | None, moved: Array) -> Vector | None:
    if bias is None:
        return moved if moved.any() else None
    shifted: Vector = bias + moved
    return shifted
