"""The formulas of a layer, with the names or numbers of its arrays.

The formulas of activations and losses are in their classes. There z, a and y are replaced by the
name of an array (z1) or of one of its entries (z1[2]).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bpcli.nn.activation import Activation
from bpcli.nn.network import Layer


def worded(formula: str, names: Mapping[str, object]) -> str:
    """A formula with other names or numbers instead of its own names."""
    return re.sub(r"(?<!\w)[A-Za-z][A-Za-z0-9_]*", lambda word: _shown(names, word[0]), formula)


def _shown(names: Mapping[str, object], word: str) -> str:
    value = names.get(word, word)
    return value if isinstance(value, str) else f"{value:g}"


def forward_formulas(layer: Layer, number: int) -> list[str]:
    """z1 = W1 a0 + b1 and a1 = f(z1)."""
    activation, bias = layer.activation, f" + b{number}" if layer.has_bias else ""
    f = of_layer(activation, activation.formula, number)
    return [f"z{number} = W{number} a{number - 1}{bias}", f]


def of_layer(activation: Activation, formula: str, number: int) -> str:
    names = {name: f"{name}{number}" for name in ("z", "a", "g", "delta")}
    return worded(formula, vars(activation) | names)
