"""Networks in bpnet's own JSON, as `bpnet export --to json` writes it."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeAlias

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from bpcli.config.models import ActivationSpec
from bpcli.config.named import Strict
from bpcli.data.columns import InputColumn
from bpcli.data.date_formats import CalendarPart, is_date_format
from bpcli.data.scaler import Scaler
from bpcli.errors import ModelError
from bpcli.imports.model import ImportedLayer, ImportedModel, checked
from bpcli.nn.arrays import Array
from bpcli.text import visible

Number: TypeAlias = float | int


class _Spelling(Strict):
    casefold: bool
    rename: dict[str, str]


class _Column(Strict):
    name: str
    kind: Literal["number", "boolean", "category", "date"]
    categories: list[str]
    date_format: str | None = None
    calendar: list[CalendarPart] = Field(default_factory=list)
    fill: Number | str | None
    indicator: bool
    spelling: _Spelling | None = None


class _Scale(Strict):
    shift: list[Number]
    factor: list[Number]


class _Layer(Strict):
    activation: ActivationSpec
    weights: list[list[Number]]
    bias: list[Number] | None


class _Intervals(Strict):
    level: Number
    half_widths: list[Number]


class _Document(Strict):
    format: Literal["bpnet model"]
    version: Literal[1]
    name: str
    columns: list[_Column]
    inputs: list[str]
    input_scale: _Scale
    layers: list[_Layer] = Field(min_length=1)
    output_scale: _Scale
    outputs: list[str]
    classes: list[str]
    labels: dict[str, list[str]] = Field(default_factory=dict)
    intervals: _Intervals | None = None


def json_model(text: str) -> ImportedModel:
    """The network in a JSON file. Raises `ModelError` if it is not one of bpnet's."""
    try:
        tree = json.loads(text, parse_constant=_no_constant)
        read = TypeAdapter(_Document).validate_python(tree)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"this is not bpnet's JSON of a model: {_reason(error)}.") from None
    labels = tuple((words[0], words[1]) for words in read.labels.values() if len(words) == 2)
    if len(labels) < len(read.labels):
        raise ModelError("a label must have two texts.")
    model = checked(
        ImportedModel(
            "bpnet JSON",
            tuple(map(_layer, read.layers)),
            _scaler(read.input_scale),
            _scaler(read.output_scale),
            tuple(map(_column, read.columns)),
            _target_names(read),
            tuple(read.classes),
            labels,
            () if read.intervals is None else (_WITHOUT_INTERVALS,),
        )
    )
    if list(model.input_names) != read.inputs:
        raise ModelError("its `columns` do not give the names of its `inputs`.")
    return model


_WITHOUT_INTERVALS = (
    "its `intervals` are left out: `bpnet predict --interval` calibrates them on validation rows"
)


def _no_constant(name: str) -> Any:
    raise ValueError(f"JSON has no {name}")


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return visible(str(error))[:200] or type(error).__name__
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part)[:40] for part in first["loc"])
    return f"see its `{visible(where) or 'top level'}`: {visible(first['msg'])[:200]}"


def _target_names(read: _Document) -> tuple[str, ...]:
    """The names of labels, or those in `predicted y`; a column of classes has no name there."""
    if read.classes:
        return ("class",)
    return tuple(read.labels) or tuple(name.removeprefix("predicted ") for name in read.outputs)


def _array(numbers: Any) -> Array:
    try:
        return np.array(numbers, dtype=np.float64)
    except (ValueError, OverflowError):
        raise ModelError("the rows of a matrix have different lengths.") from None


def _scaler(scale: _Scale) -> Scaler:
    return Scaler(_array(scale.shift), _array(scale.factor))


def _layer(layer: _Layer) -> ImportedLayer:
    bias = None if layer.bias is None else _array(layer.bias)
    return ImportedLayer(_array(layer.weights), bias, layer.activation)


def _column(column: _Column) -> InputColumn:
    """The column. Raises `ModelError` if its settings do not fit its kind."""
    is_text = column.kind == "category"
    if is_text and column.fill is not None and column.fill not in column.categories:
        raise ModelError(f"`fill` of column `{visible(column.name)}` is not one of its categories.")
    if not is_text and (column.categories or isinstance(column.fill, str)):
        raise ModelError(f"column `{visible(column.name)}` is a {column.kind} with categories.")
    if column.date_format is not None and not is_date_format(column.date_format):
        raise ModelError(f"column `{visible(column.name)}` has no format of dates.")
    if column.kind != "date" and (column.calendar or column.date_format):
        raise ModelError(
            f"column `{visible(column.name)}` is not a date, but has settings of dates."
        )
    return InputColumn.from_json(column.model_dump())
