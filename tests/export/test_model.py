"""A run's model: the network and its preprocessor, from the run's own files and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tampered import save_arrays, vouch

from bpcli.data.generators.replicas import Moons
from bpcli.errors import RunError
from bpcli.export.model import load_model
from bpcli.runs.files import load_arrays
from bpcli.runs.references import find_run
from bpcli.runs.store import Run
from bpcli.runs.trained import load_trained
from bpcli.workflows.predict import predict_rows

CONFIGS = Path(__file__).parent.parent.parent / "configs"


@pytest.fixture
def moons(bpnet) -> Run:
    command = ("train", CONFIGS / "moons.yaml", "--quiet", "--set", "training.epochs=30")
    assert bpnet(*command).code == 0
    return find_run("latest", Path("runs"))


@pytest.mark.parametrize("weights", ["best", "last"])
def test_a_model_computes_what_the_rebuilt_experiment_does(moons, weights) -> None:
    trained = load_trained(moons, weights)
    expected = predict_rows(trained.experiment, trained.params, np.arange(50))
    model = load_model(moons, weights)
    outputs = model.outputs(expected.X)
    np.testing.assert_array_equal(outputs, expected.outputs)
    names = [model.class_names[label] for label in model.labels(outputs)]
    assert {"class": names} == expected.answers
    assert (model.encoder.names, model.output_names) == (("x1", "x2"), ("P(1)",))


def test_a_model_needs_no_data(moons, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Moons, "table", lambda *_: pytest.fail("the data were made"))
    model = load_model(moons)
    assert model.outputs(np.zeros((3, 2))).shape == (3, 1)


def test_damaged_weights_are_refused(moons) -> None:
    path = moons.path("weights.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(RunError, match="is damaged: its digest"):
        load_model(moons)


def test_weights_that_name_no_inputs_are_refused(moons) -> None:
    path = moons.path("weights.safetensors")
    arrays, meta = load_arrays(path)
    del meta["input_names"]
    save_arrays(path, arrays, meta)
    vouch(moons)
    with pytest.raises(RunError, match="see its `input_names`: Field required"):
        load_model(moons)
