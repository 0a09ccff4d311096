"""JAX with one compiled step, and a Python loop that waits for each epoch to end."""

from __future__ import annotations

import time
from pathlib import Path

import jax
import numpy as np

from benchmarks.implementations.jax_network import JaxNetwork, arrays


class Trainer:
    """What a loop needs that looks at every epoch."""

    def __init__(self, folder: Path) -> None:
        self.network = network = JaxNetwork(folder)
        self._step = jax.jit(network.step, donate_argnums=0)
        self.run(1)  # compiles it

    def run(self, epochs: int) -> float:
        X, Y, step, params = self.network.X, self.network.Y, self._step, self.network.start()
        began = time.perf_counter()
        for _ in range(epochs):
            params = jax.block_until_ready(step(params, X, Y))
        seconds = time.perf_counter() - began
        self._params = params
        return seconds

    def params(self) -> dict[str, np.ndarray]:
        return arrays(self._params)
