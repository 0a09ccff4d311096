"""A network as a chain of simple steps, and the layers that compute the same.

A reader of a file only notes what happens to a sample: a scale, a matrix product, an exponential.
Here, activations are recognised by their formulas, scales before the first and after the last
matrix become those of the model, and all others become part of the weights. Scales are composed as
fractions, without rounding, and rounded once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np

from bpcli.data.scaler import Scaler
from bpcli.errors import ModelError
from bpcli.imports.model import ImportedLayer
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.text import plural

Fractions: TypeAlias = tuple[Fraction, ...]
"""A number for each unit, or a single number for all."""


@dataclass(frozen=True)
class Affine:
    """A scale, x · factor + shift, unit by unit."""

    factor: Fractions
    shift: Fractions

    def then(self, other: Affine) -> Affine:
        """The composition of two steps."""
        factor = _each(other.factor, self.factor, lambda f, g: f * g)
        shifted = _each(other.factor, self.shift, lambda f, s: f * s)
        return Affine(factor, _each(shifted, other.shift, lambda s, t: s + t))

    @property
    def only_shifts(self) -> bool:
        return set(self.factor) == {1}


@dataclass(frozen=True, eq=False)
class Product:
    """The product W x, with W (units, inputs)."""

    weights: Array


@dataclass(frozen=True)
class Keep:
    """The units with these numbers, from 0, of all that there are."""

    rows: tuple[int, ...]


@dataclass(frozen=True)
class Placement:
    """The units become those with the numbers `rows`, and units of constant values are added."""

    rows: tuple[int, ...]
    constants: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Activate:
    """An activation f(x)."""

    activation: Activation


@dataclass(frozen=True)
class Function:
    """A part of an activation: e^x, number / x, x minus the largest unit, x by the sum of units."""

    name: Literal["exp", "reciprocal", "minus_largest", "by_sum"]
    number: Fraction = Fraction(1)


Step: TypeAlias = Affine | Product | Keep | Placement | Activate | Function


def scaled_by(numbers: Iterable[float] | Array) -> Affine:
    """Return the step that multiplies by numbers."""
    return Affine(_fractions(numbers), (Fraction(0),))


def divided_by(numbers: Iterable[float] | Array) -> Affine:
    """Return the step that divides by numbers. Raises `ModelError` if one is 0."""
    fractions = _fractions(numbers)
    if 0 in fractions:
        raise ModelError("a scale divides by 0.")
    return Affine(tuple(1 / each for each in fractions), (Fraction(0),))


def shifted_by(numbers: Iterable[float] | Array) -> Affine:
    """Return the step that adds numbers."""
    return Affine((Fraction(1),), _fractions(numbers))


def _fractions(numbers: Iterable[float] | Array) -> Fractions:
    array = np.ravel(np.asarray(numbers, np.float64))
    if not np.isfinite(array).all():
        raise ModelError("a number is Inf or NaN: expected finite numbers.")
    return tuple(map(Fraction, array.tolist()))


def _each(left: Fractions, right: Fractions, of: object) -> Fractions:
    count = max(len(left), len(right))
    if {len(left), len(right)} - {1, count}:
        raise ModelError(
            f"a scale has {plural(len(right), 'number')} where {plural(len(left), 'unit')} are."
        )
    pairs = zip(_as_many(left, count), _as_many(right, count), strict=True)
    return tuple(of(one, other) for one, other in pairs)  # type: ignore[operator]  # a function


def _as_many(numbers: Fractions, count: int) -> Fractions:
    return numbers * count if len(numbers) == 1 else numbers


_MOST_SCALES = 100
"""The digits of the fractions grow with each of them."""


def composed(steps: Sequence[Affine]) -> Affine:
    """Steps as one. Raises `ModelError` if they are too many to be those of a network."""
    if len(steps) > _MOST_SCALES:
        raise ModelError(f"it has more than {_MOST_SCALES} scales one after the other.")
    result = Affine((Fraction(1),), (Fraction(0),))
    for step in steps:
        result = result.then(step)
    return result


# Activations by their formulas.


def with_activations(steps: Sequence[Step]) -> list[Step]:
    """The steps, with activations in place of their formulas. Raises `ModelError` for others."""
    merged: list[Step] = []
    for step in steps:
        merged.append(step)
        _recognise(merged)
    for step in merged:
        if isinstance(step, Function):
            what = {"exp": "exp", "reciprocal": "a division by the units"}.get(step.name, "max")
            raise ModelError(f"bpnet has no activation with its formula of {what}.")
    return merged


_PLUS_ONE = shifted_by([1.0])
_MINUS = scaled_by([-1.0])


def _recognise(steps: list[Step]) -> None:
    """Replace the end of the steps if it is the formula of an activation.

    c / (1 + e^x) = c σ(-x); 2 σ(x) - 1 = tanh(x/2); e^x by its sum is softmax.
    """
    match steps:
        case [*_, Function("exp"), Affine() as plus, Function("reciprocal", number)] if (
            plus == _PLUS_ONE
        ):
            scale = scaled_by([float(number)])
            steps[-3:] = [_MINUS, Activate(ACTIVATIONS["sigmoid"]()), scale]
        case [*_, Function("minus_largest"), Function("exp"), Function("by_sum")]:
            steps[-3:] = [Activate(ACTIVATIONS["softmax"]())]
        case [*_, Function("exp"), Function("by_sum")]:
            steps[-2:] = [Activate(ACTIVATIONS["softmax"]())]
        case [*_, Activate(activation), Affine() as one, Affine() as two] if (
            activation == ACTIVATIONS["sigmoid"]() and _is(one.then(two), 2, -1)
        ):
            steps[-3:] = [scaled_by([0.5]), Activate(ACTIVATIONS["tanh"]())]


def _is(step: Affine, factor: int, shift: int) -> bool:
    return set(step.factor) == {factor} and set(step.shift) == {shift}


# Layers.


@dataclass(frozen=True, eq=False)
class Chain:
    """Layers with the scales around them, and the inputs (from 0) that have no influence."""

    layers: tuple[ImportedLayer, ...]
    inputs: Scaler
    targets: Scaler
    unused: tuple[int, ...]


def chain_of(steps: Sequence[Step], width: int | None = None) -> Chain:
    """The layers that compute the same as some steps.

    `width` is the number of inputs if it is known; without it, it is that of the first matrix.
    Raises `ModelError` if the steps are not those of a multilayer perceptron.
    """
    steps = with_activations(steps)
    numbers = [number for number, step in enumerate(steps) if isinstance(step, Product)]
    if not numbers:
        raise ModelError("no matrix of weights multiplies its inputs.")
    if not all(step.weights.size for step in steps if isinstance(step, Product)):
        raise ModelError("a matrix of weights is empty.")
    before, inside = steps[: numbers[0]], steps[numbers[0] :]
    layers, after, placement = _layers(inside)
    inputs, rows = _scale_of_inputs(before, layers[0].inputs, width)
    layers[0] = _spread(layers[0], rows, len(inputs.shift))
    unused = tuple(sorted({*range(len(inputs.shift))} - {*rows}))
    targets = _scaler(composed(after), layers[-1].units)
    if placement is not None:
        layers[-1], targets = _placed(layers[-1], targets, placement)
    return Chain(tuple(layers), inputs, targets, unused)


def _layers(steps: Sequence[Step]) -> tuple[list[ImportedLayer], list[Affine], Placement | None]:
    """The layers, the scales after the last one, and the units that are added at the end."""
    layers: list[ImportedLayer] = []
    before: list[Affine] = []
    placement: Placement | None = None
    rest = list(steps)
    while rest:
        step = rest.pop(0)
        if isinstance(step, Placement) and layers and not rest:
            placement = step
        elif isinstance(step, Product):
            affine = _taken(rest)
            activation = None
            if rest and isinstance(rest[0], Activate):
                activation = rest.pop(0)
            bias = affine if activation or _is_inside(rest) else affine[: _biases(affine)]
            layers.append(_layer(step.weights, before, bias, activation))
            before = affine[len(bias) :] + _taken(rest)
        else:
            raise ModelError("an activation has no matrix of weights before it.")
    return layers, before, placement


def _taken(rest: list[Step]) -> list[Affine]:
    """The scales at the beginning, which are removed."""
    affines = []
    while rest and isinstance(rest[0], Affine):
        affines.append(rest.pop(0))
    return affines  # type: ignore[return-value]  # checked above


def _is_inside(rest: Sequence[Step]) -> bool:
    """Whether another matrix follows."""
    return any(isinstance(step, Product) for step in rest)


def _biases(affine: Sequence[Affine]) -> int:
    """How many of the scales after the last matrix are its biases: a first shift, if there is."""
    return int(bool(affine) and affine[0].only_shifts)


def _layer(
    weights: Array, before: Sequence[Affine], after: Sequence[Affine], activation: Step | None
) -> ImportedLayer:
    """The layer of a matrix between scales: f(A (W (C x + D)) + B)."""
    below, above = composed(before), composed(after)
    C, D = _vector(below.factor, weights.shape[1]), _vector(below.shift, weights.shape[1])
    A, B = _vector(above.factor, weights.shape[0]), _vector(above.shift, weights.shape[0])
    bias = A * (weights @ D) + B
    has_bias = bias.any() or any(step.only_shifts and len(step.shift) > 1 for step in after)
    f = activation.activation if isinstance(activation, Activate) else ACTIVATIONS["identity"]()
    return ImportedLayer(A[:, np.newaxis] * weights * C, bias if has_bias else None, f)


def _vector(numbers: Fractions, count: int) -> Vector:
    if len(numbers) not in (1, count):
        raise ModelError(
            f"a scale has {plural(len(numbers), 'number')} where {plural(count, 'unit')} are."
        )
    try:
        return np.array([float(number) for number in _as_many(numbers, count)])
    except OverflowError:
        raise ModelError("a scale is larger than any number in double precision.") from None


def _scaler(step: Affine, width: int) -> Scaler:
    """The scale y · factor + shift of outputs."""
    return Scaler(_vector(step.shift, width), _vector(step.factor, width))


def _scale_of_inputs(
    steps: Sequence[Step], kept: int, width: int | None
) -> tuple[Scaler, tuple[int, ...]]:
    """The scale (x - shift) / factor of all inputs, and the numbers of those that are kept."""
    rows: tuple[int, ...] | None = None
    scales: list[Affine] = []
    for step in steps:
        if isinstance(step, Affine):
            scales.append(step)
        elif isinstance(step, Keep):
            scales = [_of_rows(scale, step.rows) for scale in scales]
            rows = _chosen(rows or tuple(range(max(step.rows, default=0) + 1)), step.rows)
        else:
            raise ModelError("its inputs pass through an activation before any weights.")
    rows = rows or tuple(range(kept))
    count = max(width or 0, max(rows) + 1)
    whole = composed(scales)
    if 0 in whole.factor:
        raise ModelError("the scale of an input is 0.")
    factor = tuple(1 / each for each in whole.factor)
    shift = _each(whole.shift, factor, lambda s, f: -s * f)
    if len(rows) != kept:
        raise ModelError(f"{plural(len(rows), 'input')} are kept, but {kept} have weights.")
    scaler = Scaler(np.zeros(count), np.ones(count))
    scaler.shift[list(rows)] = _vector(shift, kept)
    scaler.factor[list(rows)] = _vector(factor, kept)
    return scaler, rows


def _of_rows(scale: Affine, rows: tuple[int, ...]) -> Affine:
    factor, shift = (
        each if len(each) == 1 else _chosen(each, rows) for each in (scale.factor, scale.shift)
    )
    return Affine(factor, shift)


def _chosen(numbers: tuple[Any, ...], rows: Sequence[int]) -> tuple[Any, ...]:
    if not rows or max(rows) >= len(numbers):
        raise ModelError(f"inputs up to {max(rows, default=0) + 1} are kept, of {len(numbers)}.")
    return tuple(numbers[row] for row in rows)


def _spread(layer: ImportedLayer, rows: Sequence[int], width: int) -> ImportedLayer:
    """The first layer with weights of 0 for inputs that are not kept."""
    weights = np.zeros((layer.weights.shape[0], width))
    weights[:, list(rows)] = layer.weights
    return ImportedLayer(weights, layer.bias, layer.activation)


def _placed(
    layer: ImportedLayer, targets: Scaler, placement: Placement
) -> tuple[ImportedLayer, Scaler]:
    """The last layer with outputs that are constant. Raises `ModelError` if f(0) is not 0."""
    if not layer.activation.is_odd:
        raise ModelError("constant outputs (removeconstantrows) need a linear output layer.")
    if len(placement.rows) != layer.units:
        raise ModelError(f"{len(placement.rows)} outputs are placed, but there are {layer.units}.")
    count, rows = len(placement.rows) + len(placement.constants), list(placement.rows)
    if {*rows, *dict(placement.constants)} != {*range(count)}:
        raise ModelError("the numbers of constant outputs do not fit those of the others.")
    weights, bias = np.zeros((count, layer.inputs)), np.zeros(count)
    shift, factor = np.zeros(count), np.ones(count)
    weights[rows], shift[rows], factor[rows] = layer.weights, targets.shift, targets.factor
    if layer.bias is not None:
        bias[rows] = layer.bias
    for row, value in placement.constants:
        shift[row] = value
    return ImportedLayer(weights, bias, layer.activation), Scaler(shift, factor)
