"""One entry of a weight matrix or a bias, followed through the chain rule with its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bpcli.optimizers import GradientDescent
from bpcli.trace import formulas
from bpcli.trace.blocks import Block, Chain, Formula, Heading, Prose
from bpcli.trace.cells import ELLIPSIS, kept, number
from bpcli.trace.followed import Entry, Followed, follow
from bpcli.trace.numbers import Setting
from bpcli.trace.updates import Backward, Forward, Pass, Update, slots

_MOST_TERMS = 8
_MOST_OUTPUTS = 3


def scaled_formula(setting: Setting, what: str) -> str:
    """`what`, a sum over rows, times the objective's scale unless that is 1."""
    if setting.weight is None:
        rows = len(setting.rows)
        return what if setting.reduction == "sum" or rows == 1 else f"(1/{rows}) {what}"
    return f"({number(setting.factor)}/{number(setting.total_weight)}) {what}"


def terms(numbers: list[str]) -> list[str]:
    """A sum of numbers as a part of a chain; empty for a single plain number."""
    if len(numbers) == 1 and "·" not in numbers[0]:
        return []
    shown = [
        ELLIPSIS if index is None else numbers[index] for index in kept(len(numbers), _MOST_TERMS)
    ]
    return [" + ".join(shown).replace("+ -", "- ")]


def factor(value: float) -> str:
    """A number in a product or after a minus."""
    return f"({number(value)})" if value < 0 else number(value)


@dataclass(frozen=True)
class Worked:
    """The equations that follow an entry through one update."""

    setting: Setting
    entry: Entry
    update: Update

    def blocks(self) -> Iterator[Block]:
        """The blocks from the rows' deltas to the entry's new value."""
        yield Heading(2, f"One entry in detail: {self.entry}")
        yield Formula(f"∂loss/∂{self.entry} = {self._sum()}")
        rows = kept(len(self.setting.rows), _MOST_TERMS)
        for i in rows:
            if i is None:
                yield Prose("And so on, up to:")
                continue
            if len(self.setting.rows) > 1:
                yield Heading(3, f"Row {self.setting.rows[i]}")
            yield from self._row(i)
        if len(self.setting.rows) > 1:
            yield Heading(3, "All rows")
        yield from self._together()
        yield from self._move()

    @property
    def followed(self) -> Followed:
        return follow(self.entry, self.setting.network, self.update)

    @property
    def at(self) -> Pass:
        return self.update.pass_of(self.entry.layer)

    @property
    def _layers(self) -> tuple[Forward, Backward]:
        index = self.entry.layer - 1
        return self.at.forward[index], self.at.backward[index]

    @property
    def delta(self) -> str:
        return f"delta{self.entry.layer}[{self.entry.row}]"

    def _product(self) -> str:
        if self.entry.column is None:
            return self.delta
        return f"{self.delta} · a{self.entry.layer - 1}[{self.entry.column}]"

    def _sum(self) -> str:
        return ("Σ_i " if len(self.setting.rows) > 1 else "") + self._product()

    # One row of the table.

    def _row(self, i: int) -> Iterator[Block]:
        last = len(self.at.forward)
        if self.entry.layer == last - 1:
            outputs = kept(len(self.at.backward[-1].delta), _MOST_OUTPUTS)
            for k in outputs:
                if k is not None:
                    yield from self._delta(last, k, i)
        yield from self._delta(self.entry.layer, self.entry.row - 1, i)
        if self.entry.column is not None:
            followed = self.followed
            numbers = f"{factor(followed.delta[i])} · {factor(followed.below[i])}"
            yield Chain((self._product(), numbers, number(followed.products[i])))

    def _delta(self, layer: int, row: int, i: int) -> Iterator[Chain]:
        """The computation of one unit's delta."""
        up, down = self.at.forward[layer - 1], self.at.backward[layer - 1]
        activation, value = up.layer.activation, number(float(down.delta[row, i]))
        name = f"delta{layer}[{row + 1}]"
        if down.grad_a is None:
            yield Chain((name, *self._of_canonical_loss(layer, row, i), value))
        elif activation.is_elementwise:
            yield Chain((name, *self._through_slope(layer, row, i), value))
        else:
            unit = row // activation.rows_per_unit
            g = f"g{layer}[{unit + 1}]"
            *parts, grad_a = self._source(layer, unit, i)
            yield Chain((g, *map(formulas.bare, parts), grad_a))
            if activation.mixes_units:
                yield Chain((name, *_through_units(up, down, layer, row, i), value))
            else:
                yield Chain((name, g, value) if _wins(up, row, i) else (name, value))

    def _of_canonical_loss(self, layer: int, row: int, i: int) -> Iterator[str]:
        a, y = self._outputs(row, i)
        symbols = f"a{layer}[{row + 1}] - y[{row + 1}]"
        numbers = f"{number(a)} - {factor(y)}"
        weight = self._weight(i)
        yield f"w_i ({symbols})" if weight else symbols
        yield f"{weight}({numbers})" if weight else numbers

    def _through_slope(self, layer: int, row: int, i: int) -> Iterator[str]:
        up, down = self.at.forward[layer - 1], self.at.backward[layer - 1]
        symbols, numbers, *_ = self._source(layer, row, i)
        if up.layer.activation.is_identity:
            yield formulas.bare(symbols)
            yield formulas.bare(numbers)
            return
        assert up.slope is not None
        assert down.grad_a is not None
        slope = factor(float(up.slope[row, i]))
        slope_name = f"f'(z{layer}[{row + 1}])"
        if layer == len(self.at.forward):
            yield f"{symbols} · {slope_name}"
            yield f"{numbers} · {slope}"
        else:
            yield f"{slope_name} · {symbols}"
            yield f"{slope} · ({numbers})"

    def _source(self, layer: int, unit: int, i: int) -> tuple[str, str, str]:
        """∂loss_i/∂a of a unit, times the row's weight: in symbols, in numbers, and its value."""
        if layer == len(self.at.forward):
            return self._of_loss(layer, unit, i)
        W, delta = self.at.forward[layer].W[:, unit], self.at.backward[layer].delta[:, i]
        products = [f"{factor(w)} · {factor(d)}" for w, d in zip(W, delta, strict=True)]
        (numbers,) = terms(products)
        symbols = f"Σ_k W{layer + 1}[k,{unit + 1}] delta{layer + 1}[k]"
        return symbols, numbers, number(float(W @ delta))

    def _of_loss(self, layer: int, unit: int, i: int) -> tuple[str, str, str]:
        network, weight = self.setting.network, self._weight(i)
        a, y = self._outputs(unit, i)
        symbols = formulas.grad_a_formula(network, f"a{layer}[{unit + 1}]", f"y[{unit + 1}]")
        numbers = formulas.grad_a_formula(network, number(a), factor(y))
        grad_a = self.at.backward[layer - 1].grad_a
        assert grad_a is not None
        value = number(float(grad_a[unit, i]))
        return (f"w_i {symbols}" if weight else symbols), weight + numbers, value

    def _outputs(self, row: int, i: int) -> tuple[float, float]:
        assert self.setting.targets is not None
        return float(self.at.forward[-1].a[row, i]), float(self.setting.targets[row, i])

    def _weight(self, i: int) -> str:
        return "" if self.setting.weight is None else f"{number(self.setting.weight[i])} · "

    # All rows, and the step.

    def _together(self) -> Iterator[Chain]:
        followed, name = self.followed, str(self.entry)
        if len(followed.products) > 1:
            numbers = terms([number(value) for value in followed.products])
            yield Chain((f"∂loss/∂{name}", self._sum(), *numbers, number(followed.loss_by_entry)))
        scaled = scaled_formula(self.setting, f"∂loss/∂{name}")
        is_weight = self.entry.column is not None
        up, _ = self._layers
        if not is_weight and up.layer.bias == "frozen":
            return
        if self.setting.l2 and is_weight:
            setting = self.setting
            rate = f"({number(setting.factor * setting.l2)}/{setting.training_rows})"
            numbers_text = (
                scaled_formula(setting, factor(followed.loss_by_entry))
                + f" + {rate} · {factor(followed.before)}"
            )
            symbols = f"{scaled} + {rate} {name}"
            value = number(followed.objective_by_entry)
            yield Chain((f"∂objective/∂{name}", symbols, numbers_text, value))
        elif scaled != f"∂loss/∂{name}":
            yield Chain((f"∂objective/∂{name}", scaled, number(followed.objective_by_entry)))

    def _move(self) -> Iterator[Block]:
        followed, name, optimizer = self.followed, str(self.entry), self.setting.optimizer
        up, _ = self._layers
        if self.entry.column is None and up.layer.bias == "frozen":
            yield Prose(f"{name} is frozen at {number(followed.before, 9)}.")
        elif not self.update.is_made:
            yield Prose(f"No step was made: {name} remains {number(followed.before, 9)}.")
        elif isinstance(optimizer, GradientDescent):
            yield from self._descent(followed, optimizer)
        else:
            change = followed.after - followed.before
            arrow = f"{name} ← {number(followed.before, 9)} + {factor(change)}"
            yield Chain((arrow, number(followed.after, 9)))

    def _descent(self, followed: Followed, optimizer: GradientDescent) -> Iterator[Chain]:
        rate = self.update.diagnostics_before.get("learning_rate", np.nan)
        step = f"{number(rate)} · {factor(followed.objective_by_entry)}"
        rules = formulas.descent_formulas(optimizer, str(self.entry))
        after = number(followed.after, 9)
        if not optimizer.momentum:
            yield Chain((rules[0], f"{number(followed.before, 9)} - {step}", after))
            return
        old, new = (
            self._velocity(state.optimizer_state)
            for state in (self.update.before, self.update.after)
        )
        kept_part = f"{number(optimizer.momentum)} · "
        yield Chain((rules[0], f"{kept_part}{factor(old)} - {step}", number(new)))
        ahead = f"{kept_part}{factor(new)} - {step}" if optimizer.nesterov else factor(new)
        yield Chain((rules[1], f"{number(followed.before, 9)} + {ahead}", after))

    def _velocity(self, state: object) -> float:
        tensors = slots(self.setting.network, state)["velocity"]  # type: ignore[arg-type]
        return float(tensors[self.entry.tensor][self.entry.indices])


def _wins(up: Forward, row: int, i: int) -> bool:
    """Whether a row of z is the largest of its unit."""
    activation = up.layer.activation
    unit, piece = divmod(row, activation.rows_per_unit)
    taken = activation.linear_region(up.z)
    return taken is not None and bool(taken[unit, i] == piece)


def _through_units(up: Forward, down: Backward, layer: int, row: int, i: int) -> tuple[str, str]:
    """The formula of delta from g where f mixes units, in symbols and in numbers."""
    assert down.grad_a is not None
    columns = {"z": up.z[:, i], "a": up.a[:, i], "g": down.grad_a[:, i]}
    formula = up.layer.activation.derivative.partition(" = ")[2].replace("∘", "·")

    def valued(term: re.Match[str]) -> str:
        names = re.findall(r"[zag](?=\[j\])", term[0])
        values = [columns[name] for name in names]
        value = float(np.prod(values, axis=0).sum() if names else columns[term[0]][row])
        return factor(value) if formula[: term.start()].endswith(" ") else number(value)

    index = f"[{row + 1}]"
    symbols = re.sub(
        r"\b([zag])\b(\[j\])?", lambda term: f"{term[1]}{layer}{term[2] or index}", formula
    )
    return symbols, re.sub(r"Σ_j(?: [zag]\[j\])+|\b[zag]\b", valued, formula)
