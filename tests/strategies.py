"""Hypothesis strategies for networks whose parts fit together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from textbook import Dense

from bpcli.engine.rows import Rows
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, Exponential, Maxout
from bpcli.nn.losses import LOSSES, PROBABILITIES, legal_losses
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import predict
from bpcli.registry import name_of
from bpcli.training.objective import NetworkObjective


@dataclass(frozen=True)
class Problem:
    """A network, parameters and data."""

    network: Network
    params: np.ndarray
    X: np.ndarray
    Y: np.ndarray
    weight: np.ndarray | None
    l2: float
    reduction: str

    @property
    def loss_name(self) -> str:
        return name_of(LOSSES, self.network.loss)

    def objective(self, dtype: type = np.float64, **options: object) -> NetworkObjective:
        rows = Rows.of(self.network, self.X, self.Y, np.dtype(dtype), self.weight)
        return NetworkObjective(self.network, rows, l2=self.l2, reduction=self.reduction, **options)

    def textbook_layers(self) -> list[Dense]:
        tensors = dict(self.network.tensors(self.params))
        return [
            Dense(
                tensors[f"W{number}"],
                tensors.get(f"b{number}"),
                name_of(ACTIVATIONS, layer.activation),
                layer.activation.rows_per_unit,
            )
            for number, layer in enumerate(self.network.layers, start=1)
        ]


def dense_jacobian(network: Network, params: np.ndarray, X: np.ndarray) -> np.ndarray:
    """∂outputs/∂params by the complex step, a parameter at a time: (n_params, outputs, rows)."""
    steps = 1e-30j * np.eye(network.n_params)
    return np.array([predict(network, params + step, X).imag.T / 1e-30 for step in steps])


def activation(names: st.SearchStrategy[str]) -> st.SearchStrategy[Activation]:
    """An activation by name; maxout with 2 or 3 pieces."""
    return names.flatmap(
        lambda name: (
            st.integers(2, 3).map(Maxout) if name == "maxout" else st.just(ACTIVATIONS[name]())
        )
    )


@st.composite
def problems(draw: st.DrawFn, most_rows: int = 12) -> Problem:
    """Any legal network of up to three layers, with data."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4))
    names = st.sampled_from(sorted(ACTIVATIONS))
    activations = [draw(activation(names)) for _ in sizes[1:]]
    biases = [draw(st.sampled_from(["trained", "none"])) for _ in sizes[1:]]
    loss = draw(st.sampled_from(legal_losses(name_of(ACTIVATIONS, activations[-1]))))
    layers = tuple(
        Layer(inputs, units, activation, bias)
        for inputs, units, activation, bias in zip(
            sizes[:-1], sizes[1:], activations, biases, strict=True
        )
    )
    network = Network(layers, LOSSES[loss]())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.integers(1, most_rows))
    Y = rng.normal(size=(rows, sizes[-1]))
    if network.loss.targets == "counts":
        Y = rng.poisson(1.5, Y.shape).astype(float)
    if network.loss.targets in PROBABILITIES:
        Y = rng.uniform(0.05, 0.95, Y.shape)
    if network.loss.targets == "distribution":
        Y /= Y.sum(axis=1, keepdims=True)
    grows = any(isinstance(each, Exponential) for each in activations)
    spread = 0.2 if grows else 0.7  # an exponential of one soon overflows
    return Problem(
        network,
        rng.normal(0, spread, network.n_params),
        rng.normal(size=(rows, sizes[0])),
        Y,
        rng.uniform(0.5, 2, rows) if draw(st.booleans()) else None,
        draw(st.sampled_from([0.0, 0.3])),
        draw(st.sampled_from(["mean", "sum"])),
    )
