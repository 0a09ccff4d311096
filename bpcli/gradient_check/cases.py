"""The cases that `bpnet gradcheck` checks without a config: every activation with every loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, product
from typing import get_args

import numpy as np

from bpcli.engine.rows import Rows
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.initializers import Normal
from bpcli.nn.losses import LOSSES, legal_losses
from bpcli.nn.network import Bias, Layer, Network
from bpcli.training.objective import NetworkObjective, Reduction


@dataclass(frozen=True)
class Case:
    """The factors of one objective to check."""

    loss: str
    output: str
    hidden: str | None
    depth: int
    bias: Bias
    reduction: Reduction
    l2: float
    row_weights: bool

    def objective(self, seed: int = 0) -> tuple[NetworkObjective, Vector]:
        """A small objective with random data, and random parameters for the check."""
        rng = np.random.default_rng(seed)
        network = self._network()
        X = rng.normal(size=(_CASE_ROWS, network.inputs))
        Y = _targets(LOSSES[self.loss].targets, network.outputs, rng)
        weight = rng.uniform(0.5, 2, _CASE_ROWS) if self.row_weights else None
        data = Rows.of(network, X, Y, np.dtype(np.float64), weight)
        objective = NetworkObjective(network, data, l2=self.l2, reduction=self.reduction)
        std = 0.3 if self.hidden == "exponential" else 0.6  # an exponential of one soon overflows
        return objective, network.initial_params(Normal(std=std), rng)

    def _network(self) -> Network:
        sizes = [*[3, 4, 4][: self.depth], 3]
        names = [self.hidden] * (self.depth - 1) + [self.output]
        layers = tuple(
            Layer(inputs, units, ACTIVATIONS[name or self.output](), self.bias)
            for inputs, units, name in zip(sizes[:-1], sizes[1:], names, strict=True)
        )
        return Network(layers, LOSSES[self.loss]())


_CASE_ROWS = 7


def _targets(targets: str, outputs: int, rng: np.random.Generator) -> Array:
    if targets == "values":
        return rng.normal(size=(_CASE_ROWS, outputs))
    if targets == "counts":
        return rng.poisson(1.5, (_CASE_ROWS, outputs)).astype(float)
    Y = rng.uniform(0, 1, (_CASE_ROWS, outputs))
    return Y if targets == "probabilities" else Y / Y.sum(axis=1, keepdims=True)


def all_cases() -> Iterator[Case]:
    """Every legal loss × output × hidden activation at depths 2 and 3, and each pair at depth 1.

    Bias, reduction, L2 and row weights cycle through all their combinations, so that any two values
    of two factors occur together in some case.
    """
    others = cycle(product(get_args(Bias), get_args(Reduction), (0.0, 0.3), (False, True)))
    for output in ACTIVATIONS:
        for loss in legal_losses(output):
            for hidden, depth in [(None, 1), *product(ACTIVATIONS, (2, 3))]:
                bias, reduction, l2, row_weights = next(others)
                yield Case(loss, output, hidden, depth, bias, reduction, l2, row_weights)
