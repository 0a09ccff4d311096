"""Train a shipped config inside a test, and reach what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.config.load import load_config
from bpcli.data.preprocessing import Split
from bpcli.data.types import SplitName
from bpcli.experiment import Experiment, build
from bpcli.metrics.measures import Scores
from bpcli.runs.store import Run
from bpcli.runs.trained import load_trained
from bpcli.terminal.progress import SilentView
from bpcli.workflows.scores import baselines, split_objective, split_scores
from bpcli.workflows.train import train

CONFIGS = Path(__file__).parent.parent / "configs"


@dataclass(frozen=True)
class System:
    """A trained config."""

    experiment: Experiment
    run: Run
    record: dict[str, Any]
    params: np.ndarray

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        return dict(self.experiment.network.tensors(self.params))

    @property
    def initial(self) -> dict[str, np.ndarray]:
        return dict(self.experiment.network.tensors(self.experiment.initial_params))

    def split(self, name: SplitName = "train") -> Split:
        return self.experiment.splits[name]

    def scores(self, name: SplitName = "train") -> Scores:
        return split_scores(
            self.experiment, name, self.params, split_objective(self.experiment, name)
        )

    def baselines(self, name: SplitName) -> dict[str, Scores]:
        return baselines(self.experiment, name)


def trained(tmp_path: Path, config: str, **overrides: object) -> System:
    """Train configs/<config>.yaml; `training__epochs=5` stands for training.epochs=5."""
    assignments = [f"{key.replace('__', '.')}={value}" for key, value in overrides.items()]
    experiment = build(load_config(CONFIGS / f"{config}.yaml", assignments))
    outcome = train(experiment, tmp_path, SilentView())
    assert outcome.failure is None
    return System(experiment, outcome.run, outcome.record, load_trained(outcome.run).params)
