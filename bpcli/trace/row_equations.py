"""The equations of one data row: z, a and delta of a unit, and the gradient of a weight.

They are written once, here, and filled in by a `Pen`: with numbers, or with slots that are filled
in later, so that a page can show them for many epochs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.notation.layers import worded
from bpcli.trace import formulas
from bpcli.trace.blocks import Chain
from bpcli.trace.cells import ELLIPSIS, kept, number
from bpcli.trace.followed import Entry
from bpcli.trace.updates import Pass

MOST_TERMS = 8


class Quantity(NamedTuple):
    """A number of a pass, such as z of layer 1, unit 2; `row` and `column` count from 0.

    The kinds are W, b, z, a, delta, slope, which is f'(z), and g, which is ∂loss/∂a. In layer 0, a
    contains the inputs, y the targets, and w is the row's weight. All other kinds are sums over a
    layer, such as "a g" for Σ_j a[j] g[j].
    """

    kind: str
    layer: int
    row: int = 0
    column: int = 0


class Pen(Protocol):
    """Writes the numbers of equations."""

    def number(self, quantity: Quantity) -> str:
        """A number."""

    def factor(self, quantity: Quantity) -> str:
        """A number in a product or after a minus: in brackets if it is negative."""

    def product(self, one: Quantity, other: Quantity) -> str:
        """The value of a product."""

    def is_largest(self, layer: int, row: int) -> bool:
        """Whether a row of z is the largest of its unit, for layers with several rows per unit."""


def factor(value: float) -> str:
    """A number in a product or after a minus."""
    return f"({number(value)})" if value < 0 else number(value)


def terms(numbers: Sequence[str]) -> list[str]:
    """A sum of numbers as a part of a chain; empty for a single plain number."""
    if len(numbers) == 1 and "·" not in numbers[0]:
        return []
    return [tidy(" + ".join(_shown(numbers)))]


def tidy(text: str) -> str:
    """A sum whose negative numbers are subtracted."""
    return text.replace("+ -", "- ")


def _shown(numbers: Sequence[str]) -> list[str]:
    return [
        ELLIPSIS if index is None else numbers[index] for index in kept(len(numbers), MOST_TERMS)
    ]


@dataclass(frozen=True)
class Rows:
    """A pass over some rows, with their targets (outputs, rows) and their weights in the loss."""

    one: Pass
    targets: Array | None
    weight: Vector | None

    def values(self, quantity: Quantity) -> Array:
        """The values (rows,) of a quantity; () if it is the same for all rows."""
        symbol, layer, row, column = quantity
        if layer == 0:
            of_data: Array = self._of_data(symbol)[row]
            return of_data
        up = self.one.forward[layer - 1]
        if symbol == "W":
            return np.asarray(up.W[row, column])
        if symbol == "b":
            return np.asarray(_known(up.b)[row])
        factors = [_known(self._of_layer(name, layer)) for name in symbol.split()]
        is_sum = len(factors) > 1
        value: Array = np.prod(factors, axis=0).sum(axis=0) if is_sum else factors[0][row]
        return value

    def _of_data(self, name: str) -> Array:
        if name == "w":
            return _known(self.weight)[np.newaxis]
        return _known(self.targets) if name == "y" else self.one.forward[0].below

    def _of_layer(self, name: str, layer: int) -> Array | None:
        up, down = self.one.forward[layer - 1], self.one.backward[layer - 1]
        match name:
            case "z":
                return up.z
            case "a":
                return up.a
            case "slope":
                return up.slope
            case "g":
                return down.grad_a
        return down.delta


def _known(array: Array | None) -> Array:
    assert array is not None, "equations name only quantities that exist"
    return array


@dataclass(frozen=True)
class Numbers:
    """The pen for row `i` of some rows."""

    rows: Rows
    i: int

    def number(self, quantity: Quantity) -> str:
        return number(float(self._value(quantity)))

    def factor(self, quantity: Quantity) -> str:
        return factor(float(self._value(quantity)))

    def product(self, one: Quantity, other: Quantity) -> str:
        return number(float(self._value(one) * self._value(other)))  # in their precision

    def is_largest(self, layer: int, row: int) -> bool:
        up = self.rows.one.forward[layer - 1]
        unit, piece = divmod(row, up.layer.activation.rows_per_unit)
        taken = up.layer.activation.linear_region(up.z)
        return taken is not None and bool(taken[unit, self.i] == piece)

    def _value(self, quantity: Quantity) -> Array:
        values = self.rows.values(quantity)
        value: Array = values[self.i] if values.ndim else values
        return value


@dataclass(frozen=True)
class RowEquations:
    """The equations of a row, which may have a weight in the loss."""

    network: Network
    pen: Pen
    has_weight: bool

    def z(self, layer: int, row: int) -> Chain:
        """The z of a unit, from the activations below it."""
        shape, name = self.network.layers[layer - 1], f"{layer}[{row + 1}"
        bias = f" + b{name}]" if shape.has_bias else ""
        products = [
            f"{self._factor('W', layer, row, k)} · {self._factor('a', layer - 1, k)}"
            for k in range(shape.inputs)
        ]
        if shape.has_bias:
            products.append(self._number("b", layer, row))
        symbols = f"Σ_k W{name},k] a{layer - 1}[k]{bias}"
        if shape.inputs == 1:
            symbols = f"W{name},1] a{layer - 1}[1]{bias}"
        return Chain((f"z{name}]", symbols, *terms(products), self._number("z", layer, row)))

    def a(self, layer: int, unit: int) -> Chain:
        """The a of a unit, from z; for layers with one row of z per unit."""
        activation = self.network.layers[layer - 1].activation
        formula = worded(activation.formula.partition(" = ")[2], vars(activation))
        formula = formula.replace("[i]", "")
        at, value = f"{layer}[{unit + 1}]", self._number("a", layer, unit)
        symbols = re.sub(r"\bz\b(\[j\])?", lambda z: f"z{layer}{z[1] or f'[{unit + 1}]'}", formula)
        if activation.is_identity:
            return Chain((f"a{at}", symbols, value))
        return Chain((f"a{at}", symbols, self._of_z(formula, layer, unit), value))

    def _of_z(self, formula: str, layer: int, unit: int) -> str:
        """The formula of a with the numbers of z, in sums over a layer those of all units."""
        units = range(self.network.layers[layer - 1].units)

        def expanded(total: re.Match[str]) -> str:
            term = total[1].replace("z[j]", "z")
            return f"({' + '.join(_shown([self._with_z(term, layer, k) for k in units]))})"

        alone, *sums = re.split(r"(?=Σ_j )", formula)
        numbers = [re.sub(r"Σ_j (\S+)", expanded, each) for each in sums]
        return self._with_z(alone, layer, unit) + "".join(numbers)

    def _with_z(self, formula: str, layer: int, unit: int) -> str:
        """The formula with the number of z; between two factors stands a sign."""
        signed = re.sub(r"(?<=\d) (?=z\b|\()", " · ", formula)

        def valued(z: re.Match[str]) -> str:
            is_factor = signed[: z.start()].endswith(("-", "- ", "· "))
            return (self._factor if is_factor else self._number)("z", layer, unit)

        return re.sub(r"\bz\b", valued, signed)

    # Backward.

    def delta(self, layer: int, row: int) -> Iterator[Chain]:
        """The computation of one unit's delta."""
        shape, name = self.network.layers[layer - 1], f"delta{layer}[{row + 1}]"
        activation, value = shape.activation, self._number("delta", layer, row)
        if layer == len(self.network.layers) and self.network.loss.is_canonical:
            yield Chain((name, *self._of_canonical_loss(layer, row), value))
        elif activation.is_elementwise:
            yield Chain((name, *self._through_slope(layer, row), value))
        else:
            unit = row // activation.rows_per_unit
            g = f"g{layer}[{unit + 1}]"
            yield Chain(
                (g, *map(formulas.bare, self._source(layer, unit)), self._number("g", layer, unit))
            )
            if activation.mixes_units:
                yield Chain((name, *self._through_units(layer, row), value))
            else:
                is_largest = self.pen.is_largest(layer, row)
                yield Chain((name, g, value) if is_largest else (name, value))

    def product(self, entry: Entry) -> Chain:
        """∂loss/∂W of this row: delta times a below; only for weights."""
        assert entry.column is not None, "for a bias it is delta"
        delta = Quantity("delta", entry.layer, entry.row - 1)
        below = Quantity("a", entry.layer - 1, entry.column - 1)
        symbols = f"delta{entry.layer}[{entry.row}] · a{entry.layer - 1}[{entry.column}]"
        numbers = f"{self.pen.factor(delta)} · {self.pen.factor(below)}"
        return Chain((symbols, numbers, self.pen.product(delta, below)))

    def _of_canonical_loss(self, layer: int, row: int) -> Iterator[str]:
        symbols = f"a{layer}[{row + 1}] - y[{row + 1}]"
        numbers = f"{self._number('a', layer, row)} - {self._factor('y', 0, row)}"
        weight = self._weight
        yield f"w_i ({symbols})" if weight else symbols
        yield f"{weight}({numbers})" if weight else numbers

    def _through_slope(self, layer: int, row: int) -> Iterator[str]:
        symbols, numbers = self._source(layer, row)
        if self.network.layers[layer - 1].activation.is_identity:
            yield formulas.bare(symbols)
            yield formulas.bare(numbers)
            return
        slope = self._factor("slope", layer, row)
        slope_name = f"f'(z{layer}[{row + 1}])"
        if layer == len(self.network.layers):
            yield f"{symbols} · {slope_name}"
            yield f"{numbers} · {slope}"
        else:
            yield f"{slope_name} · {symbols}"
            yield f"{slope} · ({numbers})"

    def _source(self, layer: int, unit: int) -> tuple[str, str]:
        """∂loss_i/∂a of a unit, times the row's weight: in symbols and in numbers."""
        if layer == len(self.network.layers):
            return self._of_loss(layer, unit)
        products = [
            f"{self._factor('W', layer + 1, k, unit)} · {self._factor('delta', layer + 1, k)}"
            for k in range(self.network.layers[layer].rows)
        ]
        (numbers,) = terms(products)
        return f"Σ_k W{layer + 1}[k,{unit + 1}] delta{layer + 1}[k]", numbers

    def _of_loss(self, layer: int, unit: int) -> tuple[str, str]:
        symbols = formulas.grad_a_formula(self.network, f"a{layer}[{unit + 1}]", f"y[{unit + 1}]")
        a, y = self._number("a", layer, unit), self._factor("y", 0, unit)
        numbers, weight = formulas.grad_a_formula(self.network, a, y), self._weight
        return (f"w_i {symbols}" if weight else symbols), weight + numbers

    def _through_units(self, layer: int, row: int) -> tuple[str, str]:
        """The formula of delta from g where f mixes units, in symbols and in numbers."""
        activation = self.network.layers[layer - 1].activation
        formula = activation.derivative.partition(" = ")[2].replace("∘", "·")

        def valued(term: re.Match[str]) -> str:
            names = re.findall(r"[zag](?=\[j\])", term[0])
            name = " ".join(names) if names else term[0]
            is_factor = formula[: term.start()].endswith(" ")
            return (self._factor if is_factor else self._number)(name, layer, 0 if names else row)

        index = f"[{row + 1}]"
        symbols = re.sub(
            r"\b([zag])\b(\[j\])?", lambda term: f"{term[1]}{layer}{term[2] or index}", formula
        )
        return symbols, re.sub(r"Σ_j(?: [zag]\[j\])+|\b[zag]\b", valued, formula)

    # Numbers.

    def _number(self, name: str, layer: int, row: int = 0, column: int = 0) -> str:
        return self.pen.number(Quantity(name, layer, row, column))

    def _factor(self, name: str, layer: int, row: int = 0, column: int = 0) -> str:
        return self.pen.factor(Quantity(name, layer, row, column))

    @property
    def _weight(self) -> str:
        return f"{self._number('w', 0)} · " if self.has_weight else ""
