"""A model written down for use elsewhere, after the file was held against our own prediction.

The rows it is tried on are drawn where the training rows lay, and far outside; a file that does not
compute what bpnet does is not written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
"""Rows to try a file on, as columns by name."""

EXACT, SINGLE = 1e-12, 1e-5
"""By how much the outputs of a file may differ: in double precision, and in single."""


@dataclass(frozen=True)
class Format:
    """A kind of file: how it is made, and how it is verified before it is written."""

    suffix: str
    content: Callable[[Model], bytes]
    verify: Callable[[bytes, Model], None]


def export(model: Model, to: str, path: Path | None, *, force: bool = False) -> Path:
    """Write a verified file; where it is.

    Raises `ConfigError` where a file is in the way and not `force`, or a package lacks, `RunError`
    where the run says what no file can hold, and `GateFailed` where the file does not compute what
    bpnet does.
    """
    kind = FORMATS[to]
    path = path or Path(_module_name(model.name) + kind.suffix)
    if path.exists() and not (force and path.is_file()):
        hint = "--force overwrites it" if path.is_file() else "name a file by -o"
        raise ConfigError(f"{path} is there already: {hint}.")
    content = kind.content(model)
    kind.verify(content, model)
    write_atomically(path, content)
    return path


def _module_name(name: str) -> str:
    """A name that Python can import."""
    word = name.replace("-", "_").replace(".", "_")
    return word if word.isidentifier() else f"_{word}"


# Verifying.


def _verify_python(content: bytes, model: Model) -> None:
    exact, tried = model.in_double(), list(probes(model))
    for columns, predicted in zip(tried, predictions(content, tried), strict=True):
        X = _encoded(model, columns)
        found = _columns_of(predicted, model.output_names, len(X))
        _check("Python file", exact, X, found, predicted.get("class"), EXACT)


def _columns_of(predicted: Mapping[str, Any], names: Sequence[str], rows: int) -> Array:
    """The outputs (rows, names). Raises `GateFailed` where they are no such numbers."""
    try:
        found = np.array([predicted[name] for name in names], np.float64)
    except (KeyError, TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (len(names), rows):
        raise GateFailed("The Python file gives other outputs than bpnet: it was not written.")
    return found.T


def _verify_json(content: bytes, model: Model) -> None:
    if json.loads(content) != json.loads(json.dumps(document(model))):
        raise GateFailed("The JSON file does not read as it was written.")


def _verify_onnx(content: bytes, model: Model) -> None:
    dtype = model.params.dtype
    for columns in probes(model):
        X = _encoded(model, columns).astype(dtype).astype(np.float64)
        found, classes = onnx_outputs(content, X, dtype)
        _check("ONNX file", model, X, found, classes, SINGLE if dtype == np.float32 else EXACT)


def _check(
    what: str,
    model: Model,
    X: Array,
    found: Array,
    classes: Sequence[str] | None,
    tolerance: float,
) -> None:
    """Raises `GateFailed` where outputs or classes are not ours.

    Outputs may differ by `tolerance`, relative to the largest of their column (or to the size at
    which the activation is rounded), and by some times what rounding the inputs alone changes.
    """
    expected = model.outputs(X)
    rounded_at = model.network.layers[-1].activation.rounded_at
    largest = np.maximum(
        np.abs(expected).max(axis=0), model.preprocessor.targets.factor * rounded_at
    )
    rounded = model.outputs(X * (1 + 4 * float(np.finfo(model.params.dtype).eps)))
    allowed = tolerance * largest + 8 * np.abs(rounded - expected)
    excess = np.abs(found - expected) - allowed
    if not (excess <= 0).all():
        worst = np.unravel_index(np.argmax(excess), excess.shape)  # NaN if there is one
        raise GateFailed(
            f"The {what} gives {found[worst]:.17g} where bpnet gives {expected[worst]:.17g}: it "
            "was not written."
        )
    labels = model.labels(found)
    names = None if labels is None else [model.class_names[label] for label in labels]
    if names != (None if classes is None else list(classes)):
        raise GateFailed(
            f"The {what} gives other classes than its outputs say: it was not written."
        )


def _encoded(model: Model, columns: Columns) -> Array:
    from pandas import DataFrame

    return model.encoder.encode(DataFrame(columns))


def probes(model: Model) -> Iterator[Columns]:
    """Rows to try a file on: drawn where the training rows lay; then the middle, 0 and far out."""
    rng = np.random.default_rng(0)
    scale, width = model.preprocessor.inputs, model.network.inputs
    yield _columns(model, scale.invert(rng.standard_normal((64, width))), rng)
    middle = np.zeros((1, width))
    far = 10 * rng.choice([-1.0, 1.0], (4, width))
    edges = scale.invert(np.vstack([middle, middle + 10, middle - 10, far]))
    yield _columns(model, np.vstack([np.zeros((1, width)), edges]), rng)


def _columns(model: Model, X: Array, rng: np.random.Generator) -> Columns:
    """Numbers from X; booleans, words and gaps by lot."""
    columns, end = {}, 0
    for column in model.encoder.inputs:
        place, end = end, end + len(column.names)
        columns[column.name] = _values(column, X[:, place].tolist(), rng)
    return columns


def _values(column: InputColumn, numbers: list[float], rng: np.random.Generator) -> list[Any]:
    values: list[Any] = numbers
    if column.kind != "number":
        words = [*column.categories, "a word that no row had"]
        among: list[Any] = [True, False] if column.kind == "boolean" else words
        values = [among[int(rng.integers(len(among)))] for _ in numbers]
    if column.fill is not None:
        values = [None if rng.random() < 0.2 else value for value in values]
    return values


def _text(make: Callable[[Model], str]) -> Callable[[Model], bytes]:
    return lambda model: make(model).encode()


FORMATS: Mapping[str, Format] = {
    "onnx": Format(".onnx", onnx_bytes, _verify_onnx),
    "json": Format(".json", _text(json_text), _verify_json),
    "python": Format(".py", _text(python_text), _verify_python),
}
