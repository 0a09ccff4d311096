from __future__ import annotations

import numpy as np
import pytest

from bpcli.config.load import config_of
from bpcli.experiment import build, stream, stream_of
from bpcli.experiment.experiment import Experiment


def test_streams_are_independent_and_named() -> None:
    draws = {name: stream(7, name).random() for name in ("data", "split", "init", "batches")}
    assert len(set(draws.values())) == 4
    assert draws["init"] == stream(7, "init").random() != stream(8, "init").random()


@pytest.mark.parametrize(
    ("name", "number"), [("data", 0), ("split", 1), ("init", 2), ("batches", 3), ("intervals", 4)]
)
def test_a_name_means_the_same_numbers_in_every_version(name: str, number: int) -> None:
    spawned = np.random.SeedSequence(7).spawn(5)[number]
    assert stream(7, name).random() == np.random.default_rng(spawned).random()


MOONS = {
    "data": {
        "generator": "moons",
        "n_samples": 40,
        "noise": 0.1,
        "split": {"val": 0.25, "stratify": False},
    },
    "network": {"layers": [2, 3, 1], "activations": ["tanh", "sigmoid"]},
    "loss": "binary_cross_entropy",
    "training": {"batch_size": 8},
}


def experiment(**seeds: int) -> Experiment:
    return build(config_of({**MOONS, "seed": 1, "seeds": seeds}))


def parts(of: Experiment) -> dict[str, bytes]:
    """What each seed decides, as bytes."""
    rows = np.sort(of.table.X, axis=0)  # whatever the order
    return {
        "data": rows.tobytes(),
        "split": of.splits["val"].index.tobytes(),
        "init": of.initial_params.tobytes(),
        "batches": stream_of(of.spec, "batches").bytes(8),
    }


@pytest.mark.parametrize("name", ["data", "split", "init", "batches"])
def test_a_seed_of_its_own_changes_its_purpose_alone(name: str) -> None:
    usual, other = parts(experiment()), parts(experiment(**{name: 2}))
    assert {each for each in usual if usual[each] != other[each]} == {name}
    assert parts(experiment(**{name: 1})) == usual
    assert other[name] == parts(build(config_of({**MOONS, "seed": 2})))[name]
