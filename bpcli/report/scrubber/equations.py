"""The equations of `bpnet trace` for all units and weights, as templates, and their numbers.

The text of an equation is the same at all epochs and for all rows; only its numbers change. So the
page has each equation once, with slots, and the numbers of some epochs, the stations, with all
their bits. The script writes them into the slots as `trace` would:

    {7}     number 7              {~7}     number 7, in brackets if negative
    {7*9}   the product of two numbers
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.arrays import Array
from bpcli.nn.network import Network
from bpcli.report.scrubber.recording import Recording
from bpcli.trace.followed import Entry
from bpcli.trace.numbers import objective_on
from bpcli.trace.row_equations import Quantity, RowEquations, Rows
from bpcli.trace.updates import Pass, trace_pass
from bpcli.training.objective import NetworkObjective

MOST_BYTES = 330_000
"""The most bytes of the numbers of all stations."""

_MANY_ROWS, _FEW_ROWS = 8, 3
_FEW_PARAMETERS = 40


@dataclass
class Slots:
    """The pen that writes slots, and remembers the quantity of each by its number."""

    numbers: dict[Quantity, int] = field(default_factory=dict)

    def number(self, quantity: Quantity) -> str:
        return f"{{{self._slot(quantity)}}}"

    def factor(self, quantity: Quantity) -> str:
        return f"{{~{self._slot(quantity)}}}"

    def product(self, one: Quantity, other: Quantity) -> str:
        return f"{{{self._slot(one)}*{self._slot(other)}}}"

    def is_largest(self, layer: int, row: int) -> bool:
        raise NotImplementedError("this depends on the numbers, so it is no template")

    def _slot(self, quantity: Quantity) -> int:
        return self.numbers.setdefault(quantity, len(self.numbers))


Template = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Equations:
    """Templates by the name of a unit or a parameter, in the order in which they are listed."""

    units: dict[str, list[Template]]
    params: dict[str, list[Template]]
    quantities: tuple[Quantity, ...]


def equations_of(network: Network, has_weights: bool) -> Equations:
    """The templates of all units and parameters; of networks with one row of z per unit."""
    slots = Slots()
    row = RowEquations(network, slots, has_weights)
    for layer, matrix in enumerate(network.layers, start=1):
        for unit in range(matrix.units):  # parameters first, in the order of the vector
            for below in range(matrix.inputs):
                slots.number(Quantity("W", layer, unit, below))
            if matrix.has_bias:
                slots.number(Quantity("b", layer, unit))
    units: dict[str, list[Template]] = {}
    params: dict[str, list[Template]] = {}
    for layer, matrix in enumerate(network.layers, start=1):
        for unit in range(matrix.units):
            deltas = [chain.parts for chain in row.delta(layer, unit)]
            forward = [row.z(layer, unit).parts, row.a(layer, unit).parts]
            units[f"{layer}.{unit + 1}"] = [*forward, *deltas]
            for entry in _entries(matrix.inputs, matrix.has_bias, layer, unit):
                params[str(entry)] = _of_entry(row, slots, entry, deltas)
    return Equations(units, params, tuple(slots.numbers))


def _entries(inputs: int, has_bias: bool, layer: int, unit: int) -> list[Entry]:
    weights = [Entry(f"W{layer}", layer, unit + 1, below + 1) for below in range(inputs)]
    return [*weights, *([Entry(f"b{layer}", layer, unit + 1, None)] if has_bias else [])]


def _of_entry(
    row: RowEquations, slots: Slots, entry: Entry, deltas: list[Template]
) -> list[Template]:
    """The entry's value, delta of its unit, and its gradient for the row."""
    symbol = entry.tensor[0]
    value = slots.number(Quantity(symbol, entry.layer, *entry.indices))
    own = [(str(entry), value)]
    if entry.column is None:
        delta = slots.number(Quantity("delta", entry.layer, entry.row - 1))
        name = f"delta{entry.layer}[{entry.row}]"
        return [*own, *deltas, (f"∂loss/∂{entry}", name, delta)]
    return [*own, *deltas, (f"∂loss/∂{entry}", *row.product(entry).parts)]


@dataclass(frozen=True, eq=False)
class Stations:
    """The numbers of the equations at some frames, for some rows of the table.

    `shared` (S, P) are the parameters, the first slots; `by_row` (S, R, Q) are all other slots.
    The row `worst` of the table has the largest loss at the best epoch.
    """

    frames: Labels
    rows: Labels
    worst: int
    shared: Array
    by_row: Array

    def encoded(self) -> tuple[str, str]:
        """Both arrays as little-endian float64 in base64."""
        return (_encoded(self.shared), _encoded(self.by_row))


def _encoded(array: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()


def stations_of(recording: Recording, equations: Equations) -> Stations:
    """The numbers at as many frames as fit into `MOST_BYTES`, evenly spaced."""
    n_params = recording.subject.network.n_params
    training = np.asarray(recording.experiment.splits["train"].index[:])
    worst = int(training[_worst(recording, training)])
    index = _chosen_rows(training, worst, n_params)
    others = len(equations.quantities) - n_params
    fitting = MOST_BYTES // (8 * (n_params + len(index) * others))
    count = max(2, min(len(recording), fitting))
    frames = np.linspace(0, len(recording) - 1, count).round().astype(np.intp)
    frames = np.union1d(frames, [recording.best, *recording.milestones])
    objective = objective_on(recording.experiment, index)
    with np.errstate(all="ignore"):
        values = [
            _values(objective, trace_pass(objective, params), equations.quantities[n_params:])
            for params in recording.params[frames]
        ]
    return Stations(frames, index, worst, recording.params[frames], np.stack(values))


def _values(objective: NetworkObjective, one: Pass, quantities: tuple[Quantity, ...]) -> Array:
    """The numbers (R, Q) of a pass."""
    rows = Rows(one, objective.data.columns[1], objective.data.weight)
    values: Array = np.stack([rows.values(quantity) for quantity in quantities], axis=1)
    return values


def _chosen_rows(training: Labels, worst: int, n_params: int) -> Labels:
    """The indices in the table of the rows to choose from: the worst at the end, and others."""
    most = _MANY_ROWS if n_params <= _FEW_PARAMETERS else _FEW_ROWS
    if len(training) <= most:
        return training
    others = np.linspace(0, len(training) - 1, most - 1).round().astype(np.intp)
    return np.unique([worst, *training[others]])


def _worst(recording: Recording, training: Labels) -> int:
    """The position in the training set of the row with the largest loss at the best epoch."""
    objective = objective_on(recording.experiment, training[:_MOST_JUDGED])
    one = trace_pass(objective, recording.params[recording.best])
    return int(np.nan_to_num(one.loss.per_row).argmax())


_MOST_JUDGED = 4000
