from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builds import built
from sklearn.metrics import mean_poisson_deviance
from systems import trained
from tampered import log_of
from textbook import Dense, forward, value_and_grads

from bpcli.workflows.predict import predict_rows
from bpcli.workflows.scores import all_baselines, all_scores


def dense_layers(tensors: dict[str, np.ndarray]) -> list[Dense]:
    return [
        Dense(tensors[f"W{number}"], tensors[f"b{number}"], name)
        for number, name in enumerate(("tanh", "tanh", "sigmoid"), start=1)
    ]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_line_has_gradient_norms_and_scored_ones_have_units(
    tmp_path: Path, dtype: str
) -> None:
    lines = log_of(trained(tmp_path, "xor", training__epochs=2000, network__dtype=dtype).run)
    assert len(lines) > 900
    for line in lines:
        assert len(line["grad_norms"]) == 2
        assert np.linalg.norm(line["grad_norms"]) == pytest.approx(line["grad_norm"], rel=1e-6)
        assert ("dead_units" in line) == ("train.accuracy" in line) == ("saturated_units" in line)
    scored = [line["epoch"] for line in lines if "dead_units" in line]
    assert scored[:52] == [*range(52)]
    assert {*np.diff(scored[52:-1]).tolist()} == {4, 8, 16, 32}


def test_gradient_norms_are_those_of_the_textbook_with_l2_and_sums(tmp_path: Path) -> None:
    system = trained(
        tmp_path, "moons", training__epochs=1, training__l2=0.3, training__reduction="sum",
        training__learning_rate=1e-5,
    )  # fmt: skip
    split = system.split()
    _, grads = value_and_grads(
        dense_layers(system.initial), split.X, split.Y, "binary_cross_entropy",
        l2=0.3, reduction="sum",
    )  # fmt: skip
    norms = [np.sqrt((W**2).sum() + (b**2).sum()) for W, b in grads]
    np.testing.assert_allclose(system.run.metrics()[0].grad_norms, norms, rtol=1e-12)


def test_units_of_a_line_are_counted_over_evenly_spaced_training_rows(tmp_path: Path) -> None:
    system = trained(
        tmp_path, "moons", data__n_samples=4000, data__split="{train: 0.75, test: 0.25}",
        training__stop="{}", training__epochs=1, network__init="{name: normal, std: 8}",
    )  # fmt: skip
    zs, _ = forward(dense_layers(system.tensors), system.split().X[::3])
    flat = [(np.cosh(z) ** -2.0 < 0.05).mean(axis=0) >= 0.95 for z in zs[:2]]
    (line,) = system.run.metrics()[-1:]
    assert line.saturated_units == [flat[0].sum(), flat[1].sum(), 0]
    assert line.dead_units == [0, 0, 0]
    assert flat[1].sum() > 0


SEVERAL = """\
name: t
data:
  generator: regression
  n_samples: 30
  n_features: 3
  n_targets: 2
  split: {test: 0.4}
  scale: {targets: standard}
network: {layers: [3, 2, 2], activations: [tanh, identity]}
loss: mse
"""


def test_each_of_several_targets_is_scored_on_every_split_and_as_a_constant() -> None:
    experiment = built(SEVERAL)
    found = all_scores(experiment, experiment.initial_params)
    split = experiment.splits["test"]
    outputs = predict_rows(experiment, experiment.initial_params, split.index).outputs
    residuals = outputs - split.values
    for k, name in enumerate(("y1", "y2")):
        rmse = np.sqrt((residuals[:, k] ** 2).mean())
        assert found[f"test.rmse.{name}"] == pytest.approx(rmse)
    of_both = found["test.rmse.y1"] ** 2 + found["test.rmse.y2"] ** 2
    assert found["test.rmse"] == pytest.approx(np.sqrt(of_both / 2))
    assert {path for path in found if path.count(".") > 1} == {
        f"{name}.{metric}.{target}"
        for name in ("train", "test") for metric in ("rmse", "mae", "r2") for target in ("y1", "y2")
    }  # fmt: skip
    constant = all_baselines(experiment)["constant"]
    deviation = split.values[:, 1] - experiment.splits["train"].values[:, 1].mean()
    assert constant["test.rmse.y2"] == pytest.approx(np.sqrt((deviation**2).mean()))
    named = built(SEVERAL, "metrics=[mae]")
    assert {
        path for path in all_scores(named, named.initial_params) if path.startswith("test.")
    } == {"test.loss", "test.loss_original", "test.mae", "test.mae.y1", "test.mae.y2"}


COUNTS = """\
name: t
data: {inputs: [[0.1], [0.5], [0.9], [1.4], [2.0]], targets: [0, 2, 1, 4, 9]}
network: {layers: [1, 1], activations: [exponential], init: {name: normal, std: 1}}
loss: poisson
"""


def test_counts_have_half_their_deviance_as_loss_in_the_units_of_the_data() -> None:
    plain, scaled = built(COUNTS), built(COUNTS, "data.scale.targets={divide_by: 10}")
    y, params = np.array([0, 2, 1, 4, 9]), plain.initial_params
    found = all_scores(plain, params)
    outputs = predict_rows(plain, params, np.arange(5)).outputs[:, 0]
    assert found["train.loss"] == pytest.approx(mean_poisson_deviance(y, outputs) / 2)
    assert "train.loss_original" not in found
    found = all_scores(scaled, params)
    outputs = predict_rows(scaled, params, np.arange(5)).outputs[:, 0]
    in_units_of_y = mean_poisson_deviance(y, outputs) / 2
    assert found["train.loss_original"] == pytest.approx(in_units_of_y)
    assert found["train.loss"] == pytest.approx(in_units_of_y / 10)
    constant = plain.constant_loss("train")
    assert constant == pytest.approx(mean_poisson_deviance(y, np.full(5, y.mean())) / 2)


def test_an_output_that_is_rounded_to_0_costs_nothing_where_the_count_is_0() -> None:
    none = built(COUNTS, "data.targets=[0, 0, 0, 0, 0]", "data.scale.targets={divide_by: 10}")
    assert none.constant_loss("train") == 0
    found = all_scores(none, np.array([0.0, -1000.0]))
    assert (found["train.loss"], found["train.loss_original"]) == (0, 0)
