"""The entry of a weight matrix or a bias that a trace follows, and its numbers in an update."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

import numpy as np

from bpcli.errors import ConfigError
from bpcli.nn.network import Network
from bpcli.trace.updates import Pass, Update


@dataclass(frozen=True)
class Entry:
    """One entry of a tensor, counted from 1: row `row` and column `column` of W, or of b."""

    tensor: str
    layer: int
    row: int
    column: int | None

    def __str__(self) -> str:
        column = "" if self.column is None else f",{self.column}"
        return f"{self.tensor}[{self.row}{column}]"

    @property
    def indices(self) -> tuple[int, ...]:
        """The entry's indices in its tensor, counted from 0."""
        return (self.row - 1,) if self.column is None else (self.row - 1, self.column - 1)


_ENTRY = re.compile(r"\s*([Wb])(\d{1,9})\[\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*)?\]\s*", re.ASCII)


def parse_entry(text: str, network: Network) -> Entry:
    """Parse W1[2,1] or b1[2]; raise `ConfigError` with the shapes if there is no such entry."""
    shapes = {name: tensor.shape for name, tensor in network.tensors(np.empty(network.n_params))}
    match = _ENTRY.fullmatch(text)
    if match:
        letter, layer, row, column = match.groups()
        tensor, indices = f"{letter}{layer}", [int(index) for index in (row, column) if index]
        shape = shapes.get(tensor, ())
        if len(shape) == len(indices) and all(
            1 <= index <= size for index, size in zip(indices, shape, strict=True)
        ):
            return Entry(tensor, int(layer), int(row), int(column) if column else None)
    listed = ", ".join(f"{name} ({' x '.join(map(str, size))})" for name, size in shapes.items())
    raise ConfigError(
        f"--entry {text}: not found in {listed}; expected an entry such as W1[1,1] or b1[1], "
        "counted from 1."
    )


def largest_gradient(first: Pass) -> Entry:
    """The weight of the first layer that has the largest gradient."""
    grad = np.abs(first.grad["W1"])
    row, column = max(product(*map(range, grad.shape)), key=lambda indices: grad[indices])
    return Entry("W1", 1, row + 1, column + 1)


@dataclass(frozen=True)
class Followed:
    """One entry through one update: ∂loss/∂entry is the sum over the rows of delta · a below."""

    entry: str
    delta: list[float]
    below: list[float]
    products: list[float]
    loss_by_entry: float
    objective_by_entry: float
    before: float
    after: float


def follow(entry: Entry, network: Network, update: Update) -> Followed:
    """The numbers of one entry; for a bias, `below` is 1."""
    at = update.pass_of(entry.layer)
    up, down = at.forward[entry.layer - 1], at.backward[entry.layer - 1]
    delta = down.delta[entry.row - 1]
    below = np.ones_like(delta) if entry.column is None else up.below[entry.column - 1]
    is_bias = entry.column is None
    of_loss = down.loss_by_b if is_bias else down.loss_by_W
    assert of_loss is not None
    values = (
        dict(network.tensors(state.params))[entry.tensor] for state in (update.before, update.after)
    )
    arrays = [of_loss, at.grad[entry.tensor], *values]
    return Followed(
        str(entry),
        delta.tolist(),
        below.tolist(),
        (delta * below).tolist(),
        *(float(array[entry.indices]) for array in arrays),
    )
