"""PyTorch's LBFGS with its line search to the strong Wolfe conditions."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from time import process_time

import torch

from benchmarks.solution.progress import Ended, Progress, Solution
from benchmarks.solution.solvers.torch_objective import TorchObjective


class Solver:
    """All in one call of `step`. Ten pairs, the default of the other peers; bpnet's is 30."""

    def __init__(self, folder: Path) -> None:
        self._objective = TorchObjective(folder)

    def run(self, target: float | None, budget: float, counted: bool) -> Solution:
        params, gradients = self._objective.start(), 0
        progress = Progress(target, budget)
        optimizer = torch.optim.LBFGS(
            params,
            lr=1,
            max_iter=10**9,
            max_eval=10**9,
            tolerance_grad=0,
            tolerance_change=0,
            history_size=10,
            line_search_fn="strong_wolfe",
        )

        def closure() -> torch.Tensor:
            nonlocal gradients
            gradients += 1
            optimizer.zero_grad()
            value = self._objective.value(params)
            value.backward()
            progress.see(value.item())
            return value

        with suppress(Ended):
            optimizer.step(closure)
        return Solution(progress.lowest, process_time() - progress.began, gradients)
