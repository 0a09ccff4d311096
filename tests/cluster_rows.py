"""Rows that the workers of a cluster read from a file, and a tally of their outputs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bpcli.engine.rows import StreamedRows
from bpcli.errors import DataError
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network

WIDE = Network((Layer(10, 32, Tanh()), Layer(32, 3, Identity())), HalfSquaredError())


@dataclass(frozen=True)
class FileReader:
    """Reads rows of double precision from a file without a header: inputs, then outputs."""

    path: Path
    inputs: int
    outputs: int

    def read_at(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs, targets = self.read(0, int(index[-1]) + 1)
        return inputs[index], targets[index]

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        width = self.inputs + self.outputs
        handle = os.open(self.path, os.O_RDONLY)
        try:
            content = os.pread(handle, (stop - start) * width * 8, start * width * 8)
        finally:
            os.close(handle)
        table = np.frombuffer(content).reshape(-1, width)
        return table[:, : self.inputs], table[:, self.inputs :]

    def prepare(
        self, inputs: np.ndarray, targets: np.ndarray, X: np.ndarray, Y: np.ndarray
    ) -> None:
        X[...], Y[...] = inputs.T, targets.T


@dataclass(frozen=True)
class FailingReader:
    """Raises at the first shard; in the second kind of failure, an error that bpnet expects."""

    is_expected: bool

    def read_at(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros((len(index), 10)), np.zeros((len(index), 3))

    def prepare(
        self, inputs: np.ndarray, targets: np.ndarray, X: np.ndarray, Y: np.ndarray
    ) -> None:
        X[...], Y[...] = inputs.T, targets.T

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        if self.is_expected:
            raise DataError("The file has changed.", "data.file")
        raise FileNotFoundError("no rows.npy on this worker")


@dataclass(frozen=True)
class SumsOfZ:
    """The number of rows, and Σ z of each of three outputs."""

    width: int = 4

    def sums(self, start: int, stop: int, Z: np.ndarray) -> np.ndarray:
        return np.array([stop - start, *Z.sum(axis=1)])


def streamed(folder: Path, network: Network, count: int, dtype: str) -> StreamedRows:
    """Random rows in a new file."""
    rng = np.random.default_rng(count)
    path = folder / f"{count}.rows"
    rng.normal(size=(count, network.inputs + network.outputs)).tofile(path)
    reader = FileReader(path, network.inputs, network.outputs)
    return StreamedRows.of(network, reader, count, np.dtype(dtype))  # type: ignore[arg-type]
