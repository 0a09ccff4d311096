"""JAX with the whole training compiled: one `lax.scan` over the epochs."""

from __future__ import annotations

import time
from pathlib import Path

import jax
import numpy as np

from benchmarks.implementations.jax_network import JaxNetwork, Params, arrays


class Trainer:
    """Each number of epochs is compiled once, before its clock starts."""

    def __init__(self, folder: Path) -> None:
        self.network = network = JaxNetwork(folder)
        self._compiled: dict[int, jax.stages.Compiled] = {}

        def train(params: Params, X: jax.Array, Y: jax.Array, epochs: int) -> Params:
            def epoch(params: Params, _: None) -> tuple[Params, None]:
                return network.step(params, X, Y), None

            return jax.lax.scan(epoch, params, length=epochs)[0]

        self._train = jax.jit(train, static_argnames="epochs", donate_argnums=0)

    def run(self, epochs: int) -> float:
        X, Y, params = self.network.X, self.network.Y, self.network.start()
        if epochs not in self._compiled:
            self._compiled[epochs] = self._train.lower(params, X, Y, epochs=epochs).compile()
        began = time.perf_counter()
        self._params = jax.block_until_ready(self._compiled[epochs](params, X, Y))
        return time.perf_counter() - began

    def params(self) -> dict[str, np.ndarray]:
        return arrays(self._params)
