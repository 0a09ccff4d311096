"""What both PyTorch solvers share: the tensors and the objective."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, mse_loss

from benchmarks.solution.problem import Problem


class TorchObjective:
    """Of W1, b1, W2, b2, by automatic differentiation."""

    def __init__(self, folder: Path) -> None:
        self.problem = problem = Problem.load(folder)
        self._X = torch.from_numpy(problem.X)
        self._y = torch.from_numpy(problem.labels if problem.has_classes else problem.Y)

    def start(self) -> list[Tensor]:
        """New tensors of the parameters to start from."""
        return [torch.from_numpy(array.copy()).requires_grad_() for array in self.problem.start]

    def value(self, params: list[Tensor]) -> Tensor:
        W1, b1, W2, b2 = params
        z = linear(torch.tanh(linear(self._X, W1, b1)), W2, b2)
        if self.problem.has_classes:
            value = cross_entropy(z, self._y)
        else:
            value = mse_loss(z, self._y) * (self.problem.scale * self._y.numel())
        if self.problem.decay:
            value = value + 0.5 * self.problem.decay * ((W1 * W1).sum() + (W2 * W2).sum())
        return value
