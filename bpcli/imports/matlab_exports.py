"""Functions in MATLAB files that `bpnet export --to matlab` wrote: activations and columns.

MATLAB has no leaky_relu, elu or maxout: their functions are those of the export. One is recognised
if it has the same tokens; if it was edited, it is followed like any other function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
from pydantic import TypeAdapter, ValidationError

from bpcli.config.models import ActivationSpec
from bpcli.data.values import Kind
from bpcli.imports.matlab_syntax import Function, functions_of
from bpcli.imports.matlab_values import Column, Signal, Unknown, Value
from bpcli.imports.steps import Keep
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.notation.matlab import COLUMNS, function_text, needs_where


def exported_activation(function: Function, options: Sequence[Value]) -> Activation | None:
    """The activation of a function of our exports, called with these options; None for others."""
    activation = _called(function.name.removesuffix("_apply"), options)
    if activation is None or needs_where(activation):  # `where_apply` may be another function
        return None
    return activation if function.words == _words(function_text(activation)) else None


def exported_column(
    function: Function, functions: Mapping[str, Function], arguments: Sequence[Value]
) -> Column | None:
    """The row of the input that a function of our exports reads; None for other functions."""
    kind: Kind = "boolean" if function.name == "boolean_input" else "number"
    if function.name != f"{kind}_input" or len(arguments) != 3:
        return None
    for each in {"number", kind}:  # the second function calls the first
        definition = functions.get(f"{each}_input")
        if definition is None or definition.words != _words(COLUMNS[each]):
            return None
    values, fill = arguments[:2]
    is_missing = isinstance(fill, Unknown) and fill.what == "`NaN`"
    if not isinstance(values, Signal) or not (is_missing or _is_single(fill)):
        return None
    match values.steps:
        case (Keep((row,)),) if not values.by_row:
            number = float(fill.item()) if isinstance(fill, np.ndarray) else None
            return Column(values.source, row, kind, number)
    return None


def _is_single(value: Value) -> bool:
    return isinstance(value, np.ndarray) and value.size == 1


def _called(name: str, options: Sequence[Value]) -> Activation | None:
    """The activation of a name with options. None if there is none, or an option is not valid."""
    arrays = [each for each in options if isinstance(each, np.ndarray) and _is_single(each)]
    numbers = [float(each.item()) for each in arrays]
    names = [field.name for field in fields(ACTIVATIONS[name])] if name in ACTIVATIONS else []
    if name not in ACTIVATIONS or not len(numbers) == len(options) == len(names):
        return None
    given = {key: int(n) if n.is_integer() else n for key, n in zip(names, numbers, strict=True)}
    try:
        activation: Activation = TypeAdapter(ActivationSpec).validate_python(
            {"name": name, **given}
        )
    except ValidationError:
        return None
    return activation


def _words(text: str) -> list[str]:
    return functions_of(text)[-1].words
