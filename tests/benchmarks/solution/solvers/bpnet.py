"""bpnet: the loop of its trainings, which knows the loss of each epoch, as `stop.goal` does.

One worker. The objective is made before the clock starts, as the others compile theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.solution.progress import Ended, Progress, Solution
from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.nn.numerics import repeatable_numerics
from bpcli.training.loop import train_epochs

_KINDS = {
    "grad": "gradients",
    "value_and_grad": "gradients",
    "gauss_newton": "jacobians",
    "gauss_newton_product": "gradients",
    "losses": "losses",
}


class Solver:
    """Counts evaluations only if it is asked to: a count slows short epochs down."""

    def __init__(self, folder: Path) -> None:
        self._experiment = build(load_config(folder / "config.yaml"))
        self._objective = self._experiment.objective()

    def run(self, target: float | None, budget: float, counted: bool) -> Solution:
        counts: Counter[str] = Counter()
        objective: Any = Counted(self._objective, counts) if counted else self._objective
        with repeatable_numerics():
            progress = Progress(target, budget)
            training = self._experiment.training(objective)
            with suppress(Ended):
                for epoch in train_epochs(training, self._experiment.spec.training.epochs):
                    progress.see(epoch.loss)
            return Solution(progress.lowest, process_time() - progress.began, **counts)


class Counted:
    """An objective that counts its evaluations by their kind."""

    def __init__(self, objective: Any, counts: Counter[str]) -> None:
        self._objective = objective
        self._counts = counts

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._objective, name)
        return self._counting(name, found) if callable(found) else found

    def _counting(self, name: str, evaluate: Callable[..., Any]) -> Callable[..., Any]:
        kind = _KINDS[name]  # whoever gives an objective another verb says here what it costs

        def counting(*arguments: Any, **options: Any) -> Any:
            self._counts[kind] += 1
            return evaluate(*arguments, **options)

        return counting
