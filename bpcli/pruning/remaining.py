"""What is left of a network: its inputs by column of the table, its units, and their removal.

A column is removed with all its inputs: those of its categories, its calendar and its missing
values. A unit is removed with its parameters and its weights in the layer above.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network

Kind: TypeAlias = Literal["input", "unit"]


class Column(NamedTuple):
    """A column of the table, and the number of inputs that it became."""

    name: str
    width: int


class Group(NamedTuple):
    """An input or a unit: what it is, and what reads it.

    `place` counts those of its layer that are left, from 0. `layer` is the index of the layer that
    reads it, `columns` those of that layer's weights.
    """

    kind: Kind
    name: str
    layer: int
    place: int
    columns: slice


@dataclass(frozen=True)
class Remaining:
    """A network, the columns of its inputs, and the numbers of its hidden units.

    `units` has a tuple for each hidden layer: the numbers from 1 that they had at first.
    """

    network: Network
    columns: tuple[Column, ...]
    units: tuple[tuple[int, ...], ...]

    @classmethod
    def all_of(cls, network: Network, columns: Sequence[Column]) -> Remaining:
        """The whole network."""
        units = (tuple(range(1, layer.units + 1)) for layer in network.layers[:-1])
        return cls(network, tuple(columns), tuple(units))

    @property
    def sizes(self) -> list[int]:
        """The units of each layer, the inputs first."""
        return [self.network.inputs, *(layer.units for layer in self.network.layers)]

    @property
    def hidden(self) -> list[int]:
        """The numbers of hidden units, layer by layer."""
        return [len(numbers) for numbers in self.units]

    def groups(self) -> Iterator[Group]:
        """What can be removed: not the last input or unit of a layer.

        Nor units of a layer such as softmax, where the other units depend on each.
        """
        starts = [*accumulate((column.width for column in self.columns), initial=0)]
        if len(self.columns) > 1:
            for index, column in enumerate(self.columns):
                yield Group("input", column.name, 0, index, slice(*starts[index : index + 2]))
        for below, numbers in enumerate(self.units):
            if len(numbers) > 1 and not self.network.layers[below].activation.mixes_units:
                for index, number in enumerate(numbers):
                    name = f"unit {number} of layer {below + 1}"
                    yield Group("unit", name, below + 1, index, slice(index, index + 1))

    def weights_of(self, group: Group) -> Array:
        """The positions in the parameter vector of the weights that read a group."""
        positions = np.arange(self.network.n_params)
        weights = self.network.matrices(positions)[group.layer][:, group.columns]
        return np.sort(weights, axis=None)

    def without(self, group: Group) -> Remaining:
        """What is left without a group."""
        layers = [*self.network.layers]
        reader = layers[group.layer]
        width = group.columns.stop - group.columns.start
        layers[group.layer] = replace(reader, inputs=reader.inputs - width)
        columns, units = [*self.columns], [*self.units]
        if group.kind == "input":
            del columns[group.place]
        else:
            below = group.layer - 1
            layers[below] = replace(layers[below], units=layers[below].units - 1)
            numbers = units[below]
            units[below] = numbers[: group.place] + numbers[group.place + 1 :]
        network = replace(self.network, layers=tuple(layers))
        return Remaining(network, tuple(columns), tuple(units))

    def params_without(self, group: Group, params: Vector) -> Vector:
        """The parameters of `without(group)`: those of this network that it keeps."""
        matrices = [*self.network.matrices(params)]
        matrices[group.layer] = np.delete(matrices[group.layer], group.columns, axis=1)
        if group.kind == "unit":
            below = group.layer - 1
            pieces = self.network.layers[below].activation.rows_per_unit
            rows = slice(group.place * pieces, (group.place + 1) * pieces)
            matrices[below] = np.delete(matrices[below], rows, axis=0)
        kept: Vector = np.concatenate([matrix.ravel() for matrix in matrices])
        return kept
