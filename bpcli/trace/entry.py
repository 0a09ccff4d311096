"""One entry of a weight matrix or a bias, followed through the chain rule with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bpcli.optimizers import GradientDescent
from bpcli.trace import formulas
from bpcli.trace.blocks import Block, Chain, Formula, Heading, Prose
from bpcli.trace.cells import kept, number
from bpcli.trace.followed import Entry, Followed, follow
from bpcli.trace.numbers import Setting
from bpcli.trace.row_equations import MOST_TERMS, Numbers, RowEquations, Rows, factor, terms
from bpcli.trace.updates import Forward, Pass, Update, slots

_MOST_OUTPUTS = 3


def scaled_formula(setting: Setting, what: str) -> str:
    """`what`, a sum over rows, times the objective's scale unless that is 1."""
    if setting.weight is None:
        rows = len(setting.rows)
        return what if setting.reduction == "sum" or rows == 1 else f"(1/{rows}) {what}"
    return f"({number(setting.factor)}/{number(setting.total_weight)}) {what}"


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
        rows = kept(len(self.setting.rows), MOST_TERMS)
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
    def _layer(self) -> Forward:
        return self.at.forward[self.entry.layer - 1]

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
        setting, last = self.setting, len(self.at.forward)
        pen = Numbers(Rows(self.at, setting.targets, setting.weight), i)
        row = RowEquations(setting.network, pen, has_weight=setting.weight is not None)
        if self.entry.layer == last - 1:
            outputs = kept(len(self.at.backward[-1].delta), _MOST_OUTPUTS)
            for k in outputs:
                if k is not None:
                    yield from row.delta(last, k)
        yield from row.delta(self.entry.layer, self.entry.row - 1)
        if self.entry.column is not None:
            yield row.product(self.entry)

    # All rows, and the step.

    def _together(self) -> Iterator[Chain]:
        followed, name = self.followed, str(self.entry)
        if len(followed.products) > 1:
            numbers = terms([number(value) for value in followed.products])
            yield Chain((f"∂loss/∂{name}", self._sum(), *numbers, number(followed.loss_by_entry)))
        scaled = scaled_formula(self.setting, f"∂loss/∂{name}")
        is_weight = self.entry.column is not None
        up = self._layer
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
        up = self._layer
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
