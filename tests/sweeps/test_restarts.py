"""Restarts: the network that is kept, how it can be made again, and what a kill leaves."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Result
from models import as_columns, mean_of_outputs, run_python
from small_configs import MOONS, errors, load
from trainings import moons
from work import no_hang

from bpcli import system
from bpcli.config.load import Config, validate
from bpcli.errors import ConfigError, Diverged, Interrupted, RunError
from bpcli.experiment import build
from bpcli.export.model import load_model
from bpcli.export.onnx_file import onnx_bytes, onnx_outputs
from bpcli.export.python_file import python_text
from bpcli.nn.arrays import Array
from bpcli.runs.layout import RECORD, TENSORBOARD, WEIGHTS
from bpcli.runs.lock import LockHeld
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.runs.trained import load_trained
from bpcli.sweeps import places
from bpcli.sweeps.folder import list_sweeps
from bpcli.sweeps.restarts import resume_restarts, train_restarts
from bpcli.sweeps.training import Training, run_training
from bpcli.terminal.progress import SilentView
from bpcli.terminal.sweep import SilentProgress
from bpcli.workflows.interrupts import stop_requests
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.resume import resume, resumption
from bpcli.workflows.train import train
from bpcli.workflows.verify import verify

FULL = bool(os.environ.get("BPNET_FULL"))
MEAN = "training.restarts={count: 4, combine: mean, keep: 3}"
BAYES = ("training.optimizer=bayesian_regularization", "loss=mse", "network.layers=[2, 2, 1]")


@pytest.fixture(autouse=True)
def _never_for_ever() -> Iterator[None]:
    if FULL:
        yield
        return
    with no_hang():
        yield


def of_four(*overrides: str) -> Config:
    return moons("training.restarts=4", *overrides)


def done(config: Config, folder: Path, processes: int = 2) -> Outcome:
    return train_restarts(config, folder, SilentProgress(), processes=processes)


def alone(config: Config, number: int, folder: Path) -> Outcome:
    """A restart as somebody trains it who knows only its seed."""
    source = config.source.copy()
    source.tree["training"].pop("restarts")
    source.tree["seeds"] = {"init": config.spec.seed + 1000 * number}
    return train(build(validate(source)), folder / "alone", SilentView())


def digest(run: Run) -> str:
    return str(run.record().sha256[WEIGHTS])


def told(record: RunRecord) -> Any:
    assert record.restarts is not None
    return record.restarts


def test_each_restart_alone_gives_what_it_gave_among_the_others(tmp_path: Path) -> None:
    config = of_four("seed=5")
    outcome = done(config, tmp_path)
    assert outcome.failure is None
    record = told(outcome.record)
    assert [each.number for each in record.trainings] == [0, 1, 2, 3]
    assert [each.init_seed for each in record.trainings] == [5, 1005, 2005, 3005]
    single = [alone(config, number, tmp_path) for number in range(4)]
    for each, other in zip(record.trainings, single, strict=True):
        assert each.value == other.record.metrics["val.loss"]
        assert (each.epochs, each.stop_reason) == (other.record.epochs, other.record.stop_reason)
    (kept,) = record.kept
    assert digest(outcome.run) == single[kept].record.sha256[WEIGHTS]
    assert outcome.record.metrics == single[kept].record.metrics
    assert outcome.record.config["seeds.init"] == 5 + 1000 * kept
    assert outcome.record.config["training.restarts"] == 1


@pytest.mark.parametrize(
    ("overrides", "criterion", "best"),
    [
        ([], "val.loss", min),
        (["data.split={}"], "objective", min),
        ([*BAYES, "training.epochs=20"], "log_evidence", max),
    ],
)
def test_the_best_is_kept(
    overrides: list[str],
    criterion: str,
    best: Callable[[list[float]], float],
    tmp_path: Path,
) -> None:
    record = told(done(of_four(*overrides), tmp_path).record)
    values = [each.value for each in record.trainings]
    assert len({*values}) == 4
    assert (record.criterion, record.combine) == (criterion, "best")
    assert record.kept == [values.index(best(values))]


def test_the_folder_is_that_of_a_run(tmp_path: Path) -> None:
    config = of_four()
    run = done(config, tmp_path).run
    names = {path.name for path in run.folder.iterdir()}
    assert names == {path.name for path in alone(config, 1, tmp_path).run.folder.iterdir()}
    assert (run.folder / "config.yaml").read_bytes() == config.source.content
    assert json.loads(run.path(RECORD).read_text())["run_id"] == run.run_id
    assert list_sweeps(tmp_path) == []


def test_the_event_files_of_the_best_are_kept(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run = done(of_four("training.tensorboard=true"), tmp_path).run
    (file,) = run.path(TENSORBOARD).iterdir()
    assert file.stat().st_size > 1000
    resumed = ["training.epochs=500"]
    with resumption(run, resumed) as target:
        resume(target, SilentView())
    assert len([*run.path(TENSORBOARD).iterdir()]) == 2


def test_a_run_of_restarts_is_verified_to_the_bit(tmp_path: Path) -> None:
    verdict = verify(done(of_four(), tmp_path).run)
    assert verdict.is_identical, verdict.sentence


def test_a_run_of_restarts_is_resumed_with_more_epochs(tmp_path: Path) -> None:
    config = of_four()
    outcome = done(config, tmp_path)
    with resumption(outcome.run, ["training.epochs=24"]) as ready:
        resumed = resume(ready, SilentView())
    assert (resumed.record.status, resumed.record.epochs) == ("finished", 24)
    (kept,) = told(outcome.record).kept
    longer = alone(of_four("training.epochs=24"), kept, tmp_path)
    assert digest(outcome.run) == longer.record.sha256[WEIGHTS]
    assert told(resumed.record) == told(outcome.record)
    assert verify(outcome.run).is_identical


def test_the_result_depends_on_no_number_of_processes(tmp_path: Path) -> None:
    for config in (of_four(), moons(MEAN)):
        digests = {digest(done(config, tmp_path, processes).run) for processes in (1, 2, 4)}
        assert len(digests) == 1


def test_the_warnings_of_what_is_kept_are_told(tmp_path: Path) -> None:
    outcome = done(of_four("training.epochs=30", "network.layers=[2, 90, 1]"), tmp_path)
    assert any("fewer than the" in warning for warning in outcome.warnings)
    assert outcome.warnings == outcome.record.warnings


# What is refused before any training.


@pytest.mark.parametrize(
    "rule", ["constant", "{name: normal, std: 0}", "{name: uniform, low: 1, high: 1}"]
)
def test_equal_initial_parameters_are_refused(rule: str, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="every restart would begin with the same parameters"
    ) as caught:
        done(of_four(f"network.init={rule}"), tmp_path)
    assert "--set training.restarts=4: " in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_the_config_alone_shows_is_an_issue_with_its_place() -> None:
    params = "network.parameters=[{weights: [[1, 1]], bias: [0]}]"
    one = ("network.layers=[2, 1]", "network.activations=[sigmoid]", params)
    assert load(MOONS, *one, "training.restarts=1").spec.training.all_restarts.count == 1
    (found,) = errors(MOONS, *one, "training.restarts=2")
    assert found.startswith("--set training.restarts=2: every restart would begin with the same")
    text = f"{MOONS}training:\n  restarts: {{count: 4, %s}}\n"
    assert errors(text % "combine: mean, keep: 5") == [
        "c.yaml:8:45: found 5, expected at most the 4 trained"
    ]
    (found,) = errors(text % "keep: 2")
    assert found.startswith("c.yaml:8:24: `keep` is for `combine: mean`")
    for wrong in ("combine: median", "combine: mean, keep: 0", "more: 1"):
        assert len(errors(text % wrong)) == 1
    for wrong in ("0", "-1", "1.5", "many", "[2]"):
        assert len(errors(MOONS, f"training.restarts={wrong}")) == 1, wrong


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["network.activations=[tanh, tanh]", "loss=mse"], "layer 2, the output, is tanh: only"),
        (
            ["network.activations=[softmax, sigmoid]"],
            "layer 1 is softmax, which would mix the units",
        ),
    ],
)
def test_what_cannot_be_averaged_is_refused_with_its_place(
    overrides: list[str], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        done(moons(MEAN, *overrides), tmp_path)
    assert str(caught.value).startswith(f"--set {MEAN}: {reason}")
    assert "combine: mean" in str(caught.value)
    assert not list(tmp_path.iterdir())
    done(of_four(*overrides), tmp_path)


@pytest.mark.parametrize("overrides", [["training.restarts=4"], [MEAN]])
def test_where_all_diverge_the_first_is_the_run(overrides: list[str], tmp_path: Path) -> None:
    wild = ["network.activations=[identity, identity]", "loss=mse", "training.learning_rate=1e300"]
    outcome = done(moons(*overrides, *wild), tmp_path)
    assert isinstance(outcome.failure, Diverged)
    assert str(outcome.failure).startswith("All 4 restarts diverged. The first one: ")
    record = told(outcome.record)
    assert (outcome.record.status, record.combine, record.kept) == ("diverged", "best", [0])
    assert [each.status for each in record.trainings] == ["diverged"] * 4
    assert list(tmp_path.iterdir()) == [outcome.run.folder]


def test_a_restart_that_fails_is_told_and_another_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_or_die(training: Training, folder: Path) -> str:
        if training.setting == 1:
            assert multiprocessing.parent_process() is not None, "never the process of the tests"
            os.kill(os.getpid(), signal.SIGKILL)
        return run_training(training, folder)

    monkeypatch.setattr(places, "run_training", run_or_die)
    record = told(done(of_four(), tmp_path).record)
    assert [each.status for each in record.trainings] == [
        "finished", "failed", "finished", "finished",
    ]  # fmt: skip
    assert record.trainings[1].value is None
    assert record.kept != [1]


# Averages.

REGRESSION = """\
name: t
data: {generator: regression, n_samples: 60, n_features: 3, noise: 5, split: {val: 0.3}}
network: {layers: [auto, 3, 4, 1], activations: [tanh, relu, identity]}
loss: mse
training: {epochs: 12, optimizer: rprop}
"""
IRIS = """\
name: t
data: {generator: iris, split: {val: 0.3}}
network: {layers: [auto, 3, auto], activations: [tanh, softmax]}
loss: cross_entropy
training: {epochs: 12, optimizer: rprop}
"""


@pytest.mark.parametrize("text", [REGRESSION, IRIS])
def test_the_average_predicts_the_mean_of_what_its_members_predict(
    text: str, tmp_path: Path, bpnet: Callable[..., Result]
) -> None:
    """Of probabilities, the geometric mean; in `predict` and `eval`, and in exported files."""
    config = load(text, MEAN)
    outcome = done(config, tmp_path / "runs")
    record = told(outcome.record)
    assert (record.combine, len(record.kept)) == ("mean", 3)
    values = [each.value for each in record.trainings]
    assert record.kept == sorted(range(4), key=lambda number: values[number])[:3]
    members = [load_model(alone(config, number, tmp_path).run) for number in record.kept]
    trained = load_trained(outcome.run)
    X = trained.experiment.table.X
    expected = mean_of_outputs(members, X)
    shown = json.loads(bpnet("predict", outcome.run.folder, "--json").out)["rows"]
    found = {row["row"]: [*row["outputs"].values()] for row in shown}
    assert close(np.array([found[number + 1] for number in range(len(X))]), expected)
    model = load_model(outcome.run)
    assert close(model.outputs(X), expected)
    python = run_python(python_text(model))["predict"](as_columns(model, X))
    assert close(np.column_stack([python[name] for name in model.output_names]), expected)
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        assert close(onnx_outputs(onnx_bytes(model), X, np.dtype("float64"))[0], expected)
    rows = trained.experiment.splits["val"].index
    scores = json.loads(bpnet("eval", outcome.run.folder, "--split", "val", "--json").out)
    assert scores["metrics"]["val.loss"] == outcome.record.metrics["val.loss"]
    if model.class_names:
        labels = trained.experiment.table.labels
        assert labels is not None
        right = np.mean(expected[rows].argmax(axis=1) == labels[rows])
        assert scores["metrics"]["val.accuracy"] == pytest.approx(right, rel=1e-12)
    else:
        squares = np.square(expected[rows] - trained.experiment.table.Y[rows])
        assert scores["metrics"]["val.rmse"] == pytest.approx(np.sqrt(squares.mean()), rel=1e-12)


def close(found: Array, expected: Array) -> bool:
    return np.allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_an_average_of_one_is_that_network(tmp_path: Path) -> None:
    one = done(moons(MEAN.replace("3", "1")), tmp_path)
    best = done(of_four(), tmp_path)
    assert told(one.record).kept == told(best.record).kept
    np.testing.assert_array_equal(load_trained(one.run).params, load_trained(best.run).params)


def test_an_average_cannot_be_verified_or_resumed_and_says_so(tmp_path: Path) -> None:
    run = done(moons(MEAN), tmp_path).run
    with pytest.raises(RunError, match="its network is the average of several"):
        verify(run)
    with (
        pytest.raises(RunError, match="has finished, and has no checkpoint to resume from"),
        resumption(run, ["training.epochs=24"]),
    ):
        pass


def test_fewer_than_those_to_keep_may_have_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_or_fail(training: Training, folder: Path) -> str:
        return "no" if training.setting < 2 else run_training(training, folder)

    monkeypatch.setattr(places, "run_training", run_or_fail)
    outcome = done(moons(MEAN), tmp_path)
    assert sorted(told(outcome.record).kept) == [2, 3]
    assert outcome.record.config["network.layers"] == [2, 8, 1]


# Interruptions.


class _Asks(SilentProgress):
    """Asks this process to stop when so many trainings have ended."""

    def __init__(self, ended: int) -> None:
        self._ended = ended

    def on_start(self, document: Mapping[str, Any], processes: int) -> None:
        self._ask(document)

    def on_training_end(self, training: Mapping[str, Any], document: Mapping[str, Any]) -> None:
        self._ask(document)

    def _ask(self, document: Mapping[str, Any]) -> None:
        if document["counts"]["finished"] == self._ended:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("restarts", ["training.restarts=4", MEAN])
@pytest.mark.parametrize("ended", [0, 1, 3])
def test_after_a_signal_the_rest_is_done_later(restarts: str, ended: int, tmp_path: Path) -> None:
    config = moons(restarts)
    whole = done(config, tmp_path / "whole")
    with pytest.raises(Interrupted) as caught:
        train_restarts(config, tmp_path / "runs", _Asks(ended), processes=1)
    (sweep,) = list_sweeps(tmp_path / "runs")
    assert str(caught.value) == f"Interrupted: {ended} of 4 restarts were finished."
    assert caught.value.signal_number == signal.SIGINT
    assert f"Finish them with: bpnet train --resume {sweep.folder}" in caught.value.full_text
    outcome = resume_restarts(sweep, SilentProgress())
    assert digest(outcome.run) == digest(whole.run)
    assert [each.value for each in told(outcome.record).trainings] == [
        each.value for each in told(whole.record).trainings
    ]
    assert list_sweeps(tmp_path / "runs") == []


def test_a_signal_to_one_child_alone_does_not_leave_its_training_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best of those that are left would be a wrong result in silence."""
    signalled = tmp_path / "signalled"

    def stop_first(training: Training, folder: Path) -> str:
        with stop_requests():
            if training.setting == 1 and not signalled.exists():
                signalled.touch()
                os.kill(os.getpid(), signal.SIGTERM)
            return run_training(training, folder)

    whole = done(of_four(), tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(places, "run_training", stop_first)
        outcome = done(of_four(), tmp_path / "runs")
    assert signalled.exists()
    assert digest(outcome.run) == digest(whole.run)


class _Killed(BaseException):
    """Stands for the end of the process."""


def kill_at(number: int, patched: pytest.MonkeyPatch) -> None:
    """End this process, but not its children, at its n-th change of a file's name."""
    here, calls = os.getpid(), count(1)
    for name in ("replace", "unlink"):
        original = getattr(system, name)

        def act(*arguments: Any, original: Any = original) -> Any:
            if os.getpid() == here and next(calls) == number:
                raise _Killed
            return original(*arguments)

        patched.setattr(system, name, act)
    rmtree = shutil.rmtree

    def remove(path: Path, **options: Any) -> None:
        if os.getpid() == here and next(calls) >= number:
            return  # a process that has been killed removes nothing
        rmtree(path, **options)

    patched.setattr(shutil, "rmtree", remove)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("restarts", "first"),
    [("training.restarts=2", 1), ("training.restarts={count: 2, combine: mean}", 2)],
)
def test_wherever_it_is_killed_the_rest_is_done_later(
    restarts: str, first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = moons(restarts, "training.epochs=3")
    whole = done(config, tmp_path / "whole")
    resumed = 0
    for number in range(1, 100) if FULL else range(first, 100, 4):
        runs_dir = tmp_path / str(number)
        try:
            with monkeypatch.context() as patched:
                kill_at(number, patched)
                done(config, runs_dir)
        except _Killed:
            found = list_sweeps(runs_dir)
        else:
            break
        if found:
            assert digest(resume_restarts(found[0], SilentProgress()).run) == digest(whole.run)
            assert list_sweeps(runs_dir) == []
            resumed += 1
        (folder,) = runs_dir.iterdir()
        run = Run(folder)
        if run.path(RECORD).is_file():
            assert run.record().status == "finished"
            assert digest(run) == digest(whole.run)
            assert told(run.record()).kept == told(whole.record).kept
    assert (8 if FULL else 2) < resumed < number < 98


def test_a_training_that_was_removed_is_missed_before_anything_is_lost(tmp_path: Path) -> None:
    for restarts_of in ("training.restarts=4", MEAN):
        with pytest.raises(Interrupted):
            train_restarts(moons(restarts_of), tmp_path, _Asks(4), processes=1)
        (sweep,) = list_sweeps(tmp_path)
        results = sweep.results()
        best = min(results, key=lambda each: each.metrics["val.loss"] or 0)
        shutil.rmtree(sweep.trainings / best.name)
        with pytest.raises(RunError, match=r"is missing\.|is not a run: it has no run\.json\."):
            resume_restarts(sweep, SilentProgress())
        assert list_sweeps(tmp_path) == [sweep]
        assert sweep.results() == results
        assert len(list(sweep.trainings.iterdir())) == 3
        shutil.rmtree(sweep.folder)


def test_two_processes_do_not_save_at_once(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        train_restarts(of_four(), tmp_path, _Asks(4), processes=1)
    (sweep,) = list_sweeps(tmp_path)
    with closing(Run(sweep.folder).lock()), pytest.raises(LockHeld):
        resume_restarts(sweep, SilentProgress())
    resume_restarts(sweep, SilentProgress())


def test_other_data_are_refused_on_resume(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x,y\n" + "".join(f"{n},{n * n}\n" for n in range(12)))
    config = load(
        f"name: t\ndata: {{file: {table}, targets: y}}\nnetwork: {{layers: [1, 2, 1], "
        "activations: [tanh, identity]}\nloss: mse\n",
        "training.restarts=2", "training.epochs=3",
    )  # fmt: skip
    with pytest.raises(Interrupted):
        train_restarts(config, tmp_path, _Asks(1), processes=1)
    (sweep,) = list_sweeps(tmp_path)
    table.write_text(table.read_text().replace("144", "9").replace("4,16", "4,17"))
    with pytest.raises(RunError, match="its data have changed since it began"):
        resume_restarts(sweep, SilentProgress())


_KILLED = """
import os, signal, sys
from bpcli.cli.main import main
from bpcli.sweeps.journal import Journal

_, left, *arguments = sys.argv
results, append = iter(range(int(left))), Journal.append

def append_or_die(journal, result):
    if next(results, None) is None:
        os.killpg(0, signal.SIGKILL)
    append(journal, result)

Journal.append = append_or_die
main(arguments)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups to kill")
@pytest.mark.parametrize("lines", [0, 1, 3])
def test_killed_processes_are_resumed_to_the_same_weights(
    lines: int, tmp_path: Path, bpnet: Callable[..., Result]
) -> None:
    Path("c.yaml").write_text(MOONS)
    options = ["--restarts", "5", "--set", "training.epochs=300", "--set", "data.split={val: 0.3}"]
    whole = bpnet("train", "c.yaml", *options, "--runs-dir", "whole", "--json")
    command = [sys.executable, "-c", _KILLED, str(lines), "train", "c.yaml", *options]
    done = subprocess.run(command, check=False, start_new_session=True, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (sweep,) = list_sweeps(Path("runs"))
    assert len(sweep.results()) == lines
    resumed = bpnet("train", "--resume", sweep.sweep_id, "--json")
    assert resumed.code == 0, resumed.err
    record, expected = json.loads(resumed.out), json.loads(whole.out)
    assert record["sha256"][WEIGHTS] == expected["sha256"][WEIGHTS]
    assert record["restarts"]["kept"] == expected["restarts"]["kept"]


# What they are for.

XOR = """\
name: xor
data: {generator: xor}
network: {layers: [2, 2, 1], activations: [sigmoid, sigmoid]}
loss: mse
training: {optimizer: rprop, epochs: 300, restarts: 20, stop: {goal: 0.005}}
"""
STUCK = 0.1
"""A loss of 1/8 has two of the four rows right, and the other two at 1/2."""


@pytest.mark.slow
def test_restarts_solve_xor_where_half_of_the_trainings_get_stuck(tmp_path: Path) -> None:
    """All 20 would get stuck in one of 400,000 cases: 0.525 ** 20. No two share initial values."""
    seeds = range(0, 2000 if FULL else 60, 20)
    losses: list[float] = []
    for seed in seeds:
        outcome = done(load(XOR, f"seed={seed}"), tmp_path)
        assert outcome.record.metrics["train.accuracy"] == 1
        assert (outcome.record.metrics["train.loss"] or 0) < 0.01
        losses += [each.value for each in told(outcome.record).trainings]
        shutil.rmtree(outcome.run.folder)
    stuck = sum(loss > STUCK for loss in losses) / len(losses)
    assert abs(stuck - 0.5) < (0.1 if FULL else 0.2), stuck  # three standard deviations, or more
