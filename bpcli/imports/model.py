"""A network of another program: its layers, the scales of its inputs and outputs, and its names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.scaler import Scaler
from bpcli.data.table import value_names
from bpcli.data.types import Words, numbered
from bpcli.errors import ModelError
from bpcli.nn.activation import Activation
from bpcli.nn.arrays import Array, Vector
from bpcli.text import plural

MOST_PARAMETERS = 50_000_000


@dataclass(frozen=True, eq=False)
class ImportedLayer:
    """a = f(W a_below + b), with W (rows, inputs) and b (rows,), which may be missing."""

    weights: Array
    bias: Vector | None
    activation: Activation

    @property
    def inputs(self) -> int:
        return int(self.weights.shape[1])

    @property
    def units(self) -> int:
        return int(self.weights.shape[0]) // self.activation.rows_per_unit


@dataclass(frozen=True, eq=False)
class ImportedModel:
    """outputs = unscale(layers(scale(inputs))), in float64.

    `columns` are the inputs of a table. `classes` are the names of the outputs' classes; `labels`
    the names of labels with the two words of each; without both, outputs are values. `form` says in
    a few words what the file is. `notes` say what was guessed, left out or folded.
    """

    form: str
    layers: tuple[ImportedLayer, ...]
    inputs: Scaler
    targets: Scaler
    columns: tuple[InputColumn, ...]
    target_names: tuple[str, ...]
    classes: tuple[str, ...] = ()
    labels: tuple[Words, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def encoder(self) -> FeatureEncoder:
        """How a table with these columns becomes inputs."""
        file_columns = (*(column.name for column in self.columns), *self.target_names)
        return FeatureEncoder(self.columns, self.target_names, self.classes, file_columns)

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(name for column in self.columns for name in column.names)

    @property
    def sizes(self) -> list[int]:
        """The units of each layer, the inputs first."""
        return [self.layers[0].inputs, *(layer.units for layer in self.layers)]

    @property
    def n_params(self) -> int:
        return sum(
            layer.weights.size + (0 if layer.bias is None else layer.bias.size)
            for layer in self.layers
        )


def checked(model: ImportedModel) -> ImportedModel:
    """The model. Raises `ModelError` if its parts do not fit together, or are not finite."""
    width = len(model.input_names)
    for number, layer in enumerate(model.layers, start=1):
        if layer.weights.ndim != 2 or not layer.weights.size:
            raise ModelError(f"the weights of layer {number} are not a matrix of numbers.")
        if layer.inputs != width:
            raise ModelError(
                f"layer {number} has {plural(layer.inputs, 'column')} of weights, but there are "
                f"{plural(width, 'input')} to it."
            )
        rows = layer.weights.shape[0]
        if rows % layer.activation.rows_per_unit:
            raise ModelError(
                f"layer {number} has {rows} rows, which is not a multiple of "
                f"{layer.activation.rows_per_unit}, the rows of a unit."
            )
        if layer.bias is not None and layer.bias.shape != (rows,):
            raise ModelError(f"layer {number} has {rows} rows, but {layer.bias.size} biases.")
        width = layer.units
    if model.n_params > MOST_PARAMETERS:
        raise ModelError(f"it has {model.n_params:,} parameters, more than {MOST_PARAMETERS:,}.")
    _check_scales(model, width)
    _check_finite(model)
    _check_names(model, width)
    return model


def _check_scales(model: ImportedModel, outputs: int) -> None:
    for what, scale, width in (
        ("inputs", model.inputs, len(model.input_names)),
        ("outputs", model.targets, outputs),
    ):
        if scale.shift.shape != (width,) or scale.factor.shape != (width,):
            raise ModelError(f"the scale of the {what} must have {plural(width, 'number')}.")
        if not scale.factor.all():
            raise ModelError(f"the scale of the {what} has a factor of 0.")


def _check_finite(model: ImportedModel) -> None:
    scales = [model.inputs.shift, model.inputs.factor, model.targets.shift, model.targets.factor]
    biases = [layer.bias for layer in model.layers if layer.bias is not None]
    for array in (*scales, *biases, *(layer.weights for layer in model.layers)):
        if array.dtype != np.float64 or not np.isfinite(array).all():
            raise ModelError("it contains numbers that are not finite.")


def _check_names(model: ImportedModel, outputs: int) -> None:
    """Check that names are unique and printable, and that there are as many as outputs."""
    if model.classes and len(model.classes) != outputs and (len(model.classes), outputs) != (2, 1):
        raise ModelError(f"{len(model.classes)} classes do not fit {plural(outputs, 'output')}.")
    if not model.classes and len(model.target_names) != outputs:
        raise ModelError(
            f"{plural(len(model.target_names), 'target')} for {plural(outputs, 'output')}: "
            "expected one for each."
        )
    for names in (model.input_names, model.target_names, model.classes):
        if len({*names}) < len(names):
            raise ModelError("a name is used twice.")
        for name in names:
            if not name or not name.isprintable():
                raise ModelError(f"the name {name!r} is empty or has control characters.")


def renamed(
    model: ImportedModel,
    inputs: Sequence[str] = (),
    targets: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> ImportedModel:
    """The model with other names of inputs, targets or classes, where they are given.

    Raises `ModelError` if they are more or fewer than there are.
    """
    for what, names, count in (
        ("inputs", inputs, len(model.columns)),
        ("targets", targets, 1 if classes else len(model.target_names)),
    ):
        if names and len(names) != count:
            given = plural(len(names), "name")
            raise ModelError(f"--{what} has {given}, but the network has {count} {what}.")
    columns = model.columns
    if inputs:
        columns = tuple(
            replace(column, name=name) for column, name in zip(columns, inputs, strict=True)
        )
    if classes and not model.classes:
        model = replace(model, labels=(), target_names=("class",))
    return checked(
        replace(
            model,
            columns=columns,
            target_names=tuple(targets) or model.target_names,
            classes=tuple(classes) or model.classes,
            notes=model.notes if not classes else _without_class_note(model.notes),
        )
    )


CLASSES_ARE_NUMBERED = "the classes are called"
"""In the note on classes without names."""


def _without_class_note(notes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(note for note in notes if CLASSES_ARE_NUMBERED not in note)


def plain_columns(names: Sequence[str]) -> tuple[InputColumn, ...]:
    """Columns of numbers."""
    return tuple(map(InputColumn, names))


def default_names(inputs: int, outputs: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of inputs and targets in a file without names: x1, x2, … and y, or y1, y2, …"""
    return numbered("x", inputs), value_names(outputs)
