"""Intervals beside the predictions of a run: calibration rows, columns, measured coverage."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builds import MOONS, built
from scipy.stats import binom, t
from strategies import dense_jacobian
from systems import trained
from tampered import a_record, log_of

from bpcli.config.load import Config, validate
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.data.scaler import Scaler
from bpcli.errors import ConfigError, DataError, RunError
from bpcli.experiment import Experiment, build
from bpcli.export.model import load_model
from bpcli.intervals.conformal import AbsoluteErrors, AdaptiveSets, quantile
from bpcli.nn.propagation import predict
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained, load_trained
from bpcli.sweeps.restarts import train_restarts
from bpcli.terminal.progress import SilentView
from bpcli.terminal.sweep import SilentProgress
from bpcli.workflows.folds import train_folds
from bpcli.workflows.interval_columns import (
    IntervalsAndParts,
    IntervalsOfValues,
    SetsByCategory,
    SetsByClass,
    SetsOfClasses,
)
from bpcli.workflows.interval_scales import _size, network_scale
from bpcli.workflows.intervals import Method, calibrated, coverage
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.predict import predict_rows
from bpcli.workflows.train import train

VALUES = """\
name: t
data:
  generator: sine
  n_samples: 120
  scale: {targets: standard}
  split: {val: 0.25, test: 0.25}
network: {layers: [1, 3, 1], activations: [tanh, identity]}
loss: mse
"""
THREE = """\
name: t
data: {generator: blobs, n_samples: 120, split: {val: 0.25, test: 0.25}}
network: {layers: [2, 3, 3], activations: [tanh, softmax]}
loss: cross_entropy
"""

NO_INPUTS = np.empty((0, 0))


def run_of(experiment: Experiment) -> Trained:
    """A run at its initial parameters."""
    return Trained(Run(Path("a-run")), a_record(), experiment, experiment.initial_params)


def test_the_half_width_is_an_error_of_the_validation_set_in_original_units() -> None:
    trained = run_of(built(VALUES))
    split = trained.experiment.splits["val"]
    said = predict_rows(trained.experiment, trained.params, split.index[:])
    errors = np.sort(np.abs(said.outputs[:, 0] - np.array(said.targets)[:, 0]))
    found = calibrated(trained, 0.8)
    assert (found.split, found.rows) == ("val", 30)
    assert isinstance(found.columns, IntervalsOfValues)
    assert found.columns.method.half == pytest.approx(errors[24], rel=1e-12)  # ceil(31 · 0.8) = 25
    assert found.columns.number_names == ("predicted y low", "predicted y high")
    outputs = np.array([[1.0], [2.0]])
    (half,) = found.columns.method.half
    expected = [[1 - half, 1 + half], [2 - half, 2 + half]]
    assert found.columns.numbers(outputs, outputs).tolist() == expected
    assert [*found.columns.documents(outputs, outputs)] == [
        {"intervals": {"predicted y": ends}} for ends in expected
    ]
    arrays = found.columns.arrays(outputs, outputs)
    assert np.hstack([arrays["low"], arrays["high"]]).tolist() == expected
    assert found.note == (
        "an interval contains the target with a probability of at least 0.8, for rows from the "
        "same source as the 30 rows of the validation set"
    )


def test_columns_of_several_outputs_are_low_and_high_in_turn() -> None:
    method, Y = AbsoluteErrors(np.array([1.0, 10.0])), np.array([[5.0, 50.0]])
    columns = IntervalsOfValues(method, Scaler.fixed("none", 1), ("p", "q"), ("p", "q"))
    assert columns.number_names == ("p low", "p high", "q low", "q high")
    assert columns.numbers(Y[:, :1], Y).tolist() == [[4, 6, 40, 60]]
    (document,) = columns.documents(Y[:, :1], Y)
    assert document == {"intervals": {"p": [4, 6], "q": [40, 60]}}


@pytest.mark.parametrize("text", [MOONS, THREE])
def test_a_set_of_classes_is_text_a_list_or_flags(text: str) -> None:
    trained = run_of(built(text, "data.split={val: 0.25}"))
    columns = calibrated(trained, 0.6).columns
    assert isinstance(columns, SetsOfClasses)
    said = predict_rows(trained.experiment, trained.params, np.arange(20))
    flags = columns.arrays(NO_INPUTS, said.outputs)["class_sets"]
    names = trained.experiment.table.class_names
    assert flags.shape == (20, len(names))
    lists = [[name for name, flag in zip(names, row, strict=True) if flag] for row in flags]
    assert [*columns.documents(NO_INPUTS, said.outputs)] == [{"class_set": each} for each in lists]
    assert columns.texts(NO_INPUTS, said.outputs) == [[" | ".join(each) for each in lists]]
    assert 0 < flags.mean() < 1


def test_a_single_output_is_the_probability_of_the_second_class() -> None:
    columns = SetsOfClasses(AdaptiveSets(0.9), ("no", "yes"))
    two = np.array([[0.95, 0.05], [0.3, 0.7], [0.01, 0.99]])
    assert columns.texts(NO_INPUTS, two[:, 1:]) == columns.texts(
        NO_INPUTS, np.hstack([1 - two[:, 1:], two[:, 1:]])
    )


@pytest.mark.parametrize("text", [VALUES, THREE])
def test_the_measured_coverage_counts_the_targets_inside(text: str) -> None:
    trained = run_of(built(text))
    found = coverage(trained, "test", 0.8)
    split = trained.experiment.splits["test"]
    said = predict_rows(trained.experiment, trained.params, split.index[:])
    columns = calibrated(trained, 0.8).columns
    if isinstance(columns, IntervalsOfValues):
        ends = columns.numbers(np.zeros((30, 1)), said.outputs)
        targets = np.array(said.targets)[:, 0]
        inside = (ends[:, 0] <= targets) & (targets <= ends[:, 1])
        size, expected = "mean_width", (ends[:, 1] - ends[:, 0]).mean()
    else:
        sets = [row["class_set"] for row in columns.documents(NO_INPUTS, said.outputs)]
        inside = np.array([true in each for (true,), each in zip(said.targets, sets, strict=True)])
        size, expected = "mean_classes", np.mean([len(each) for each in sets])
    (target,) = found.to_json()["targets"]
    assert target["coverage"] == inside.mean()
    assert target[size] == pytest.approx(expected, rel=1e-12)
    low, high = target["interval"]
    count = int(inside.sum())
    assert binom.sf(count - 1, 30, low) == pytest.approx(0.025)
    assert binom.cdf(count, 30, high) == pytest.approx(0.025)


def test_calibration_is_on_the_validation_set_else_on_the_test_set() -> None:
    assert calibrated(run_of(built(VALUES)), 0.9).split == "val"
    test = run_of(built(VALUES, "data.split={test: 0.5}"))
    assert calibrated(test, 0.9).split == "test"
    with pytest.raises(RunError, match="calibrated on its test set: measure their coverage on"):
        coverage(test, "test", 0.9)
    with pytest.raises(RunError, match=r"has no validation set .* `data.split: \{val: 0.2\}`"):
        calibrated(run_of(built(VALUES, "data.split={}")), 0.9)


def test_what_has_no_intervals_is_refused() -> None:
    trained = run_of(built(VALUES))
    for level in (0, 1, -0.5, 90, float("nan")):
        with pytest.raises(ConfigError, match="give a number between 0 and 1"):
            calibrated(trained, level)
    with pytest.raises(RunError, match="at least 99 calibration rows, and the validation set of"):
        calibrated(trained, 0.99)
    no_probabilities = run_of(built(THREE, "network.activations=[tanh, identity]", "loss=mse"))
    with pytest.raises(RunError, match=r"are not probabilities, which sets of classes need"):
        calibrated(no_probabilities, 0.9)


# From the linearized network.

NEWTON = {
    "training__optimizer": "levenberg_marquardt",
    "training__epochs": 300,
    "training__batch_size": "full",
    "training__learning_rate": "null",
    "data__scale": "{inputs: standard, targets: standard}",
}


def test_the_delta_method_of_a_run_is_that_of_its_dense_jacobian(tmp_path: Path) -> None:
    """At the minimum, in original units; the gradient Jᵀr + D w shows D to be the run's decay."""
    system = trained(tmp_path, "sine", **NEWTON, training__l2=0.03, network__layers="[1, 3, 1]")
    experiment, rows = system.experiment, system.split()
    network, params = experiment.network, system.params
    assert rows.values is not None
    J = dense_jacobian(network, params, rows.X)[:, 0].T
    factor = experiment.preprocessor.targets.factor[0]
    r = (predict(network, params, rows.X) * factor - rows.values) / factor
    r += experiment.preprocessor.targets.shift[0] / factor
    decay = 0.03 / 2 * network.is_weight  # the loss of one output is r², and its penalty 0.03/2n w²
    assert np.abs(J.T @ r[:, 0] + decay * params).max() < 1e-6 * np.abs(J).sum()
    A = J.T @ J + np.diag(decay)
    freedom = len(J) - np.trace(np.linalg.solve(A, J.T @ J))
    s2 = (r**2).sum() / freedom
    g = dense_jacobian(network, params, system.split("test").X)[:, 0].T
    half = t.ppf(0.95, freedom) * factor
    half *= np.sqrt(s2 * (1 + np.einsum("ip,pi->i", g, np.linalg.solve(A, g.T))))
    found = coverage(load_trained(system.run), "test", 0.9, "delta")
    np.testing.assert_allclose(found.sizes[:, 0], 2 * half, rtol=1e-8)
    assert found.to_json()["calibration_split"] == "train"
    assert "delta method over " in found.calibrated.note


def test_the_posterior_of_a_run_has_the_noise_that_its_training_estimated(tmp_path: Path) -> None:
    options = NEWTON | {"training__optimizer": "bayesian_regularization"}
    system = trained(tmp_path, "sine", **options)
    columns = calibrated(load_trained(system.run), 0.9, "posterior").columns
    assert isinstance(columns, IntervalsAndParts)
    noise = columns.arrays(np.zeros((1, 1)), np.zeros((1, 1)))["sd_of_noise"][0, 0]
    beta = log_of(system.run)[-1]["beta"]
    assert noise == pytest.approx(
        system.experiment.preprocessor.targets.factor[0] / np.sqrt(2 * beta), rel=1e-6
    )


@pytest.mark.parametrize(
    ("text", "overrides", "method", "why"),
    [
        (THREE, [], "delta", "it needs values as targets, and a loss that is a sum of squares"),
        (VALUES, ["loss=mae"], "delta", "it needs values as targets, and a loss that is a sum"),
        (VALUES, [], "posterior", "only `bayesian_regularization` estimates one: use --method del"),
        (
            VALUES,
            ["training.optimizer=bayesian_regularization"],
            "delta",
            "its weight decay was estimated: use --method posterior",
        ),
        (VALUES, ["network.layers=[1, 2000, 1]"], "delta", "6,001 parameters are more than the 5,"),
        (VALUES, ["data.n_samples=12"], "delta", "do not determine all 10 parameters"),
    ],
)
def test_what_the_linearized_network_cannot_do_is_refused(
    text: str, overrides: list[str], method: Method, why: str
) -> None:
    with pytest.raises(RunError, match=f"no intervals by the (delta method|posterior): .*{why}"):
        calibrated(run_of(built(text, *overrides)), 0.9, method)


# Widths that differ, and categories.

TABLE = """\
name: t
data:
  file: {file}
  targets: y
  split: {{val: 0.3, test: 0.3}}
  scale: {{inputs: standard, targets: {targets}}}
network: {{layers: [auto, 4, auto], activations: [tanh, {output}]}}
loss: {loss}
training: {{optimizer: {optimizer}, epochs: 15}}
"""


def table(rows: int = 400) -> pd.DataFrame:
    """Noise that grows with x, and is larger in one of two regions; a third one is rare."""
    rng = np.random.default_rng(0)
    x, region = (
        rng.uniform(0, 1, rows),
        rng.choice(["coast", "hill", "sea"], rows, p=[0.5, 0.48, 0.02]),
    )
    noise = (0.05 + x) * np.where(region == "hill", 0.3, 1.0)
    return pd.DataFrame({"x": x, "region": region, "y": np.sin(3 * x) + rng.normal(0, noise)})


def trained_table(folder: Path, *overrides: str, classes: bool = False) -> list[Trained]:
    """The run of the table, or the runs of its folds."""
    frame = table()
    if classes:
        frame["y"] = np.where(frame["y"] > 0.7, "high", "low")
    frame.to_csv(folder / "t.csv", index=False)
    text = TABLE.format(
        file=folder / "t.csv",
        targets="none" if classes else "standard",
        output="sigmoid" if classes else "identity",
        loss="binary_cross_entropy" if classes else "mse",
        optimizer="rprop" if classes else "levenberg_marquardt",
    )
    source = Source.parse(text, "t.yaml")
    for each in overrides:
        override(source, each)
    config = validate(source)
    if config.spec.training.all_restarts.count > 1:
        return [load_trained(train_restarts(config, folder, SilentProgress()).run)]
    if not config.spec.data.split.has_all_folds:
        return [load_trained(train(build(config), folder, SilentView()).run)]

    def train_fold(fold: Config, group: str | None) -> Outcome:
        return train(build(fold), folder, SilentView(), group=group)

    done = train_folds(config, train_fold, lambda _: None)
    return [load_trained(outcome.run) for outcome in done.outcomes]


def test_normalized_intervals_are_wider_where_the_noise_is_larger(tmp_path: Path) -> None:
    (run,) = trained_table(tmp_path)
    found = coverage(run, "test", 0.9, "normalized")
    X = run.experiment.splits["test"].X
    wide, narrow = (found.sizes[rows, 0].mean() for rows in (X[:, 0] > 0.5, X[:, 0] < -0.5))
    assert wide > 2 * narrow
    plain = coverage(run, "test", 0.9)
    assert found.sizes.mean() < 0.95 * plain.sizes.mean()
    assert "widths by a network of 4 units that learned the errors of 160 training rows" in (
        found.calibrated.note
    )
    again = coverage(run, "test", 0.9, "normalized")
    assert (again.sizes == found.sizes).all()  # to the bit


def test_the_scale_of_normalized_intervals_sees_no_calibration_row(tmp_path: Path) -> None:
    """With other targets in the validation set, it is the same to the bit."""
    (run,) = trained_table(tmp_path)
    scale, _ = network_scale(run)
    Y = run.experiment.table.Y.copy()
    Y[run.experiment.splits["val"].index[:]] += 100
    table = replace(run.experiment.table, targets=replace(run.experiment.table.targets, Y=Y))
    splits = {name: replace(split, table=table) for name, split in run.experiment.splits.items()}
    changed = replace(run, experiment=replace(run.experiment, table=table, splits=splits))
    X = run.experiment.splits["test"].X
    assert (network_scale(changed)[0](X) == scale(X)).all()


def test_by_an_input_each_category_has_its_own_width(tmp_path: Path) -> None:
    (run,) = trained_table(tmp_path)
    found = coverage(run, "test", 0.9, by="region")
    rows = run.experiment.splits["val"]
    regions = table()["region"].to_numpy()
    errors = np.abs(predict_rows(run.experiment, run.params, rows.index[:]).outputs - rows.values)[
        :, 0
    ]
    inside, document = regions[rows.index[:]], found.to_json()
    expected = {
        name: AbsoluteErrors(quantile(errors[inside == name], 0.9)) for name in ("coast", "hill")
    }
    by_name = {each["name"]: each for each in document["categories"]}
    for name, method in expected.items():
        (target,) = by_name[f"region={name}"]["targets"]
        assert target["mean_width"] == pytest.approx(2 * method.half, rel=1e-9)
        own = found.covered[regions[run.experiment.splits["test"].index[:]] == name]
        assert target["coverage"] == own.mean()
    assert sum(each["rows"] for each in document["categories"]) == 120
    few = int((inside == "sea").sum())
    (note,) = found.calibrated.columns.unpromised
    assert note == (
        "categories with fewer than 9 calibration rows use the quantile of all rows, without a "
        f"separate guarantee: `sea` ({few})"
    )


@pytest.mark.parametrize("by", ["y", "class"])
def test_by_the_target_each_class_has_its_own_threshold(by: str, tmp_path: Path) -> None:
    (run,) = trained_table(tmp_path, classes=True)
    columns = calibrated(run, 0.9, by=by).columns
    assert isinstance(columns, SetsByClass)
    assert columns.categories == run.experiment.preprocessor.class_names
    rows = run.experiment.splits["val"]
    _, sizes = columns.measured(
        predict_rows(run.experiment, run.params, rows.index[:]).outputs, rows
    )
    covered = columns.measured(
        predict_rows(run.experiment, run.params, rows.index[:]).outputs, rows
    )[0][:, 0]
    for k in range(2):  # of its own calibration rows, as many as the rank says
        own = covered[rows.labels == k]
        assert own.sum() == np.ceil((len(own) + 1) * 0.9)
    assert sizes.max() <= 2
    by_input = calibrated(run, 0.9, by="region")
    assert "within each category of `region`" in by_input.note
    assert isinstance(by_input.columns, SetsByCategory)


def test_the_spread_of_averaged_networks_scales_the_widths(tmp_path: Path) -> None:
    (run,) = trained_table(tmp_path, "training.restarts={count: 3, combine: mean}")
    found = coverage(run, "test", 0.9, "ensemble")
    assert found.sizes.std() > 0
    assert "widths by the spread of 3 networks" in found.calibrated.note
    half = np.sort(found.sizes[:, 0])
    assert half[0] > 0
    assert abs(found.covered.mean() - 0.9) < 0.12


@pytest.mark.parametrize("classes", [False, True])
def test_cross_intervals_are_those_of_all_folds(classes: bool, tmp_path: Path) -> None:
    """Against the definition, from the runs' own predictions."""
    folds = trained_table(tmp_path, "data.split={folds: 4, val: 0.2}", classes=classes)
    found = calibrated(folds[1], 0.8, "cross")
    assert (found.split, found.rows) == (None, 400)
    frame = table().drop(columns="y")[:50]
    models = [load_model(each.run) for each in folds]
    outputs = np.stack([model.predict(frame) for model in models], axis=1)
    inputs = found.columns.prepare(frame, np.empty((50, 0)))
    assert (inputs == outputs.reshape(50, -1)).all()
    arrays = found.columns.arrays(inputs, outputs[:, 1])
    if classes:
        assert arrays["class_sets"].shape == (50, 2)
    else:
        errors = [
            np.abs(
                each.experiment.splits["test"].values
                - predict_rows(
                    each.experiment, each.params, each.experiment.splits["test"].index[:]
                ).outputs
            )[:, 0]
            for each in folds
        ]
        ends = np.concatenate([outputs[:, k] + errors[k] for k in range(4)], axis=1)
        expected = np.sort(ends, axis=1)[:, int(np.ceil(0.8 * 401)) - 1]
        np.testing.assert_allclose(arrays["high"][:, 0], expected, rtol=1e-12)
    assert "about 0.8 (guaranteed: at least 0.585), for rows from the same source as the 400" in (
        found.note
    )
    with pytest.raises(RunError, match=r"All rows of the folds of .* with --data"):
        coverage(folds[1], "test", 0.8, "cross")
    shutil.rmtree(folds[2].run.folder)
    with pytest.raises(
        RunError, match=r"only 3 of its 4 folds are finished runs in .* without the rows of fold 3"
    ):
        calibrated(folds[1], 0.8, "cross")


@pytest.mark.parametrize(
    ("method", "by", "why"),
    [
        ("cross", None, "no intervals by cross-validation: it is not a fold: train with"),
        (
            "ensemble",
            None,
            "it is not an average of several networks: train with `training.restarts",
        ),
        ("conformal", "regio", "`regio` is not an input of the network; did you mean `region`"),
        ("conformal", "y", "`y` is not an input of the network"),
        (
            "normalized",
            "x",
            "a level of 0.9 needs 9 calibration rows in a category, and no category has",
        ),
    ],
)
def test_what_a_run_has_no_rows_or_networks_for_is_refused(
    method: Method, by: str | None, why: str, tmp_path: Path
) -> None:
    (run,) = trained_table(tmp_path)
    for found in (calibrated, partial(coverage, split="test")):
        with pytest.raises(RunError, match=why):
            found(run, level=0.9, method=method, by=by)


@pytest.mark.parametrize("method", ["normalized", "ensemble"])
def test_scales_are_for_values(method: Method) -> None:
    with pytest.raises(RunError, match="it is for values, and the targets are classes"):
        calibrated(run_of(built(THREE)), 0.9, method)


def test_a_scale_needs_errors_and_not_too_many_inputs() -> None:
    constant = run_of(built(VALUES))
    values = constant.experiment.table.targets
    said = predict_rows(constant.experiment, constant.params, np.arange(120)).outputs
    table = replace(constant.experiment.table, targets=replace(values, Y=said))
    splits = {
        name: replace(split, table=table) for name, split in constant.experiment.splits.items()
    }
    exact = replace(constant, experiment=replace(constant.experiment, table=table, splits=splits))
    with pytest.raises(RunError, match="the errors on the training rows are 0, so there is no sca"):
        calibrated(exact, 0.9, "normalized")
    assert calibrated(exact, 0.9).columns.method.half.max() < 1e-12
    with pytest.raises(DataError, match="800 inputs and 1 target are too many for a network"):
        _size(800, 1)
    assert _size(1, 1) == (4, 13)
    assert _size(200, 1) == (2, 405)


@pytest.mark.parametrize("method", ["cross", "delta", "posterior"])
def test_methods_without_categories_say_so(method: Method) -> None:
    with pytest.raises(
        ConfigError, match="cannot be calibrated by category: leave out `x`, or use --method con"
    ):
        calibrated(run_of(built(VALUES)), 0.9, method, by="x")
