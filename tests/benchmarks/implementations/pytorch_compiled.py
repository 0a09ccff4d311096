"""PyTorch with `torch.compile`: loss, gradient and update are one compiled step."""

from __future__ import annotations

import os
import time
from pathlib import Path

os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # no helper processes: they would use memory

import numpy as np
import torch
from torch import Tensor

from benchmarks.implementations.torch_network import TorchNetwork, arrays


class Trainer:
    """Two epochs before the clock starts leave compilation out of every time."""

    def __init__(self, folder: Path) -> None:
        self.network = network = TorchNetwork(folder)
        rate, gradient = network.problem.learning_rate, torch.func.grad(network.loss)

        def step(params: list[Tensor], X: Tensor, y: Tensor) -> None:
            for tensor, grad in zip(params, gradient(params, X, y), strict=True):
                tensor.sub_(grad, alpha=rate)

        self._step = torch.compile(step)
        self._repeat(2)

    def run(self, epochs: int) -> float:
        return self._repeat(epochs)

    @torch.no_grad()
    def _repeat(self, epochs: int) -> float:
        network, step = self.network, self._step
        self._params = params = network.start()
        began = time.perf_counter()
        for _ in range(epochs):
            step(params, network.X, network.y)
        return time.perf_counter() - began

    def params(self) -> dict[str, np.ndarray]:
        return arrays(self._params)
