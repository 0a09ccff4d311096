"""Export a model to a file whose predictions were compared with bpnet's own.

The rows for the comparison are drawn from the range of the training rows, and from far outside. A
file whose predictions differ from bpnet's is not written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.errors import ConfigError, GateFailed
from bpcli.export.json_file import document, json_text
from bpcli.export.model import Model
from bpcli.export.onnx_file import onnx_bytes, onnx_outputs
from bpcli.export.python_child import predictions
from bpcli.export.python_file import python_text
from bpcli.nn.arrays import Array
from bpcli.runs.files import write_atomically

Columns: TypeAlias = dict[str, list[Any]]
"""Rows to compare predictions on, as columns by name."""

EXACT, SINGLE = 1e-12, 1e-5
"""The tolerance for the outputs of a file, in double and in single precision."""


@dataclass(frozen=True)
class Format:
    """A file format: how a file is made, and how it is verified before it is written."""

    suffix: str
    content: Callable[[Model], bytes]
    verify: Callable[[bytes, Model], None]


def export(
    model: Model, to: str, path: Path | None, *, force: bool = False, hint: str = "use --force"
) -> Path:
    """Write a verified file; return its path. `hint` says how to overwrite a file.

    Raises `ConfigError` if the file exists and not `force`, or if a package is missing, `RunError`
    if the run is damaged, and `GateFailed` if the file's predictions differ from bpnet's.
    """
    format_ = FORMATS[to]
    path = path or Path(_module_name(model.name) + format_.suffix)
    if path.exists() and not (force and path.is_file()):
        way_out = f"{hint} to overwrite it" if path.is_file() else "name another file"
        raise ConfigError(f"{path} already exists: {way_out}.")
    content = format_.content(model)
    format_.verify(content, model)
    write_atomically(path, content)
    return path


def _module_name(name: str) -> str:
    """A name that Python can import."""
    module = name.replace("-", "_").replace(".", "_")
    return module if module.isidentifier() else f"_{module}"


# Verifying.


def _verify_python(content: bytes, model: Model) -> None:
    exact, tables = model.in_double(), list(probes(model))
    for columns, predicted in zip(tables, predictions(content, tables), strict=True):
        X = _encoded(model, columns)
        outputs = _outputs_of(predicted, model.output_names, len(X))
        answers = {name: predicted[name] for name in model.answers if name in predicted}
        _check("Python file", exact, X, outputs, answers, EXACT)


def _outputs_of(predicted: Mapping[str, Any], names: Sequence[str], rows: int) -> Array:
    """The outputs (rows, names). Raises `GateFailed` if they are not an array of that shape."""
    try:
        outputs = np.array([predicted[name] for name in names], np.float64)
    except (KeyError, TypeError, ValueError):
        outputs = np.empty(0)
    if outputs.shape != (len(names), rows):
        raise GateFailed("The outputs of the Python file have a wrong shape: it was not written.")
    return outputs.T


def _verify_json(content: bytes, model: Model) -> None:
    if json.loads(content) != json.loads(json.dumps(document(model))):
        raise GateFailed("The JSON file differs from the model when read: it was not written.")


def _verify_onnx(content: bytes, model: Model) -> None:
    dtype = model.params.dtype
    for columns in probes(model):
        X = _encoded(model, columns).astype(dtype).astype(np.float64)
        outputs, words = onnx_outputs(content, X, dtype)
        answers = {} if words is None else dict(zip(model.answers, words.T.tolist(), strict=True))
        _check("ONNX file", model, X, outputs, answers, SINGLE if dtype == np.float32 else EXACT)


def _check(
    what: str,
    model: Model,
    X: Array,
    outputs: Array,
    answers: Mapping[str, list[str]],
    tolerance: float,
) -> None:
    """Raises `GateFailed` if outputs, or predicted classes or labels, differ from bpnet's.

    Outputs may differ by `tolerance`, relative to the largest of their column (or to the size at
    which the activation is rounded), and by a multiple of the effect of rounding the inputs.
    """
    expected = model.outputs(X)
    rounded_at = model.network.layers[-1].activation.rounded_at
    largest = np.maximum(
        np.abs(expected).max(axis=0), model.preprocessor.targets.factor * rounded_at
    )
    rounded = model.outputs(X * (1 + 4 * float(np.finfo(model.params.dtype).eps)))
    allowed = tolerance * largest + 8 * np.abs(rounded - expected)
    excess = np.abs(outputs - expected) - allowed
    if not (excess <= 0).all():
        worst = np.unravel_index(np.argmax(excess), excess.shape)  # NaN if there is one
        raise GateFailed(
            f"The {what} gives {outputs[worst]:.17g} where bpnet gives {expected[worst]:.17g}: it "
            "was not written."
        )
    if answers != model.preprocessor.in_words(outputs):
        nature = "labels" if model.preprocessor.words else "classes"
        raise GateFailed(
            f"The {nature} of the {what} do not match its outputs: it was not written."
        )


def _encoded(model: Model, columns: Columns) -> Array:
    from pandas import DataFrame

    return model.encoder.encode(DataFrame(columns))


def probes(model: Model) -> Iterator[Columns]:
    """Rows from the range of the training rows; then 0, their mean, and rows far outside."""
    rng = np.random.default_rng(0)
    scale, width = model.preprocessor.inputs, model.network.inputs
    yield _columns(model, scale.invert(rng.standard_normal((64, width))), rng)
    middle = np.zeros((1, width))
    far = 10 * rng.choice([-1.0, 1.0], (4, width))
    edges = scale.invert(np.vstack([middle, middle + 10, middle - 10, far]))
    yield _columns(model, np.vstack([np.zeros((1, width)), edges]), rng)


def _columns(model: Model, X: Array, rng: np.random.Generator) -> Columns:
    """Numbers from X; random booleans, categories and missing values."""
    columns, end = {}, 0
    for column in model.encoder.inputs:
        start, end = end, end + len(column.names)
        columns[column.name] = _values(column, X[:, start].tolist(), rng)
    return columns


def _values(column: InputColumn, numbers: list[float], rng: np.random.Generator) -> list[Any]:
    values: list[Any] = numbers
    if column.kind == "date":
        values = [_date(column, int(rng.integers(366, 36_000))) for _ in numbers]
    elif column.kind != "number":
        categories = [*column.categories, "an unknown category"]
        if not column.spelling.is_plain:
            categories += [*column.spelling.rename, *map(str.swapcase, column.categories)]
        choices: list[Any] = [True, False] if column.kind == "boolean" else categories
        values = [choices[int(rng.integers(len(choices)))] for _ in numbers]
    if column.fill is not None:
        values = [None if rng.random() < 0.2 else value for value in values]
    return values


def _date(column: InputColumn, days: int) -> str:
    stamp = datetime(1970, 1, 1) + timedelta(days=days, minutes=37 * days)
    return stamp.strftime(column.date_format or "%Y-%m-%d")


def _text(make: Callable[[Model], str]) -> Callable[[Model], bytes]:
    return lambda model: make(model).encode()


FORMATS: Mapping[str, Format] = {
    "onnx": Format(".onnx", onnx_bytes, _verify_onnx),
    "json": Format(".json", _text(json_text), _verify_json),
    "python": Format(".py", _text(python_text), _verify_python),
}
