"""Published numbers, from the folder of reference data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from systems import CONFIGS, System, trained

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.workflows.predict import predict_rows


def test_forward_3443_gives_the_published_outputs(shared_data: Path) -> None:
    golden = json.loads((shared_data / "golden" / "forward_3443.json").read_text())
    experiment = build(load_config(CONFIGS / "forward_3443.yaml"), needs_targets=False)
    tensors = dict(experiment.network.tensors(experiment.initial_params))
    for number in (1, 2, 3):
        np.testing.assert_array_equal(tensors[f"W{number}"], np.transpose(golden[f"W{number}"]))
    np.testing.assert_array_equal(experiment.table.X, golden["X"])
    outputs = predict_rows(experiment, experiment.initial_params, np.arange(7)).outputs
    np.testing.assert_array_equal(outputs.round(8), golden["published_output"])


@pytest.fixture(scope="module")
def mazur(shared_data: Path) -> dict:
    return json.loads((shared_data / "golden" / "mazur.json").read_text())


def loss_of(system: System) -> float:
    return float(system.scores()["loss"])


def test_mazur_before_training(mazur: dict, tmp_path: Path) -> None:
    system = trained(tmp_path, "mazur", training__epochs=0)
    assert loss_of(system) == pytest.approx(mazur["published"]["E0"], abs=1e-8)
    outputs = predict_rows(system.experiment, system.params, np.array([0])).outputs[0]
    np.testing.assert_allclose(outputs, mazur["published"]["out_o"], atol=1e-8)


def test_mazur_after_one_step(mazur: dict, tmp_path: Path) -> None:
    system = trained(tmp_path, "mazur", training__epochs=1)
    for name in ("W1", "W2"):
        published = mazur["published"][f"{name}_after1"]
        np.testing.assert_allclose(system.tensors[name], published, rtol=0, atol=1e-8)
        assert (system.tensors[f"b{name[1]}"] == system.initial[f"b{name[1]}"]).all()
    assert loss_of(system) == pytest.approx(mazur["exact_simultaneous_update"]["E1"], rel=1e-11)


def test_mazur_after_ten_thousand_steps(mazur: dict, tmp_path: Path) -> None:
    exact = mazur["exact_simultaneous_update"]
    system = trained(tmp_path, "mazur")
    assert loss_of(system) == pytest.approx(exact["E10000"], rel=1e-7)
    outputs = predict_rows(system.experiment, system.params, np.array([0])).outputs[0]
    np.testing.assert_allclose(outputs, exact["out_10000"], rtol=1e-6)
    np.testing.assert_allclose(outputs, mazur["published"]["out_10000"], rtol=1e-3)
    assert loss_of(trained(tmp_path, "mazur", training__epochs=9999)) == pytest.approx(
        mazur["published"]["E_10000"],
        abs=5e-11,  # six digits were printed
    )


def test_mazur_with_trained_biases(mazur: dict, tmp_path: Path) -> None:
    exact = mazur["exact_if_biases_trained"]
    for epochs, key in ((1, "E1"), (10, "E10"), (10_000, "E10000")):
        system = trained(tmp_path, "mazur", network__bias="true", training__epochs=epochs)
        assert loss_of(system) == pytest.approx(exact[key], rel=1e-6)
