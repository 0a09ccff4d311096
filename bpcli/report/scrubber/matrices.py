"""The weight matrices of each layer as pictures, for networks that are too large for a diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.report.scrubber.pictures import COLOURS
from bpcli.report.scrubber.png import Colour, Tiles
from bpcli.report.scrubber.recording import MOST_SHOWN_WEIGHTS, Recording

_SHADES = 15
"""An odd number: the middle one, which is clear, is 0. Up to 16 colours take 4 bits each."""


@dataclass(frozen=True, eq=False)
class Matrix(Tiles):
    """A layer's weights and biases at each frame; `full` are the rows and columns of all."""

    name: str
    full: tuple[int, int]

    @property
    def is_cut(self) -> bool:
        return self.tiles.shape[1:] != self.full


def matrices_of(recording: Recording) -> list[Matrix]:
    """One picture per layer; the last column is the bias, and one scale serves all."""
    network = recording.subject.network
    share = min(1.0, MOST_SHOWN_WEIGHTS / network.n_params) ** 0.5
    matrices = []
    for number, (layer, where) in enumerate(
        zip(network.layers, network.layer_slices, strict=True), start=1
    ):
        full = (layer.rows, layer.columns)
        rows, columns = (_spaced(size, max(1, int(size * share))) for size in full)
        stack = recording.params[:, where].reshape(-1, *full)[:, rows][:, :, columns]
        half = _SHADES // 2
        tiles = np.rint(half * np.clip(stack / recording.largest, -1, 1)).astype(np.int8) + half
        name = f"[W{number} b{number}]" if layer.has_bias else f"W{number}"
        matrices.append(Matrix(tiles.astype(np.uint8), palette(), name, full))
    return matrices


def _spaced(size: int, count: int) -> Array:
    return np.linspace(0, size - 1, min(size, count)).round().astype(np.intp)


def palette() -> Sequence[Colour]:
    """Shades from the most negative weight to the most positive."""
    half = _SHADES // 2
    one, other = (tuple(bytes.fromhex(name)) for name in (COLOURS[1], COLOURS[0]))
    strengths = [(abs(number - half) / half) ** 0.7 for number in range(_SHADES)]
    return [
        (*(one if number < half else other), strength) for number, strength in enumerate(strengths)
    ]
