"""A model as one module of JavaScript that needs nothing else.

It has a list of columns, the layers as functions, and only the functions that the model uses.

A run may come from a stranger, so its values are written only by the functions of `literals`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.date_formats import CalendarPart
from bpcli.data.values import Kind
from bpcli.export.known_texts import fill_index, known_texts
from bpcli.export.literals import identifier, js_string, number, number_lines
from bpcli.export.loops import Braces
from bpcli.export.model import Model
from bpcli.export.parts import filled, parts
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.nn.network import Layer
from bpcli.notation.expressions import Language
from bpcli.registry import name_of

_PARTS = parts("parts.mjs")
_LANGUAGE = Language(
    "JavaScript",
    number,
    {
        "abs": "Math.abs({})",
        "exp": "Math.exp({})",
        "expm1": "Math.expm1({})",
        "log": "Math.log({})",
        "log1p": "Math.log1p({})",
        "maximum": "Math.max({}, {})",
        "minimum": "Math.min({}, {})",
        "sqrt": "Math.sqrt({})",
        "tanh": "Math.tanh({})",
        "where": "(({}) ? ({}) : ({}))",
    },
)
_BRACES = Braces(
    _LANGUAGE,
    "let {} = {};",
    "const {} = new Array({});",
    "let",
    {"max": "-Infinity", "min": "Infinity", "sum": "0"},
)


def javascript_text(model: Model) -> str:
    """The source text of the module."""
    sections = [
        _head(model),
        *(_PARTS[kind] for kind in _kinds(model) if kind in _BEFORE_COLUMNS),
        *_names(model),
        *_encoding(model),
        _PARTS["affine"],
        *(_layer(layer, k) for k, layer in enumerate(model.network.layers, start=1)),
        _predict(model),
        _answers(model),
        "\n".join([*_scales(model), *_parameters(model)]),
    ]
    return "\n".join(f"{section.strip()}\n" for section in sections)


# Names and columns.


def _head(model: Model) -> str:
    trained = "" if model.params.dtype == "float64" else " It was trained in float32."
    return filled(_PARTS["head"], {"layers": model.network.summary, "trained": trained})


def _names(model: Model) -> Iterator[str]:
    yield f"export const name = {js_string(model.name)};"
    yield f"export const columns = [\n{''.join(map(_column, model.encoder.inputs))}];"
    yield f"export const outputs = {_strings(model.output_names)};"
    if model.class_names:
        yield f"export const classes = {_strings(model.class_names)};"
    elif words := model.preprocessor.words:
        lines = (
            f"    {_object({'name': js_string(name), 'words': _strings(pair)})},\n"
            for name, pair in words.items()
        )
        yield f"export const labels = [\n{''.join(lines)}];"


def _strings(texts: Any) -> str:
    return f"[{', '.join(map(js_string, texts))}]"


def _object(entries: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{key}: {value}' for key, value in entries.items())} }}"


def _column(column: InputColumn) -> str:
    is_category = column.kind == "category"
    fill = fill_index(column) if is_category and column.fill is not None else column.fill
    entries = {
        "name": js_string(column.name),
        "kind": js_string(identifier(column.kind, get_args(Kind))),
        "fill": "null" if fill is None else number(fill),
        "indicator": "true" if column.indicator else "false",
    }
    if is_category:
        entries |= _texts(column)
    if column.kind == "date":
        calendar = [identifier(part, get_args(CalendarPart)) for part in column.calendar]
        date_format = column.date_format
        entries["formats"] = "ISO" if date_format is None else _strings([date_format])
        entries["calendar"] = _strings(calendar)
    return f"    {_object(entries)},\n"


def _texts(column: InputColumn) -> dict[str, str]:
    known = known_texts(column)
    folds = f"new Map({_pairs(known.folded)}.map(([text, place]) => [folded(text), place]))"
    return {
        "categories": _strings(column.categories),
        "exact": f"new Map({_pairs(known.exact)})",
        "folded": folds if known.folded else "new Map()",
        "gaps": _strings(known.gaps),
    }


def _pairs(texts: Mapping[str, int | None]) -> str:
    """Texts with their categories; null for one that is unknown, whatever it is folded to."""
    pairs = (
        f"[{js_string(text)}, {'null' if index is None else number(index)}]"
        for text, index in texts.items()
    )
    return f"[{', '.join(pairs)}]"


_BEFORE_COLUMNS = ("date", "category")
"""The kinds whose part has constants that the list of columns needs."""


def _kinds(model: Model) -> list[str]:
    return list(dict.fromkeys(column.kind for column in model.encoder.inputs))


def _encoding(model: Model) -> Iterator[str]:
    """The functions that encode values as numbers."""
    kinds = _kinds(model)
    yield _PARTS["missing"]
    yield _PARTS["fill"]
    yield from (_PARTS[kind] for kind in kinds if kind not in _BEFORE_COLUMNS)
    if "category" not in kinds:
        yield _PARTS["gap"]
    yield filled(_PARTS["encode"], {"encoders": ", ".join(kinds)})


# The network.


def _layer(layer: Layer, k: int) -> str:
    title = f"{number(layer.units)} {name_of(ACTIVATIONS, layer.activation)}"
    values = {"layer": title, "k": number(k), "units": number(layer.units)}
    return filled(_PARTS["layer"], values | {"body": _BRACES.body(layer)})


def _predict(model: Model) -> str:
    layers = len(model.network.layers)
    inputs, outputs = model.preprocessor.inputs, model.preprocessor.targets
    last = f"a{layers}"
    scaled = "inputs.map((x, i) => (x - INPUT_SHIFT[i]) / INPUT_FACTOR[i])"
    unscaled = f"{last}.map((y, i) => y * OUTPUT_FACTOR[i] + OUTPUT_SHIFT[i])"
    calls = (f"    const a{k} = layer{k}(a{k - 1});\n" for k in range(1, layers + 1))
    return filled(
        _PARTS["predict"],
        {
            "scaled": "inputs" if inputs.changes_nothing else scaled,
            "layers": "".join(calls),
            "unscaled": last if outputs.changes_nothing else unscaled,
        },
    )


def _answers(model: Model) -> str:
    if model.class_names:
        decide = "y.indexOf(Math.max(...y))" if model.network.outputs > 1 else "y[0] >= 0.5 ? 1 : 0"
        return filled(_PARTS["class"], {"decide": decide})
    return _PARTS["labels" if model.preprocessor.words else "values"]


# Numbers.


def _scales(model: Model) -> Iterator[str]:
    scales = {"INPUT": model.preprocessor.inputs, "OUTPUT": model.preprocessor.targets}
    for name, scale in scales.items():
        if not scale.changes_nothing:
            yield _vector(f"{name}_SHIFT", scale.shift)
            yield _vector(f"{name}_FACTOR", scale.factor)


def _parameters(model: Model) -> Iterator[str]:
    matrices = model.network.matrices(model.params)
    for k, (layer, matrix) in enumerate(zip(model.network.layers, matrices, strict=True), start=1):
        rows = "".join(f"    [\n{_lines(row, 8)}    ],\n" for row in matrix[:, : layer.inputs])
        yield f"const W{k} = [\n{rows}];"
        yield _vector(f"b{k}", matrix[:, -1] if layer.has_bias else np.zeros(layer.rows))


def _vector(name: str, vector: Array) -> str:
    return f"const {name} = [\n{_lines(vector, 4)}];"


def _lines(vector: Array, indent: int) -> str:
    return number_lines(map(number, vector.tolist()), " " * indent)
