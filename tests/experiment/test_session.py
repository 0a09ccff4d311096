"""What a training leaves in memory."""

from __future__ import annotations

import weakref
from pathlib import Path

import pytest
from systems import CONFIGS

from bpcli.build import build
from bpcli.experiment import session
from bpcli.experiment.train import train
from bpcli.runs.files import save_arrays
from bpcli.spec.load import load_config
from bpcli.training.objective import Objective
from bpcli.training.sums import RowSums
from bpcli.views.progress import SilentView


@pytest.mark.parametrize("workers", [1, 2])
def test_what_computed_the_gradients_is_gone_when_the_weights_are_saved(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[object]] = []
    alive: list[int] = []

    def noting(kind: type) -> None:
        begin = kind.__init__

        def begin_noted(self: object, *args: object, **options: object) -> None:
            made.append(weakref.ref(self))
            begin(self, *args, **options)

        monkeypatch.setattr(kind, "__init__", begin_noted)

    def save(*args: object) -> None:
        alive.append(sum(found() is not None for found in made))
        save_arrays(*args)

    noting(Objective)
    noting(RowSums)
    monkeypatch.setattr(session, "save_arrays", save)
    options = [f"training.workers={workers}", "training.epochs=2", "data.n_samples=20000"]
    experiment = build(load_config(CONFIGS / "moons.yaml", options))
    assert len(experiment.plan.shards) > 1
    outcome = train(experiment, tmp_path, SilentView())
    assert outcome.failure is None
    assert len(made) >= 4  # training and validation
    assert alive == [0]
