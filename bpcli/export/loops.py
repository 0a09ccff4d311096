"""An activation's steps as loops over units, for the languages with braces: C and JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bpcli.export.literals import number, options_of
from bpcli.nn.network import Layer
from bpcli.notation.expressions import (
    FOLDS,
    RESULT,
    Expression,
    Language,
    Name,
    Operation,
    Reduction,
    Shape,
    Step,
    definition,
)


@dataclass(frozen=True)
class Braces:
    """How a language declares what a loop needs; templates of Python's `format`."""

    language: Language
    scalar: str
    """A number, by its name and first value: `double {} = {};`."""
    array: str
    """An array, by its name and size: `double {}[{}];`."""
    index: str
    """The declaration of an index: `size_t`."""
    starts: Mapping[Reduction, str]
    """The first value of each reduction."""

    def body(self, layer: Layer) -> str:
        """The statements from the array z of a layer to the array a, which are both declared."""
        return "".join(_Steps(self, layer).lines())

    def loop(self, indent: str, variable: str, start: str, stop: str, *lines: str) -> str:
        """A loop around lines."""
        head = f"for ({self.index} {variable} = {start}; {variable} < {stop}; {variable}++) {{\n"
        inner = "".join(f"{indent}    {line}\n" if line else "\n" for line in lines)
        return f"{indent}{head}{inner}{indent}}}\n"


class _Steps:
    """Writes the steps of a layer's activation; i is the row or unit."""

    def __init__(self, braces: Braces, layer: Layer) -> None:
        self._braces, self._layer = braces, layer
        self._steps = definition(layer.activation.source)
        self._values: dict[str, str | float] = {"z": "z[i]", **options_of(layer.activation)}

    def lines(self) -> list[str]:
        return list(map(self._line, self._steps))

    def _line(self, step: Step) -> str:
        lines = self._reduced(step, step.reduction) if step.reduction else self._each(step)
        self._values[step.name] = step.name if step.shape == "sample" else f"{step.name}[i]"
        return lines

    def _each(self, step: Step) -> str:
        value = self._written(step.value)
        if step.shape == "sample":
            return f"    {self._braces.scalar.format(step.name, value)}\n"
        assign = f"{step.name}[i] = {value};"
        return self._array(step) + self._loop("    ", "0", self._count(step.shape), assign)

    def _reduced(self, step: Step, how: Reduction) -> str:
        start = self._braces.starts[how]
        if step.shape == "sample":
            declared = self._braces.scalar.format(step.name, start)
            loop = self._loop("    ", "0", self._count(step.of), self._fold(step, how, step.name))
            return f"    {declared}\n{loop}"
        pieces = number(self._layer.activation.rows_per_unit)
        result = f"{step.name}[u]"
        inner = self._loop(
            "", f"u * {pieces}", f"(u + 1) * {pieces}", self._fold(step, how, result)
        )
        lines = (f"{result} = {start};", *inner.splitlines())
        return self._array(step) + self._braces.loop("    ", "u", "0", self._count("units"), *lines)

    def _fold(self, step: Step, how: Reduction, result: str) -> str:
        folded = Operation(FOLDS[how], (Name("result"), step.value))
        return f"{result} = {self._written(folded, result=result)};"

    def _array(self, step: Step) -> str:
        if step.name == RESULT:
            return ""
        return f"    {self._braces.array.format(step.name, self._count(step.shape))}\n"

    def _loop(self, indent: str, start: str, stop: str, line: str) -> str:
        return self._braces.loop(indent, "i", start, stop, line)

    def _written(self, value: Expression, **more: str) -> str:
        return self._braces.language.write(value, self._values | more)

    def _count(self, shape: Shape) -> str:
        return number(self._layer.rows if shape == "rows" else self._layer.units)
