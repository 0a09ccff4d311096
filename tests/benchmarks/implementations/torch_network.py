"""What both PyTorch loops share: the tensors and the loss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, mse_loss

from benchmarks.problem import Problem, named

Loss: TypeAlias = Callable[[list[Tensor], Tensor, Tensor], Tensor]


class TorchNetwork:
    """W1, b1, W2, b2, … and their loss on all rows."""

    def __init__(self, folder: Path) -> None:
        self.problem = problem = Problem.load(folder)
        self.X = torch.from_numpy(problem.X)
        self.y = torch.from_numpy(problem.labels if problem.has_classes else problem.Y)
        self.loss = _loss(problem.hidden, problem.has_classes)

    def start(self) -> list[Tensor]:
        """New tensors of the parameters training starts from."""
        pairs = zip(self.problem.weights, self.problem.biases, strict=True)
        return [torch.from_numpy(array.copy()) for pair in pairs for array in pair]


def _loss(hidden: str, has_classes: bool) -> Loss:
    activation = {"tanh": torch.tanh, "relu": torch.relu}[hidden]

    def loss(params: list[Tensor], X: Tensor, y: Tensor) -> Tensor:
        a = X
        for W, b in zip(params[:-2:2], params[1:-2:2], strict=True):
            a = activation(linear(a, W, b))
        z = linear(a, *params[-2:])
        return cross_entropy(z, y) if has_classes else mse_loss(z, y) / 2

    return loss


def arrays(params: list[Tensor]) -> dict[str, np.ndarray]:
    """Parameters as numpy arrays, by name."""
    values = [tensor.detach().numpy() for tensor in params]
    return named(values[::2], values[1::2])
