"""The formulas of a workbook from the inputs of the network to its outputs, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bpcli.data.scaler import Scaler
from bpcli.export.literals import number, options_of
from bpcli.export.model import Model
from bpcli.export.xlsx_pages import Pages, cells
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.nn.network import Layer
from bpcli.notation.expressions import (
    RESULT,
    Expression,
    Language,
    Name,
    Step,
    definition,
    names,
)
from bpcli.registry import name_of

EXCEL = Language(
    "Excel",
    number,
    {
        "abs": "ABS({0})",
        "exp": "EXP(MIN({0},709))",
        "expm1": "(TANH(({0})/2)*(EXP(MIN({0},709))+1))",
        "log": "LN({0})",
        "log1p": "IF({0}<1,2*ATANH(({0})/(2+({0}))),LN(1+({0})))",
        "maximum": "MAX({0},{1})",
        "minimum": "MIN({0},{1})",
        "sqrt": "SQRT({0})",
        "tanh": "TANH({0})",
        "where": "IF({0},{1},{2})",
    },
)
"""Excel has neither expm1 nor log1p: exp(x) - 1 = tanh(x/2) (exp(x) + 1), and ln(1 + x) =
2 artanh(x / (2 + x)), keep the digits of a small x. EXP is capped: from 710 on it is an error,
where bpnet has ∞, which a layer above may saturate."""


def write_network(pages: Pages, model: Model, first_input: int) -> int:
    """Add the columns of `network` from the scaled inputs to the outputs; return the first output.

    Options of activations are cells with names, because numbers in formulas have 15 digits.
    """
    a, units = first_input, model.network.inputs
    if not model.preprocessor.inputs.changes_nothing:
        a = _scaled(pages, model, a)
    matrices = model.network.matrices(model.params)
    for index, (layer, matrix) in enumerate(zip(model.network.layers, matrices, strict=True), 1):
        _parameters(pages, model, index, layer, matrix)
        z = _weighted_sums(pages, index, layer, a, units)
        columns = {"z": (z, layer.units * layer.activation.rows_per_unit)}
        a, units = _Activated(pages, index, layer, columns).write(), layer.units
    return a if model.preprocessor.targets.changes_nothing else _unscaled(pages, model, a)


# Scales.


def _scaled(pages: Pages, model: Model, x: int) -> int:
    _scale(
        pages,
        "x",
        "inputs: (input - shift) / factor",
        model.encoder.names,
        model.preprocessor.inputs,
    )
    return pages.network.add(
        "a0: the inputs, scaled",
        model.encoder.names,
        lambda row, index: pages.computed(
            row,
            f"({cells(row, x + index, 1)}-INDEX(x_shift,{index + 1}))/INDEX(x_factor,{index + 1})",
        ),
    )


def _unscaled(pages: Pages, model: Model, y: int) -> int:
    names = model.output_names
    _scale(pages, "y", "outputs: a · factor + shift", names, model.preprocessor.targets)
    return pages.network.add(
        "outputs in original units",
        names,
        lambda row, index: pages.computed(
            row,
            f"{cells(row, y + index, 1)}*INDEX(y_factor,{index + 1})+INDEX(y_shift,{index + 1})",
        ),
    )


def _scale(pages: Pages, name: str, title: str, labels: tuple[str, ...], scale: Scaler) -> None:
    shift, factor = scale.shift.tolist(), scale.factor.tolist()
    top = pages.block(f"Scale of the {title}", labels, [("shift", shift), ("factor", factor)])
    for row, part in enumerate(("shift", "factor"), start=top):
        pages.name(f"{name}_{part}", row, 1, 1, len(labels))


# Layers.


def _parameters(pages: Pages, model: Model, index: int, layer: Layer, matrix: Array) -> None:
    """W and b of a layer, one row per row of z, and the options of its activation."""
    rows = layer.units * layer.activation.rows_per_unit
    labels = [*model.encoder.names] if index == 1 else _labels(f"a{index - 1}", layer.inputs)
    bias = matrix[:, -1:].tolist() if layer.has_bias else [[0.0]] * rows
    numbers = zip(bias, matrix[:, : layer.inputs].tolist(), strict=True)
    top = pages.block(
        f"Layer {index}: {rows} rows of weights W_{index}, and the biases b_{index}",
        [f"b_{index}", *labels],
        [
            (label, [*b, *w])
            for label, (b, w) in zip(_labels(f"z{index}", rows), numbers, strict=True)
        ],
    )
    pages.name(f"b_{index}", top, 1, rows, 1)
    pages.name(f"W_{index}", top, 2, rows, layer.inputs)
    for option, value in options_of(layer.activation).items():
        name = f"{option}_{index}"
        row = pages.block(f"Layer {index}: {option}", [], [(name, [value])])
        pages.name(name, row, 1, 1, 1)


def _labels(name: str, count: int) -> list[str]:
    return [f"{name}[{unit}]" for unit in range(1, count + 1)]


def _weighted_sums(pages: Pages, index: int, layer: Layer, a: int, units: int) -> int:
    rows = layer.units * layer.activation.rows_per_unit
    bias = f"+INDEX(b_{index},{{unit}})" if layer.has_bias else ""
    formula = f"SUMPRODUCT({{a}},INDEX(W_{index},{{unit}},0)){bias}"
    return pages.network.add(
        f"z{index} = W_{index} a{index - 1}" + f" + b_{index}" * layer.has_bias,
        _labels(f"z{index}", rows),
        lambda row, unit: pages.computed(
            row, formula.format(a=cells(row, a, units), unit=unit + 1)
        ),
    )


@dataclass
class _Activated:
    """Adds the columns of each step of an activation: the first column and the number of them."""

    pages: Pages
    number: int
    layer: Layer
    columns: dict[str, tuple[int, int]]

    def write(self) -> int:
        """Add all steps; return the first column of a."""
        for step in definition(self.layer.activation.source):
            if step.reduction is None:
                self._each(step.name, step.value)
            elif isinstance(step.value, Name):
                self._reduce(step, step.value.name)
            else:
                self._each(f"terms of {step.name}", step.value)
                self._reduce(step, f"terms of {step.name}")
        return self.columns[RESULT][0]

    def _each(self, name: str, value: Expression) -> None:
        """A column for each row or unit, or a single one if the value is one of the sample."""
        count = max((self.columns[of][1] for of in names(value) & self.columns.keys()), default=1)
        options = {
            option: f"{option}_{self.number}" for option in options_of(self.layer.activation)
        }

        def formula(row: int, index: int) -> str:
            values = {
                of: cells(row, start + (index if width > 1 else 0), 1)
                for of, (start, width) in self.columns.items()
            }
            return EXCEL.write(value, values | options)

        self._add(name, count, formula)

    def _reduce(self, step: Step, of: str) -> None:
        start, count = self.columns[of]
        pieces = self.layer.activation.rows_per_unit if step.shape == "units" else count
        how = str(step.reduction).upper()
        self._add(
            step.name,
            count // pieces,
            lambda row, index: f"{how}({cells(row, start + index * pieces, pieces)})",
        )

    def _add(self, name: str, count: int, formula: Callable[[int, int], str]) -> None:
        label = f"a{self.number}" if name == RESULT else name.replace("_", " ")
        title = f"{label} = {_called(self.layer)}" if name == RESULT else f"layer {self.number}"
        start = self.pages.network.add(
            title,
            _labels(label, count) if count > 1 or name == RESULT else [label],
            lambda row, index: self.pages.computed(row, formula(row, index)),
        )
        self.columns[name] = start, count


def _called(layer: Layer) -> str:
    values = options_of(layer.activation).items()
    options = "".join(f", {option} = {value:g}" for option, value in values)
    return f"{name_of(ACTIVATIONS, layer.activation)}(z{options})"
