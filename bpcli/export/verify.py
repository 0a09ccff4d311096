"""Compares the predictions of an exported file with bpnet's.

The rows for the comparison are drawn from the range of the training rows, and from far outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from bpcli.data.columns import InputColumn
from bpcli.errors import GateFailed
from bpcli.export.model import Model
from bpcli.nn.arrays import Array

Columns: TypeAlias = dict[str, list[Any]]
"""Rows to compare predictions on, or predictions, as columns by name."""

Runner: TypeAlias = Callable[[bytes, Model, Sequence[Columns]], Sequence[Columns]]
"""Runs a file of this content on several tables: the outputs, and the class or labels, by name."""

EXACT, SINGLE = 1e-12, 1e-5
"""The tolerance for the outputs of a file, in double and in single precision."""


_HUGE = 1e250


def by_running(
    what: str,
    run: Runner,
    dtype: DTypeLike = np.float64,
    *,
    has_infinity: bool = True,
    digits: int | None = None,
) -> Callable[[bytes, Model], None]:
    """A function that verifies a file which computes in `dtype`, by running it.

    It raises `GateFailed` if a prediction differs, and what `run` raises. Without `has_infinity`,
    a number above 1e250 is right where bpnet has ∞, any number where it has NaN, and an error (NaN)
    in a row in which a unit of bpnet overflows.
    If `run` knows only some `digits` of numbers, classes are not compared where others decide.
    """

    def verify(content: bytes, model: Model) -> None:
        exact, tables = model.in_double(), list(probes(model))
        for columns, predicted in zip(tables, run(content, model, tables), strict=True):
            X = encoded(model, columns)
            outputs = _outputs_of(what, predicted, model.output_names, len(X))
            _check_intervals(what, model, predicted, outputs, dtype)
            answers = {name: predicted[name] for name in model.answers if name in predicted}
            if not has_infinity:
                outputs, answers = _with_overflows(exact, X, outputs, answers)
            check(f"{what} file", exact, X, outputs, answers, dtype, digits)

    return verify


def _with_overflows(
    model: Model, X: Array, outputs: Array, answers: Columns
) -> tuple[Array, Columns]:
    """The outputs and answers of a file without ∞, with those of bpnet where that overflows."""
    expected = model.outputs(X)
    is_error = np.isnan(outputs) & _overflows(model, X)
    is_huge = np.isinf(expected) & ~(np.abs(outputs) < _HUGE)
    outputs = np.where(is_error | is_huge | np.isnan(expected), expected, outputs)
    has_error = np.logical_or.reduce(is_error, axis=1).tolist()
    words = model.preprocessor.in_words(outputs)
    return outputs, {
        name: [
            own if lost else word
            for word, own, lost in zip(labels, words[name], has_error, strict=True)
        ]
        for name, labels in answers.items()
    }


def _overflows(model: Model, X: Array) -> Array:
    """Whether a unit overflows in each row (rows, 1)."""
    has_overflow = np.zeros((len(X), 1), bool)
    for index in range(len(X)):
        try:
            with np.errstate(over="raise"):
                model.outputs(X[index : index + 1])
        except FloatingPointError:
            has_overflow[index] = True
    return has_overflow


def _outputs_of(what: str, predicted: Mapping[str, Any], names: Sequence[str], rows: int) -> Array:
    """The outputs (rows, names). Raises `GateFailed` if they are not an array of that shape."""
    try:
        outputs = np.array([predicted[name] for name in names], np.float64)
    except (KeyError, TypeError, ValueError):
        outputs = np.empty(0)
    if outputs.shape != (len(names), rows):
        raise GateFailed(f"The outputs of the {what} file have a wrong shape: it was not written.")
    return outputs.T


def check(
    what: str,
    model: Model,
    X: Array,
    outputs: Array,
    answers: Mapping[str, list[str]],
    dtype: DTypeLike,
    digits: int | None = None,
) -> None:
    """Raises `GateFailed` if outputs, or predicted classes or labels, differ from bpnet's.

    Outputs may differ by the tolerance of `dtype`, relative to the largest of their column (or to
    the size at which the activation is rounded), and by a multiple of the effect of rounding the
    inputs (and the weights, if `dtype` does not hold them). Where bpnet's overflow in `dtype`, the
    file's must too. NaN has no class.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # where both overflow
        expected = model.outputs(X)
        is_same = np.equal(outputs.astype(dtype), expected.astype(dtype))
        is_same |= np.isnan(outputs) & np.isnan(expected)
        allowed = _allowed(model, X, expected, dtype)
        excess = np.where(is_same, 0, np.abs(outputs - expected) - allowed)
    if not (excess <= 0).all():
        worst = np.unravel_index(np.argmax(excess), excess.shape)  # NaN if there is one
        way_out = " Use `--precision double`." if _is_coarser(model, dtype) else ""
        raise GateFailed(
            f"The {what} gives {outputs[worst]:.17g} where bpnet gives {expected[worst]:.17g}: it "
            f"was not written.{way_out}"
        )
    words = model.preprocessor.in_words(outputs)
    is_open: Array = np.logical_or.reduce(np.isnan(outputs), axis=1)
    if digits is not None:
        is_open |= _is_close(model, outputs, 10.0 ** (1 - digits))
    if _decided(answers, is_open) != _decided(words, is_open):
        nature = "labels" if model.preprocessor.words else "classes"
        raise GateFailed(
            f"The {nature} of the {what} do not match its outputs: it was not written."
        )


def _check_intervals(
    what: str, model: Model, predicted: Mapping[str, Any], outputs: Array, dtype: DTypeLike
) -> None:
    """Raises `GateFailed` if the ends of intervals do not fit the file's own outputs (n, outputs).

    They may differ by the tolerance of `dtype`, relative to the output or the half width.
    """
    if model.intervals is None:
        return
    ends = _outputs_of(what, predicted, model.end_names, len(outputs))
    method = model.intervals.method
    expected = method.bounds(outputs, outputs).columns
    size = np.repeat(np.maximum(np.abs(outputs), method.half), 2, axis=1)
    is_same = np.equal(ends, expected) | (np.isnan(ends) & np.isnan(expected))
    if not (is_same | (np.abs(ends - expected) <= _tolerance(dtype) * size)).all():
        raise GateFailed(
            f"The intervals of the {what} file differ from bpnet's: it was not written."
        )


def _tolerance(dtype: DTypeLike) -> float:
    return SINGLE if dtype == np.float32 else EXACT


def _decided(answers: Mapping[str, list[str]], is_open: Array) -> dict[str, list[str | None]]:
    """The answers without those of open rows: outputs are NaN, or too close to each other."""
    return {
        name: [
            None if is_undecided else word
            for word, is_undecided in zip_longest(words, is_open.tolist())
        ]
        for name, words in answers.items()
    }


def _is_close(model: Model, outputs: Array, part: float) -> Array:
    """Whether the two largest outputs of a row, or an output and ½, differ by this part at most."""
    if model.class_names and outputs.shape[1] > 1:
        second, first = np.sort(outputs, axis=1)[:, -2:].T
        is_close: Array = first - part * np.abs(first) <= second
    else:
        is_close = np.logical_or.reduce(np.abs(outputs - 0.5) <= part, axis=1)
    return is_close


def _allowed(model: Model, X: Array, expected: Array, dtype: DTypeLike) -> Array:
    """The largest difference from each of the outputs that are expected."""
    rounded_at = model.network.layers[-1].activation.rounded_at
    finite = np.where(np.isfinite(expected), expected, 0)
    largest = np.maximum(np.abs(finite).max(axis=0), model.preprocessor.targets.factor * rounded_at)
    grown = 1 + 4 * float(np.finfo(dtype).eps)
    if _is_coarser(model, dtype):  # the weights are rounded too
        model = replace(model, params=model.params * grown)
    rounded = model.outputs(X * grown)
    allowed: Array = _tolerance(dtype) * largest + 8 * np.abs(rounded - expected)
    return allowed


def _is_coarser(model: Model, dtype: DTypeLike) -> bool:
    """Whether a file computes in a lower precision than the model."""
    return bool(np.finfo(dtype).eps > np.finfo(model.params.dtype).eps)


def encoded(model: Model, columns: Columns) -> Array:
    """The inputs (n, inputs) of rows, as bpnet encodes them."""
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


def with_days(column: InputColumn, values: list[Any]) -> list[Any]:
    """The values of a column for files that read no dates: these are days since 1970, or None."""
    if column.kind != "date":
        return values
    from pandas import Series

    days = column.days(Series(values, dtype=object))
    return [None if np.isnan(day) else day for day in days.tolist()]
