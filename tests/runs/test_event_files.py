"""What tensorboard's own reader finds in the event files of a run."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from systems import CONFIGS

from bpcli.config.load import load_config
from bpcli.errors import RunError
from bpcli.experiment import build
from bpcli.runs.event_files import EventFile
from bpcli.runs.files import GrowingFile
from bpcli.runs.layout import METRICS, TENSORBOARD
from bpcli.runs.metrics_log import LogLine
from bpcli.runs.store import Run
from bpcli.terminal.progress import SilentView
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.resume import resume, resumption
from bpcli.workflows.train import train

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
from tensorboard.util import tensor_util  # noqa: E402

MOONS = (
    "training.tensorboard=true", "training.epochs=60", "training.log_every=7", "training.stop={}",
)  # fmt: skip


def trained(folder: Path, *overrides: str, config: str = "moons") -> Outcome:
    return train(build(load_config(CONFIGS / f"{config}.yaml", overrides)), folder, SilentView())


def resumed(run: Run, *overrides: str) -> None:
    with resumption(run, overrides) as target:
        resume(target, SilentView())


def read(run: Run) -> Any:
    """All of a run's events: without a size, tensorboard keeps a sample."""
    events = accumulator.EventAccumulator(str(run.path(TENSORBOARD)), {"scalars": 0, "tensors": 0})
    return events.Reload()


def scalars(run: Run) -> dict[str, dict[int, float]]:
    """The numbers by tag and epoch; no epoch comes twice."""
    events, found = read(run), {}
    for tag in events.Tags()["scalars"]:
        points = events.Scalars(tag)
        found[tag] = {each.step: each.value for each in points}
        assert len(found[tag]) == len(points), tag
    return found


def logged(run: Run) -> dict[str, dict[int, float]]:
    """The same from the lines of metrics.jsonl, rounded to 32 bits."""
    found: dict[str, dict[int, float]] = {}
    for text in run.path(METRICS).read_text().splitlines():
        line = json.loads(text)
        for key, value in line.items():
            for tag, number in named(key, value):
                if number is not None:
                    found.setdefault(tag, {})[line["epoch"]] = float(np.float32(number))
    del found["epoch"]
    return found


def named(key: str, value: Any) -> list[tuple[str, float | None]]:
    if key in ("grad_norms", "dead_units", "saturated_units"):
        name = key.replace("norms", "norm")
        return [(f"{name}/layer_{number}", each) for number, each in enumerate(value, start=1)]
    tags = {
        "loss": "loss/minimised", "grad_norm": "grad_norm/network", "seconds": "time/seconds",
        "learning_rate": "optimizer/learning_rate", "train.loss": "loss/train",
        "val.loss": "loss/val", "train.accuracy": "accuracy/train", "val.accuracy": "accuracy/val",
        "train.log_loss": "log_loss/train", "val.log_loss": "log_loss/val",
    }  # fmt: skip
    return [(tags.get(key, key), value)]


def test_every_number_of_the_log_is_there_rounded_to_32_bits(tmp_path: Path) -> None:
    run = trained(tmp_path, *MOONS).run
    assert scalars(run) == logged(run)
    assert set(scalars(run)["loss/val"]) == {*range(0, 60, 7), 60}


def test_a_number_that_is_not_finite_is_left_out(tmp_path: Path) -> None:
    run = Run(tmp_path)
    events = EventFile(run, 0)
    line = LogLine(
        epoch=0, loss=float("inf"), grad_norm=1e300, grad_norms=[1.5, float("nan")],
        diagnostics={}, seconds=0.0, metrics={"val.r2": None},
    )  # fmt: skip
    events.add(line)
    events.add_histograms(0, [("W1", np.array([[1.0, np.inf]])), ("b1", np.ones(3))])
    events.close()
    assert scalars(run) == {"grad_norm/layer_1": {0: 1.5}, "time/seconds": {0: 0.0}}
    assert list(read(run).PluginTagToContent("histograms")) == ["parameters/b1"]


@pytest.mark.parametrize("last", ["25", "28"], ids=["off the grid", "on the grid"])
def test_a_resumed_run_has_no_epoch_twice_and_none_that_its_log_lacks(
    tmp_path: Path, last: str
) -> None:
    run = trained(tmp_path, *MOONS, f"training.epochs={last}").run
    resumed(run, "training.epochs=60")
    assert [path.name for path in sorted(run.path(TENSORBOARD).iterdir())] == [
        "events.out.tfevents.0001", "events.out.tfevents.0002",
    ]  # fmt: skip
    assert scalars(run) == logged(run)


def test_a_run_may_be_resumed_with_event_files_that_it_had_none_before(tmp_path: Path) -> None:
    run = trained(tmp_path, *MOONS, "training.epochs=28", "training.tensorboard=false").run
    assert not run.path(TENSORBOARD).exists()
    resumed(run, "training.epochs=60", "training.tensorboard=true")
    assert set(scalars(run)["loss/val"]) == {28, 35, 42, 49, 56, 60}


def test_parameters_have_histograms_at_a_few_epochs(tmp_path: Path) -> None:
    run = trained(tmp_path, *MOONS, "training.log_every=1").run
    events = read(run)
    tags = events.PluginTagToContent("histograms")
    assert sorted(tags) == sorted(f"parameters/{kind}{n}" for kind in "Wb" for n in (1, 2, 3))
    assert [each.step for each in events.Tensors("parameters/W2")] == [
        0, 1, 2, 3, 5, 8, 12, 18, 27, 41, 60,
    ]  # fmt: skip
    buckets = tensor_util.make_ndarray(events.Tensors("parameters/W2")[-1].tensor_proto)
    assert buckets[:, 2].sum() == 16 * 8


def test_the_config_is_there_as_text_and_as_hyperparameters(tmp_path: Path) -> None:
    run = trained(tmp_path, *MOONS).run
    events = read(run)
    (text,) = tensor_util.make_ndarray(events.Tensors("config")[0].tensor_proto).reshape(-1)
    assert "log_every: 7" in text.decode()
    plugin_data_pb2 = pytest.importorskip("tensorboard.plugins.hparams.plugin_data_pb2")
    content = events.PluginTagToContent("hparams")["_hparams_/session_start_info"]
    values = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert values["training.learning_rate"].number_value == 0.5
    assert values["training.optimizer.name"].string_value == "gradient_descent"
    assert values["network.layers"].string_value == "[2, 16, 8, 1]"
    assert not [key for key in values if "every" in key or "workers" in key]


def test_event_files_change_no_other_file(tmp_path: Path) -> None:
    weights = [
        trained(tmp_path, *MOONS, f"training.tensorboard={each}").record.sha256
        for each in ("true", "false")
    ]
    assert weights[0]["weights.safetensors"] == weights[1]["weights.safetensors"]
    assert weights[0].keys() == weights[1].keys(), "event files have no digest"


def test_without_the_package_one_sentence_names_the_extra_and_no_run_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(RunError, match=r'pip install "bpcli\[tensorboard\]"'):
        trained(tmp_path, *MOONS)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    outside, run = tmp_path / "outside", Run(tmp_path / "run")
    outside.mkdir()
    run.folder.mkdir()
    run.path(TENSORBOARD).symlink_to(outside)
    with pytest.raises(RunError, match="it is a link"):
        EventFile(run, 0)
    run.path(TENSORBOARD).unlink()
    run.path(TENSORBOARD).write_text("")
    with pytest.raises(RunError, match="tensorboard could not be saved"):
        EventFile(run, 0)
    assert not list(outside.iterdir())


def test_a_full_disk_is_one_sentence_and_the_run_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow = GrowingFile.grow

    def full(self: GrowingFile, content: bytes | memoryview) -> None:
        if "tfevents" in self._path.name and self.size > 20_000:
            raise self._failure(OSError(28, "No space left on device"))
        grow(self, content)

    monkeypatch.setattr(GrowingFile, "grow", full)
    outcome = trained(tmp_path, *MOONS, "training.checkpoint_every=7")
    message = r"tensorboard/events.out.tfevents.0001 could not be written: No space left on device"
    assert re.search(message, str(outcome.failure))
    assert outcome.record.status == "failed"
    assert outcome.record.epochs > 7
    monkeypatch.undo()
    resumed(outcome.run, "training.epochs=60")
    assert scalars(outcome.run) == logged(outcome.run)
