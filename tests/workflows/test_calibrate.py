"""Calibrated runs: the trained network with another output layer, everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builds import MOONS, built
from conftest import Result
from plotted import heading_texts, laid_out
from scipy.special import expit, logit
from tampered import change_record

from bpcli import BPClassifier, load_run
from bpcli.diagnosis.diagnose import diagnose
from bpcli.errors import BpnetWarning, ConfigError, RunError
from bpcli.export.model import load_model
from bpcli.metrics.isotonic import fitted_curves
from bpcli.nn.propagation import predict
from bpcli.plots import reasons
from bpcli.report.report import report_of
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained, load_trained
from bpcli.terminal.progress import SilentView
from bpcli.workflows.calibrate import calibration_effect
from bpcli.workflows.prune import How, prune, with_overrides
from bpcli.workflows.pruned_run import save_kept
from bpcli.workflows.starting import overrides_for
from bpcli.workflows.subject import load_subject
from bpcli.workflows.train import train
from bpcli.workflows.verify import verify

SHORT = ("data.noise=0.4", "data.n_samples=120", "training.optimizer=rprop", "training.epochs=60")
ON = "training.calibration=temperature"
THREE = """\
name: t
data: {generator: blobs, n_samples: 90, split: {val: 0.3, test: 0.3}}
network: {layers: [2, 3, 3], activations: [tanh, softmax]}
loss: cross_entropy
training: {epochs: 20}
"""
LABELS = """\
name: t
data: {file: labels.csv, inputs: [x], targets: [a, b], split: {val: 0.4}}
network: {layers: [1, 2, 2], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {epochs: 20, calibration: temperature}
"""
APART = f"""\
name: t
data: {{inputs: {[[-1], [1]] * 10}, targets: {[[0], [1]] * 10}, split: {{val: 0.3}}}}
network: {{layers: [1, 1], activations: [sigmoid]}}
loss: binary_cross_entropy
training: {{epochs: 20}}
"""
VALUES = """\
name: t
data: {generator: sine, split: {val: 0.3}}
network: {layers: [1, 2, 1], activations: [tanh, identity]}
loss: mse
"""


def run_of(folder: Path, *overrides: str, text: str = MOONS) -> Run:
    outcome = train(built(text, *overrides), folder, SilentView())
    assert outcome.failure is None
    return outcome.run


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """The same training without and with calibration."""
    folder = tmp_path_factory.mktemp("pair")
    return run_of(folder, *SHORT), run_of(folder, *SHORT, ON)


def test_only_the_output_layer_differs_by_the_temperature(pair: tuple[Run, Run]) -> None:
    plain, calibrated = (run.record() for run in pair)
    assert plain.calibration is None
    found = calibrated.calibration
    assert found is not None
    assert found.rows == 30
    assert found.best is not None
    assert found.last is not None
    assert found.last > found.best > 1, "the last weights are the surer ones"
    for weights, T in (("best", found.best), ("last", found.last)):
        before, after = (load_trained(run, weights) for run in pair)  # type: ignore[arg-type]
        hidden, top = before.experiment.network.matrices(before.params)
        hidden_too, calibrated_top = after.experiment.network.matrices(after.params)
        np.testing.assert_array_equal(hidden_too, hidden)
        np.testing.assert_array_equal(calibrated_top, top / T)
    assert [line.loss for line in pair[0].metrics()] == [line.loss for line in pair[1].metrics()]


def val_log_loss(trained: Trained, T: float) -> float:
    """The log loss of the validation set with z / T, by its definition."""
    rows = trained.experiment.splits["val"]
    p = expit(trained.experiment.output_z("val", trained.params)[0] / T)
    assert rows.labels is not None
    return float(-np.log(np.where(rows.labels == 1, p, 1 - p)).mean())


def test_the_temperature_has_the_lowest_log_loss_of_the_validation_set(
    pair: tuple[Run, Run],
) -> None:
    trained, record = load_trained(pair[1]), pair[1].record()
    assert record.metrics["val.log_loss"] == pytest.approx(val_log_loss(trained, 1), rel=1e-12)
    for factor in (0.999, 1.001):
        assert val_log_loss(trained, factor) > val_log_loss(trained, 1)
    assert record.metrics["val.accuracy"] == pair[0].record().metrics["val.accuracy"]


def test_before_and_after_are_the_scores_of_the_test_set(pair: tuple[Run, Run]) -> None:
    plain, calibrated = (run.record() for run in pair)
    found = calibrated.calibration
    assert found is not None
    assert found.before["test.log_loss"] == pytest.approx(plain.metrics["test.log_loss"])
    assert found.after["test.log_loss"] == pytest.approx(calibrated.metrics["test.log_loss"])
    assert found.before["test.calibration_error"] != found.after["test.calibration_error"]
    trained = load_trained(pair[1])
    effect = calibration_effect(trained, "test")
    assert effect is not None
    assert effect["before"] == pytest.approx(found.before, rel=1e-12)
    assert effect["after"] == found.after
    on_val = calibration_effect(trained, "val")
    known = {"temperature": found.best, "units": None, "rows": 30}
    assert on_val == {"method": "temperature", **known}
    last = calibration_effect(load_trained(pair[1], "last"), "test")
    assert last is not None
    assert last["temperature"] == found.last
    assert calibration_effect(load_trained(pair[0]), "test") is None


def test_a_training_repeats_and_resumes_to_the_bit(pair: tuple[Run, Run], tmp_path: Path) -> None:
    assert verify(pair[1]).largest == 0
    short = run_of(tmp_path, *SHORT, ON, "training.epochs=25")
    resumed = load_run(short.folder).resume(60)
    assert resumed.record["calibration"] == pair[1].record().to_json()["calibration"]
    whole = load_trained(pair[1]).params
    np.testing.assert_array_equal(load_trained(short).params, whole)
    workers = run_of(tmp_path, *SHORT, ON, "training.workers=2")
    np.testing.assert_array_equal(load_trained(workers).params, whole)


def test_a_prediction_has_the_calibrated_probability_and_the_same_class(
    pair: tuple[Run, Run],
) -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    record = pair[1].record().calibration
    assert record is not None
    before, after = (load_model(run).outputs(X) for run in pair)
    np.testing.assert_allclose(logit(after), logit(before) / record.best, rtol=1e-9)
    np.testing.assert_array_equal(after >= 0.5, before >= 0.5)


def test_the_plot_shows_the_probabilities_before_too(pair: tuple[Run, Run]) -> None:
    plain, calibrated = (load_subject(run, "best", None) for run in pair)
    _, drawn = laid_out("calibration", plain), laid_out("calibration", calibrated)
    label = "before the calibration"
    lines = {line.get_label(): line.get_xydata() for line in drawn.axes[0].lines}
    own = {line.get_label(): line.get_xydata() for line in _.axes[0].lines}
    np.testing.assert_allclose(lines[label], own["test set"], rtol=1e-9)
    assert label not in own
    record = calibrated.record.calibration
    assert record is not None
    (axes,) = laid_out("loss", calibrated).axes
    labels = [str(line.get_label()) for line in axes.lines]
    assert {"best epoch, calibrated", "test, best weights, calibrated"} <= {*labels}
    error = record.before["test.calibration_error"]
    assert heading_texts(drawn)[1].endswith(f", {error:.3f} {label}")


@pytest.mark.parametrize("text", [THREE, LABELS], ids=["classes", "labels"])
def test_softmax_and_labels_are_calibrated(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    a, b = (rng.random((2, 80)) < expit([x, -2 * x])).astype(int)
    rows = "".join(f"{row[0]},{row[1]},{row[2]}\n" for row in zip(x, a, b, strict=True))
    Path("labels.csv").write_text(f"x,a,b\n{rows}")
    plain = run_of(tmp_path, "training.calibration=null", text=text).record()
    calibrated = run_of(tmp_path, ON, text=text).record()
    assert calibrated.calibration is not None
    assert calibrated.calibration.best is not None
    now, then = (record.metrics["val.log_loss"] for record in (calibrated, plain))
    assert now is not None
    assert then is not None
    assert now < then
    has_test = "test.log_loss" in calibrated.metrics
    assert bool(calibrated.calibration.before) == has_test == (text == THREE)


def test_rows_that_have_no_best_temperature_are_said(tmp_path: Path) -> None:
    run = run_of(tmp_path, ON, text=APART)
    record = run.record()
    assert record.calibration is not None
    assert record.calibration.best is None
    assert record.calibration.before == {}
    assert "the probabilities are not calibrated" in record.warnings[-1]
    plain = run_of(tmp_path, text=APART)
    np.testing.assert_array_equal(load_trained(run).params, load_trained(plain).params)


@pytest.mark.parametrize(
    ("text", "override", "complaint"),
    [
        (VALUES, "seed=0", "only probabilities of classes or labels are calibrated"),
        (MOONS, "data.split={test: 0.2}", "`calibration` needs a validation set"),
        (
            MOONS.replace("binary_cross_entropy", "mse"),
            "network.activations=[tanh, tanh]",
            "the outputs are not probabilities: use softmax",
        ),
        (MOONS, "training.restarts={count: 3, combine: mean}", "an average of networks is not"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_at_the_key(
    text: str, override: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=f"^--set.*{complaint}|calibration.*{complaint}"):
        built(text, ON, override)


def test_restarts_are_calibrated_one_by_one(bpnet: Callable[..., Result], tmp_path: Path) -> None:
    Path("c.yaml").write_text(MOONS)
    sets = [part for key in (*SHORT, ON, "training.restarts=2") for part in ("--set", key)]
    done = bpnet("train", "c.yaml", *sets)
    assert done.code == 0
    assert "calibrated on 30 validation rows: z is divided by the temperature " in done.out
    assert "before calibration" in done.out
    (folder,) = tmp_path.glob("runs/*")
    record = Run(folder).record()
    assert record.calibration is not None
    assert record.restarts is not None
    best = min(each.value or 0 for each in record.restarts.trainings)
    assert best == record.metrics["val.loss"]
    shown = bpnet("eval", "latest")
    assert "before calibration" in shown.out
    assert "before calibration" not in bpnet("eval", "latest", "--split", "val").out


@pytest.mark.parametrize("best", [0, -1.5, "2"])
def test_a_strangers_temperature_is_checked(pair: tuple[Run, Run], best: Any) -> None:
    record: RunRecord = pair[1].record()
    assert record.calibration is not None
    try:
        change_record(pair[1], {"calibration": record.calibration.to_json() | {"best": best}})
        with pytest.raises(RunError, match=r"see its `calibration\.best`"):
            pair[1].record()
    finally:
        pair[1].write_record(record)


CURVED = "training.calibration=isotonic"


@pytest.fixture(scope="module")
def curved(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The training of `pair`, with recorded parameters, calibrated by curves."""
    folder = tmp_path_factory.mktemp("curved")
    return run_of(folder, *SHORT, CURVED, "training.record_params=true")


def log_odds(trained: Trained, name: Any) -> Any:
    return trained.experiment.output_z(name, trained.params)[0]


def test_an_isotonic_run_is_the_trained_network_with_two_more_layers(
    pair: tuple[Run, Run], curved: Run
) -> None:
    """Its outputs are those of the curve fitted to the z of the validation rows."""
    record = curved.record().calibration
    assert record is not None
    assert (record.method, record.rows, record.best) == ("isotonic", 30, None)
    assert [each.activation["name"] for each in curved.record().layers] == ["tanh", "sigmoid"]
    for weights in ("best", "last"):
        before, after = (load_trained(run, weights) for run in (pair[0], curved))  # type: ignore[arg-type]
        assert after.experiment.network.summary == (
            f"2 - 3 tanh - 1 softsign - {record.units} relu - 1 sigmoid"
        )
        plain = after.uncalibrated
        np.testing.assert_array_equal(plain.params, before.params)
        assert plain.experiment.network == before.experiment.network
        Z, rows = before.experiment.output_z("val", before.params), before.experiment.splits["val"]
        curves = fitted_curves(before.experiment.network, Z, rows.Y.T)
        assert curves is not None
        z = log_odds(before, "test")
        expected = np.interp(z / (1 + np.abs(z)), *curves[0])
        np.testing.assert_allclose(log_odds(after, "test"), expected, atol=1e-11)


def test_an_isotonic_run_tells_its_effect_and_its_few_rows(
    pair: tuple[Run, Run], curved: Run
) -> None:
    plain, record = pair[0].record(), curved.record()
    found = record.calibration
    assert found is not None
    for score in ("log_loss", "accuracy"):
        path = f"test.{score}"
        assert found.before[path] == pytest.approx(plain.metrics[path], rel=1e-12)
        assert found.after[path] == pytest.approx(record.metrics[path], rel=1e-12)
    assert record.warnings[-1].startswith("isotonic calibration is fitted to 30 validation rows")
    effect = calibration_effect(load_trained(curved), "test")
    assert effect is not None
    assert (effect["before"], effect["after"]) == (found.before, found.after)
    assert effect["units"] == found.units


def test_an_isotonic_run_repeats_and_resumes_to_the_bit(curved: Run, tmp_path: Path) -> None:
    assert verify(curved).largest == 0
    short = run_of(tmp_path, *SHORT, CURVED, "training.epochs=25")
    with pytest.warns(BpnetWarning, match="30 validation rows and may overfit"):
        resumed = load_run(short.folder).resume(60)
    assert resumed.record["calibration"] == curved.record().to_json()["calibration"]
    np.testing.assert_array_equal(load_trained(short).params, load_trained(curved).params)


def test_models_and_estimators_of_an_isotonic_run_are_calibrated(curved: Run) -> None:
    trained, X = load_trained(curved), np.random.default_rng(0).normal(size=(40, 2))
    expected = load_model(curved).outputs(X)
    network, params = trained.experiment.network, trained.params
    inputs = trained.experiment.preprocessor.inputs.apply(X)
    np.testing.assert_array_equal(expected, predict(network, params, inputs))
    estimator = BPClassifier.from_run(load_run(curved.folder))
    np.testing.assert_allclose(estimator.predict_proba(X)[:, 1:], expected, rtol=1e-14)
    assert estimator.hidden_layer_sizes == (3,), "those that are trained when it is fitted again"


def test_a_training_starts_from_the_network_before_its_curves(
    pair: tuple[Run, Run], curved: Run, tmp_path: Path
) -> None:
    (setting,) = overrides_for(str(curved.folder), tmp_path, tmp_path)
    started = built(MOONS, *SHORT, "data.scale.inputs=none", setting)
    plain = load_trained(pair[0])
    np.testing.assert_allclose(started.initial_params, plain.params, rtol=1e-15)


def test_pictures_of_the_training_show_the_network_before_its_curves(
    pair: tuple[Run, Run], curved: Run
) -> None:
    subject = load_subject(curved, "best", None)
    assert subject.path is not None
    assert subject.path.shape[1] == subject.as_trained.network.n_params
    possible = [kind for kind, why in reasons(subject).items() if why is None]
    assert {"path", "network", "weights", "hidden_regions", "calibration"} <= {*possible}
    for kind in ("path", "network", "weights", "activations", "hidden_regions"):
        assert "before the calibration" in heading_texts(laid_out(kind, subject))[1]
    for kind in ("loss", "regions", "roc"):
        assert "before the calibration" not in heading_texts(laid_out(kind, subject))[1]
    assert load_subject(pair[0], "best", None).as_trained.params.size == 13
    page = report_of([subject], "en", has_lesson=True)
    assert "before its probabilities were calibrated on 30 validation rows (isotonic)" in page
    assert diagnose(subject).unchecked == diagnose(load_subject(pair[0], "best", None)).unchecked


@pytest.mark.parametrize("kind", ["temperature", "isotonic"])
def test_a_runs_own_rows_have_its_probabilities_and_a_trace_has_those_before(
    kind: str, pair: tuple[Run, Run], curved: Run, bpnet: Callable[..., Result]
) -> None:
    run = curved if kind == "isotonic" else pair[1]
    shown = bpnet("predict", run.folder, "--split", "test", "--json")
    rows = json.loads(shown.out)["rows"]
    X = np.array([[*row["inputs"].values()] for row in rows])
    found = np.array([[*row["outputs"].values()] for row in rows])
    np.testing.assert_allclose(found, load_model(run).outputs(X), rtol=1e-12)
    assert shown.err == ""
    note = "note: the network is the one before the calibration of its probabilities\n"
    first = str(rows[0]["row"])
    traced = bpnet("trace", run.folder, "--row", first, "--json")
    assert traced.err == note
    before = load_model(pair[0]).outputs(X[:1])
    assert json.loads(traced.out)["forward"][-1]["a"] == pytest.approx(before, rel=1e-12)
    assert bpnet("gradcheck", run.folder, "--rows", "4").err == note
    assert bpnet("trace", pair[0].folder, "--row", first).err == ""


def test_a_smaller_network_is_compared_without_the_curves(curved: Run, tmp_path: Path) -> None:
    how = How(only="units", patience=1, overrides=("training.epochs=5",))
    trained = with_overrides(load_trained(curved), how)
    assert trained.experiment.network.summary == "2 - 3 tanh - 1 sigmoid"
    path = prune(trained, how, lambda *_: None)
    kept = save_kept(path, tmp_path, SilentView())
    assert kept.outcome.failure is None
    assert kept.outcome.record.calibration is not None


@pytest.mark.parametrize("text", [THREE, LABELS], ids=["classes", "labels"])
def test_a_softmax_and_labels_have_a_curve_for_each_output(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = "".join(f"{x},{int(x > 0)},{int(x < 1)}\n" for x in rng.normal(size=80))
    Path("labels.csv").write_text(f"x,a,b\n{rows}")
    run = run_of(tmp_path, CURVED, text=text)
    trained = load_trained(run)
    plain = trained.uncalibrated
    Z, rows = plain.experiment.output_z("val", plain.params), plain.experiment.splits["val"]
    curves = fitted_curves(plain.experiment.network, Z, rows.Y.T)
    assert curves is not None
    outputs = load_model(run).outputs(np.array([[0.3] * (2 if text == THREE else 1)]))
    if text == THREE:
        assert outputs.sum() == pytest.approx(1, rel=1e-15)
    assert ((outputs > 0) & (outputs < 1)).all()
    assert verify(run).largest == 0


def test_a_class_without_validation_rows_has_the_same_probability_everywhere(
    tmp_path: Path,
) -> None:
    rows = "inputs: [[-1], [1], [0], [2], [-2], [3]], targets: [0, 1, 2, 1, 0, 1]"
    run = run_of(
        tmp_path,
        CURVED,
        f"data={{{rows}, split: {{val: 0.34}}}}",
        "network.layers=[1, 2, 3]",
        text=THREE,
    )
    assert "is the same for all rows: among the validation rows" in run.record().warnings[-1]


@pytest.mark.parametrize("units", [0, 7, 2**62, "3", 1.5])
def test_a_strangers_curves_are_checked(curved: Run, units: Any) -> None:
    record: RunRecord = curved.record()
    assert record.calibration is not None
    try:
        change_record(curved, {"calibration": record.calibration.to_json() | {"units": units}})
        with pytest.raises(RunError, match=r"`calibration\.units`|its layers are not those of the"):
            load_trained(curved)
    finally:
        curved.write_record(record)
