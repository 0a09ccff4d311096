"""The weights of a run as tables, CSV and JSON, and as variables of MATLAB's networks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from bpcli.data.scaler import Scaler
from bpcli.data.types import numbered
from bpcli.export.model import Model
from bpcli.imports.matlab_arithmetic import ACTIVATION_OF
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.registry import as_mapping, name_of
from bpcli.terminal.cells import named_text
from bpcli.terminal.grid import Grid


class LayerWeights(NamedTuple):
    """W (rows, inputs) and b (rows,) of a layer, and the names of its rows and columns."""

    number: int
    activation: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    W: Array
    b: Vector | None


def layers_of(model: Model) -> Iterator[LayerWeights]:
    """The layers of a model. Hidden units are called by layer and number, such as h1.3."""
    columns = model.encoder.names
    network = model.network
    matrices = network.matrices(model.params)
    for number, (layer, matrix) in enumerate(zip(network.layers, matrices, strict=True), start=1):
        is_last = number == len(network.layers)
        units = model.output_names if is_last else numbered(f"h{number}.", layer.units)
        pieces = layer.activation.rows_per_unit
        rows = units
        if pieces > 1:
            rows = tuple(f"{unit} piece {k}" for unit in units for k in range(1, pieces + 1))
        yield LayerWeights(
            number,
            named_text(as_mapping(ACTIVATIONS, layer.activation)),
            rows,
            columns,
            matrix[:, : layer.inputs],
            matrix[:, -1] if layer.has_bias else None,
        )
        columns = units


def tables_of(model: Model) -> Iterator[Grid]:
    """The scale of the inputs, each layer, and the scale of the targets, with all digits."""
    scales = model.preprocessor
    yield from _scale_table("input", model.encoder.names, scales.inputs)
    for layer in layers_of(model):
        biases = [] if layer.b is None else [f"b{layer.number}"]
        heading = f"W{layer.number}, {layer.activation}"
        table = Grid([heading, *layer.columns, *biases])
        for row, name in enumerate(layer.rows):
            numbers = [*layer.W[row], *([] if layer.b is None else [layer.b[row]])]
            table.add_row(name, *map(_text, numbers))
        yield table
    yield from _scale_table("output", model.output_names, scales.targets)


def _scale_table(what: str, names: tuple[str, ...], scale: Scaler) -> Iterator[Grid]:
    if scale.changes_nothing:
        return
    table = Grid([what, "shift", "factor"])
    for name, shift, factor in zip(names, scale.shift, scale.factor, strict=True):
        table.add_row(name, _text(shift), _text(factor))
    yield table


def _text(number: Any) -> str:
    """The shortest text that reads back to the same number, in its precision."""
    return str(number)


def csv_text(model: Model) -> str:
    """One line for each weight and bias: tensor, row and column from 1, their names, the number."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["tensor", "row", "column", "unit", "input", "value"])
    for layer in layers_of(model):
        for (row, column), value in np.ndenumerate(layer.W):
            names = layer.rows[row], layer.columns[column]
            writer.writerow([f"W{layer.number}", row + 1, column + 1, *names, _text(value)])
        for row, value in enumerate([] if layer.b is None else layer.b):
            writer.writerow([f"b{layer.number}", row + 1, "", layer.rows[row], "", _text(value)])
    return out.getvalue()


def tree_of(model: Model) -> dict[str, Any]:
    """The scales and the layers as JSON."""
    return {
        "inputs": _scale_tree(model.encoder.names, model.preprocessor.inputs),
        "layers": [
            {
                "activation": layer.activation,
                "rows": list(layer.rows),
                "columns": list(layer.columns),
                "W": layer.W.tolist(),
                "b": None if layer.b is None else layer.b.tolist(),
            }
            for layer in layers_of(model)
        ],
        "outputs": _scale_tree(model.output_names, model.preprocessor.targets),
    }


def _scale_tree(names: tuple[str, ...], scale: Scaler) -> dict[str, Any]:
    return {"names": list(names), "shift": scale.shift.tolist(), "factor": scale.factor.tolist()}


def mat_bytes(model: Model) -> bytes:
    """A .mat file with the cells IW, LW, b and transferFcns, and the settings of the scales.

    `inputs` and `outputs` are cells with one struct as of `mapminmax`: (x - xoffset) · gain + ymin.
    The header has no date, so that equal runs give equal bytes.
    """
    from scipy.io import savemat

    layers = [*layers_of(model)]
    count = len(layers)
    IW, b = np.empty((count, 1), object), np.empty((count, 1), object)
    LW, functions = np.empty((count, count), object), np.empty((count, 1), object)
    for cells in (IW, LW, b):
        cells[...] = [[np.empty((0, 0)) for _ in row] for row in cells]
    for layer in layers:
        row = layer.number - 1
        cells, column = (LW, row - 1) if row else (IW, 0)
        cells[row, column] = layer.W.astype(np.float64)
        if layer.b is not None:
            b[row, 0] = layer.b.astype(np.float64)[:, np.newaxis]
        functions[row, 0] = _function(model, row)
    variables: dict[str, Any] = {"IW": IW, "LW": LW, "b": b, "transferFcns": functions}
    scales = model.preprocessor
    variables |= _settings("inputs", scales.inputs) | _settings("outputs", scales.targets)
    buffer = io.BytesIO()
    savemat(buffer, variables)
    return b"MATLAB 5.0 MAT-file, written by bpnet".ljust(116) + buffer.getvalue()[116:]


def _function(model: Model, row: int) -> str:
    """MATLAB's name of an activation, or bpnet's own if MATLAB has none."""
    name = name_of(ACTIVATIONS, model.network.layers[row].activation)
    return next((key for key, own in ACTIVATION_OF.items() if own == name), name)


def _settings(name: str, scale: Scaler) -> dict[str, Any]:
    """The scale as the settings of one step; none if it changes nothing."""
    if scale.changes_nothing:
        return {}
    cells = np.empty((1, 1), object)
    cells[0, 0] = {
        "xoffset": scale.shift[:, np.newaxis],
        "gain": 1 / scale.factor[:, np.newaxis],
        "ymin": 0.0,
    }
    return {name: cells}
