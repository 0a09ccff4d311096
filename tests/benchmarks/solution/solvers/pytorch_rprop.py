"""PyTorch's Rprop, with bpnet's initial step and no smallest one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from time import process_time

import torch

from benchmarks.solution.progress import Ended, Progress, Solution
from benchmarks.solution.solvers.torch_objective import TorchObjective


class Solver:
    """Its variant is bpnet's default: no step where a sign changes."""

    def __init__(self, folder: Path) -> None:
        self._objective = TorchObjective(folder)

    def run(self, target: float | None, budget: float, counted: bool) -> Solution:
        params, gradients = self._objective.start(), 0
        progress = Progress(target, budget)
        optimizer = torch.optim.Rprop(params, lr=0.07, step_sizes=(0, 50))
        with suppress(Ended):
            while True:
                gradients += 1
                optimizer.zero_grad()
                value = self._objective.value(params)
                value.backward()
                progress.see(value.item())
                optimizer.step()
        return Solution(progress.lowest, process_time() - progress.began, gradients)
