"""A model as JSON: names, scales, layers and classes, with all digits of each number."""

from __future__ import annotations

import json
from typing import Any

from bpcli.data.scaler import Scaler
from bpcli.export.model import Intervals, Model
from bpcli.nn.activations import ACTIVATIONS
from bpcli.registry import as_mapping
from bpcli.text import printable_json


def json_text(model: Model) -> str:
    """The model as JSON, in the order of a prediction, with one line per key or layer."""
    lines = [f" {_dumped(key)}: {_laid_out(value)}" for key, value in document(model).items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _laid_out(value: Any) -> str:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return _dumped(value)
    return "[\n  " + ",\n  ".join(map(_dumped, value)) + "\n ]"


def _dumped(value: Any) -> str:
    return printable_json(json.dumps(value, ensure_ascii=False, allow_nan=False))


def document(model: Model) -> dict[str, Any]:
    """The content of the JSON file.

    A prediction encodes `columns` as `inputs`, one per input of the first layer, scales them,
    computes the layers, a[l] = f_l(weights a[l-1] + bias), and scales the outputs back. `labels`,
    if any, have two words each: the second is predicted if the output is at least ½. `intervals`,
    if any, are output ± half width.
    """
    labels = {name: list(words) for name, words in model.preprocessor.words.items()}
    return {
        "format": "bpnet model",
        "version": 1,
        "name": model.name,
        "columns": [column.to_json() for column in model.encoder.inputs],
        "inputs": list(model.encoder.names),
        "input_scale": _scale(model.preprocessor.inputs),
        "layers": _layers(model),
        "output_scale": _scale(model.preprocessor.targets),
        "outputs": list(model.output_names),
        "classes": list(model.class_names),
        **({"labels": labels} if labels else {}),
        **({"intervals": _intervals(model.intervals)} if model.intervals is not None else {}),
    }


def _scale(scale: Scaler) -> dict[str, list[float]]:
    """Inputs are scaled to (x - shift) / factor, outputs to y · factor + shift."""
    return {"shift": scale.shift.tolist(), "factor": scale.factor.tolist()}


def _intervals(intervals: Intervals) -> dict[str, Any]:
    return {"level": intervals.level, "half_widths": intervals.half_widths}


def _layers(model: Model) -> list[dict[str, Any]]:
    return [
        {
            "activation": as_mapping(ACTIVATIONS, layer.activation),
            "weights": matrix[:, : layer.inputs].tolist(),
            "bias": matrix[:, -1].tolist() if layer.has_bias else None,
        }
        for layer, matrix in zip(
            model.network.layers, model.network.matrices(model.params), strict=True
        )
    ]
