"""Trainings whose rows stay in their file."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.runs.metrics_log import MetricsFile
from bpcli.runs.store import Run
from bpcli.runs.trained import read_config
from bpcli.system.reading import OpenFile
from bpcli.workflows.scores import all_scores

N = 30_000
CONFIG = """\
data: {file: a.npy, split: {val: 0.2, test: 0.1}, scale: {inputs: standard, targets: minmax}}
network: {layers: [auto, 6, 1], activations: [tanh, identity]}
loss: mse
training: {optimizer: rprop, epochs: 6, workers: 1}
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).standard_normal((N, 5)).astype(np.float32)
    X[:, 4] = np.tanh(X[:, 0] * X[:, 1]) + X[:, 2]
    np.save("a.npy", X)
    Path("c.yaml").write_text(CONFIG)


def trained(bpnet, *overrides: str) -> dict[str, Any]:
    options = [word for assignment in overrides for word in ("--set", assignment)]
    result = bpnet("train", "c.yaml", "--json", *options)
    assert result.code == 0, result.err
    record: dict[str, Any] = json.loads(result.out)
    return record


@pytest.mark.parametrize("order", ["random", "time"])
@pytest.mark.parametrize("optimizer", ["rprop", "lbfgs", "levenberg_marquardt"])
def test_streamed_rows_give_the_weights_of_rows_in_memory(
    bpnet, order: str, optimizer: str
) -> None:
    asked = (f"data.split.order={order}", f"training.optimizer={optimizer}")
    in_memory = trained(bpnet, *asked, "training.engine=memory")
    for workers in (1, 2):
        streamed = trained(bpnet, *asked, "training.engine=stream", f"training.workers={workers}")
        for file in ("weights.safetensors", "split.npz"):
            assert streamed["sha256"][file] == in_memory["sha256"][file]
        assert streamed["data_sha256"] == in_memory["data_sha256"]
        assert streamed["metrics"] == in_memory["metrics"]


def test_a_run_that_used_both_engines_is_verified(bpnet) -> None:
    begun = trained(bpnet, "training.engine=memory", "training.epochs=3")
    options = ("--set", "training.epochs=6", "--set", "training.engine=stream")
    assert bpnet("train", "--resume", begun["run_id"], *options).code == 0
    result = bpnet("verify", begun["run_id"])
    assert result.code == 0, result.err


def test_mini_batches_are_read_at_their_rows(bpnet) -> None:
    asked = ("training.batch_size=500", "training.optimizer=adam", "training.epochs=2")
    streamed = trained(bpnet, *asked, "training.engine=stream")
    in_memory = trained(bpnet, *asked, "training.engine=memory")
    files = (each["sha256"]["weights.safetensors"] for each in (streamed, in_memory))
    assert len({*files}) == 1


def test_a_training_may_be_resumed_with_another_engine(bpnet) -> None:
    whole = trained(bpnet, "training.engine=memory")
    begun = trained(bpnet, "training.engine=stream", "training.epochs=3")
    resumed = bpnet(
        "train", "--resume", begun["run_id"], "--json",
        "--set", "training.epochs=6", "--set", "training.engine=memory",
    )  # fmt: skip
    assert resumed.code == 0, resumed.err
    again = json.loads(resumed.out)["sha256"]["weights.safetensors"]
    assert again == whole["sha256"]["weights.safetensors"]


def test_a_streamed_training_is_verified_and_evaluated(bpnet) -> None:
    record = trained(bpnet, "training.engine=stream")
    assert bpnet("verify", record["run_id"]).code == 0
    evaluated = bpnet("eval", record["run_id"], "--json")
    assert evaluated.code == 0, evaluated.err
    metrics = json.loads(evaluated.out)["metrics"]
    assert metrics["test.loss"] == record["metrics"]["test.loss"]


def test_a_split_that_does_not_fit_is_evaluated_without_intervals(
    bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = trained(bpnet, "training.engine=stream")
    fits = json.loads(bpnet("eval", record["run_id"], "--json", "--no-intervals").out)
    monkeypatch.setattr("bpcli.experiment.experiment.available_memory", lambda: 1e5)
    streamed = json.loads(bpnet("eval", record["run_id"], "--json", "--no-intervals").out)
    assert streamed["metrics"] == fits["metrics"]
    result = bpnet("eval", record["run_id"], "--intervals")
    assert result.code == 2
    assert "Intervals need the outputs of all 3,000 rows of the test split" in result.err


def test_classes_that_do_not_fit_have_a_confusion_matrix_but_no_roc_curve(
    bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = np.load("a.npy")
    X[:, 4] = np.digitize(X[:, 4], [-0.5, 0.5])
    np.save("a.npy", X)
    asked = [
        "data.task=classification",
        "data.scale.targets=none",
        "network.layers=[auto, 6, auto]",
    ]
    asked += ["network.activations=[tanh, softmax]", "loss=cross_entropy"]
    record = trained(bpnet, "training.engine=stream", *asked)
    fits = json.loads(bpnet("eval", record["run_id"], "--json", "--no-intervals").out)
    monkeypatch.setattr("bpcli.experiment.experiment.available_memory", lambda: 1e5)
    result = bpnet("eval", record["run_id"], "--json", "--no-intervals")
    streamed = json.loads(result.out)
    for key in ("classes", "confusion"):
        assert streamed[key] == fits[key]
    assert fits["metrics"].pop("test.roc_auc") > 0.5
    assert streamed["metrics"].pop("test.roc_auc") is None
    assert streamed["metrics"] == fits["metrics"]
    table = bpnet("eval", record["run_id"], "--no-intervals")
    assert "the area under the ROC curve is not computed" in table.err


def test_plots_show_some_of_the_rows(bpnet, monkeypatch: pytest.MonkeyPatch) -> None:
    record = trained(bpnet, "training.engine=stream")
    monkeypatch.setattr("bpcli.workflows.subject.MOST_STREAMED_ROWS", 500)
    result = bpnet("plot", record["run_id"], "--json")
    assert result.code == 0, result.err
    assert {"loss", "predicted", "residuals"} <= {*json.loads(result.out)["drawn"]}
    assert "drawn from at most 500 evenly spaced rows of each split" in result.err


def assert_failed_and_resumed(bpnet, result, run: Run) -> None:
    """The training has ended with one sentence, and can be resumed to the same weights."""
    assert result.code == 2
    assert "a.npy has changed while it was being read\n" in result.err
    record = run.record()
    assert (record.status, record.stop_reason, record.metrics) == ("failed", "failed", {})
    _, _, command = result.err.partition(
        "Once the file has the same rows again, resume with: bpnet "
    )
    resumed = bpnet(*command.split(), "--json")
    assert resumed.code == 0, resumed.err
    uninterrupted = trained(bpnet, "training.engine=stream")
    weights = json.loads(resumed.out)["sha256"]["weights.safetensors"]
    assert weights == uninterrupted["sha256"]["weights.safetensors"]


def test_a_file_that_changes_before_training_is_refused_without_a_run(
    bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = itertools.count()
    monkeypatch.setattr(OpenFile, "_now", lambda _: next(stamps))
    result = bpnet("train", "c.yaml", "--set", "training.engine=stream")
    assert result.code == 2
    assert "a.npy has changed while it was being read" in result.err
    assert not Path("runs").exists()


def test_a_file_that_changes_during_training_is_a_failure_that_can_be_resumed(
    bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, lines, now = MetricsFile.append, itertools.count(1), OpenFile._now
    with monkeypatch.context() as patched:

        def appended(file: MetricsFile, line: Any) -> None:
            append(file, line)
            if next(lines) == 3:
                patched.setattr(OpenFile, "_now", lambda file: (*now(file), "changed"))

        patched.setattr(MetricsFile, "append", appended)
        result = bpnet("train", "c.yaml", "--set", "training.engine=stream")
    (run,) = Path("runs").iterdir()
    assert_failed_and_resumed(bpnet, result, Run(run))


def test_a_file_that_changes_when_the_training_is_over_is_a_failure_too(
    bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = OpenFile._now
    with monkeypatch.context() as patched:

        def scores(experiment: Any, params: Any) -> Any:
            patched.setattr(OpenFile, "_now", lambda file: (*now(file), "changed"))
            return all_scores(experiment, params)

        patched.setattr("bpcli.workflows.outcome.all_scores", scores)
        result = bpnet("train", "c.yaml", "--set", "training.engine=stream")
    (run,) = Path("runs").iterdir()
    assert Run(run).record().epochs == 6
    assert_failed_and_resumed(bpnet, result, Run(run))


def test_a_run_on_a_large_table_with_other_splits_is_refused(
    bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one of an earlier version, which drew them from all rows together."""
    record = trained(bpnet, "training.epochs=2")
    monkeypatch.setattr("bpcli.experiment.splits.ROWS_AT_ONCE", 2**12)
    monkeypatch.setattr("bpcli.runs.trained.ROWS_AT_ONCE", 2**12)
    monkeypatch.setattr("bpcli.runs.record.ROWS_AT_ONCE", 2**12)
    for command in (["eval"], ["train", "--set", "training.epochs=4", "--resume"]):
        result = bpnet(*command, record["run_id"])
        assert result.code == 2
        assert "were drawn by another version of bpnet" in result.err


def test_a_run_names_no_scheduler(bpnet) -> None:
    """It may be a stranger's, and a scheduler can run programs in this process."""
    record = trained(bpnet, "training.engine=stream", "training.epochs=2")
    resolved = Path("runs", record["run_id"], "resolved.yaml")
    text = resolved.read_text().replace("engine: stream", "engine: dask")
    content = text.replace("scheduler: null", "scheduler: tcp://127.0.0.1:9")
    resolved.write_text(content)
    run = Run(resolved.parent)
    changed = run.record()
    changed.sha256["resolved.yaml"] = hashlib.sha256(content.encode()).hexdigest()
    run.write_record(changed)
    config = read_config(run)
    assert config.get(("training", "engine")) == "dask"
    assert config.get(("training", "scheduler")) is None
