"""What is solved: networks, rows, the optimizer of bpnet, and its config for each seed.

Data and initial parameters both follow from the seed, except for the digits, which are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

_DATA = {
    "teacher": ("generator: teacher", "n_samples: {rows}", "n_features: {inputs}"),
    "sine": ("generator: sine", "n_samples: {rows}", "noise: 0.1"),
    "digits": ("generator: digits", "scale: {{inputs: {{divide_by: 16}}}}"),
}
_ENDLESS = 1_000_000


@dataclass(frozen=True)
class Workload:
    """One hidden layer of tanh units, fitted to all rows by one optimizer.

    `budget` is the most processor time that a solver may use for one solution, in seconds.
    """

    name: str
    optimizer: str
    rows: int
    layers: tuple[int, int, int]
    budget: float
    data: str = "teacher"
    loss: str = "mse"
    l2: float = 0.0

    @property
    def n_params(self) -> int:
        return sum((inputs + 1) * units for inputs, units in pairwise(self.layers))

    @property
    def size(self) -> str:
        return f"{self.rows}×{'-'.join(map(str, self.layers))}"

    @property
    def has_classes(self) -> bool:
        return self.loss == "cross_entropy"

    def reduced(self) -> Workload:
        """A quick test of the same: 200 rows, 6 hidden units, a tenth of the budget."""
        inputs, hidden, outputs = self.layers
        rows = self.rows if self.data == "digits" else min(200, self.rows)
        layers = (inputs, min(6, hidden), outputs)
        return replace(self, rows=rows, layers=layers, budget=0.1 * self.budget)

    def config(self, seed: int) -> str:
        """The bpnet config, as YAML."""
        return "\n".join(self._lines(seed)) + "\n"

    def _lines(self, seed: int) -> Iterator[str]:
        yield f"name: {self.name}"
        yield f"seed: {seed}"
        yield "data:"
        for line in _DATA[self.data]:
            yield "  " + line.format(rows=self.rows, inputs=self.layers[0])
        if self.data == "teacher":
            yield f"  n_targets: {self.layers[-1]}"
        yield "network:"
        yield f"  layers: [{', '.join(map(str, self.layers))}]"
        yield f"  activations: [tanh, {'softmax' if self.has_classes else 'identity'}]"
        yield f"loss: {self.loss}"
        yield "training:"
        yield f"  optimizer: {self.optimizer}"
        yield f"  l2: {self.l2}"
        yield f"  epochs: {_ENDLESS}"
        yield "  workers: 1"


LM, LBFGS, RPROP = "levenberg_marquardt", "lbfgs", "rprop"

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("digits", LBFGS, 1_797, (64, 30, 10), 1.5, "digits", "cross_entropy", l2=0.1),
        Workload("regression", LBFGS, 20_000, (20, 50, 1), 3, loss="half_squared_error"),
        Workload("curve", LM, 200, (1, 10, 1), 0.5, "sine"),
        Workload("table", LM, 2_000, (8, 20, 1), 2),
        Workload("outputs", LM, 2_000, (6, 15, 3), 1.5),
        Workload("plant", LM, 9_568, (4, 10, 1), 1.5),
        Workload("rows", LM, 10_000, (10, 25, 1), 3),
        Workload("units", LM, 10_000, (20, 45, 1), 6),
        Workload("small", RPROP, 1_000, (20, 10, 1), 0.5),
    )
}
