from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builds import MOONS, OF_TABLE, built


def test_a_seed_means_the_same_start_in_every_dtype() -> None:
    double, single = built(MOONS), built(MOONS, "network.dtype=float32")
    assert single.initial_params.dtype == np.float32
    np.testing.assert_array_equal(single.initial_params, double.initial_params.astype(np.float32))


def test_l2_and_reduction_reach_the_objective_and_l2_not_validation() -> None:
    experiment = built(MOONS, "training.l2=0.7", "training.reduction=sum")
    objective, validation = experiment.objective(), experiment.validation()
    assert (objective.l2, objective.reduction, objective.training_rows) == (0.7, "sum", 20)
    assert validation is not None
    assert validation.objective.l2 == 0
    assert len(validation.objective.data) == 10


WEIGHTED = """\
name: t
data: {inputs: [[0, 1], [1, 0], [2, 1], [3, 5]], targets: [a, b, b, a]}
network: {layers: [2, 3, 1], activations: [tanh, sigmoid], init: {name: uniform, bias: 0.3}}
loss: mse
"""


REPEATED = WEIGHTED.replace("[0, 1], ", "[0, 1], " * 3).replace("[3, 5]", "[3, 5], [3, 5], [3, 5]")
REPEATED = REPEATED.replace("[a, b, b, a]", "[a, a, a, b, b, a, a, a]")


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_weight_of_three_is_three_rows(reduction: str) -> None:
    weights = "training.class_weights={a: 3}"
    once = built(WEIGHTED, weights, f"training.reduction={reduction}")
    thrice = built(REPEATED, f"training.reduction={reduction}")
    params = once.initial_params
    rows = {"mean": 1, "sum": 4 / 8}[reduction]  # a sum counts rows, whatever they weigh
    one, two = once.objective().value_and_grad(params), thrice.objective().value_and_grad(params)
    assert one.value == pytest.approx(rows * two.value, rel=1e-12)
    np.testing.assert_allclose(one.grad, rows * two.grad, rtol=1e-12)
    H, other = (each.objective().gauss_newton(params).hessian for each in (once, thrice))
    np.testing.assert_allclose(H, rows * other, rtol=1e-9)
    assert once.class_weights == {"a": 3, "b": 1}
    assert thrice.class_weights is None


@pytest.mark.parametrize("optimizer", ["gradient_descent", "levenberg_marquardt", "trainbr"])
def test_only_the_ratios_of_weights_matter(optimizer: str) -> None:
    ends = []
    for weights in ("{a: 3, b: 1}", "{a: 24, b: 8}"):  # powers of two: equal to the bit
        experiment = built(
            WEIGHTED,
            f"training.class_weights={weights}",
            f"training.optimizer={optimizer}",
        )
        training = experiment.training(experiment.objective())
        ends.append(training.advance(training.start, 5).params)
    np.testing.assert_array_equal(*ends)
    assert (ends[0] != experiment.initial_params).any()


def test_validation_is_weighted_as_training_is() -> None:
    experiment = built(MOONS, "training.class_weights={'1': 3}")
    validation, split = experiment.validation(), experiment.splits["val"]
    assert validation is not None
    assert split.labels is not None
    weight = np.where(split.labels == 1, 3.0, 1.0)
    params = experiment.initial_params
    Z = validation.objective.outputs(params)
    losses = experiment.network.loss.per_sample(Z, 1 / (1 + np.exp(-Z)), split.Y.T)
    expected = np.average(losses, weights=weight)
    assert validation.loss(params) == pytest.approx(expected, rel=1e-12)
    right = (Z[0] > 0) == split.labels
    assert validation.score(params) == pytest.approx(np.average(right, weights=weight), rel=1e-12)
    assert 0 < right.mean() != validation.score(params)


def test_batches_may_be_as_large_as_the_training_split() -> None:
    batches = built(MOONS, "training.batch_size=20", "training.rows_per_epoch=20").batches
    assert (batches.size, batches.rows_per_epoch) == (20, 20)


def test_workers_share_matrices_of_parameters_where_rows_are_few() -> None:
    wide = ("network.layers=[2, 500, 1]", "loss=mse")
    assert built(MOONS, *wide).tasks == 1
    assert built(MOONS, *wide, "training.optimizer=levenberg_marquardt").tasks == 16  # 2,002 rows
    assert built(MOONS, "loss=mse", "training.optimizer=levenberg_marquardt").tasks == 1


def test_initial_parameters_cannot_be_changed_in_place() -> None:
    params = built(MOONS).initial_params
    with pytest.raises(ValueError, match="read-only"):
        params[0] = 1


def test_rows_are_kept_in_the_training_dtype_and_made_anew_in_another() -> None:
    experiment = built(MOONS, "network.dtype=float32")
    assert experiment.rows("train") is experiment.rows("train")
    assert experiment.objective().data is experiment.rows("train")
    assert experiment.objective(dtype=np.dtype("f8")).data.dtype == np.float64
    assert experiment.rows("train").dtype == np.float32


def test_without_validation_rows_there_is_no_validation() -> None:
    assert built(MOONS, "data.split={test: 0.25}").validation() is None


def test_metrics_are_those_of_the_task_or_those_that_were_asked_for() -> None:
    assert built(MOONS).metrics == ("accuracy", "log_loss")
    assert "rmse" in built(MOONS, "data.targets=values", "loss=mse").metrics
    assert built(MOONS, "metrics=[log_loss]").metrics == ("log_loss",)


def test_notes_of_the_config_come_before_those_of_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x,z,y\n1,2,a\n2,3,b\n3,1,b\n4,1,b\n")
    experiment = built(OF_TABLE)
    assert experiment.notes == (*experiment.config.notes, *experiment.table.notes)
    assert len(experiment.table.notes) == 1


def test_diagnostics_are_those_of_the_optimizer() -> None:
    assert built(MOONS, "training.optimizer=rprop").diagnostics != built(MOONS).diagnostics
