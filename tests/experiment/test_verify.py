"""A run trained again is the same to the bit, and where it is not that is found and named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from experiment.test_resume import SMALL, STOPS, resumed, trained
from systems import CONFIGS
from tampered import change_record, save_arrays, vouch

from bpcli.build import build
from bpcli.errors import RunError
from bpcli.experiment.train import train
from bpcli.experiment.verify import verify
from bpcli.runs.files import load_arrays
from bpcli.runs.store import METRICS, WEIGHTS, Run
from bpcli.spec.load import load_config
from bpcli.views.progress import SilentView


def write_weights(run: Run, name: str) -> None:
    """Change the last bit of the first entry of a tensor, and the digest with it."""
    arrays, meta = load_arrays(run.path(WEIGHTS))
    changed = arrays[name].copy()
    changed.flat[0] = np.nextafter(changed.flat[0], 2)
    save_arrays(run.path(WEIGHTS), arrays | {name: changed}, meta)
    vouch(run)


@pytest.mark.parametrize(
    "overrides",
    [
        ["training.optimizer=levenberg_marquardt"],  # ends where no step is found
        ["training.batch_size=7", "training.sampling=random", *STOPS],
        ["training.log_every=7"],
        ["data.split={folds: 3, fold: 2}"],
    ],
)
def test_a_run_trained_again_is_identical(overrides: list[str], tmp_path: Path) -> None:
    run = trained(tmp_path, [*SMALL, *overrides]).run
    verdict = verify(run)
    assert verdict.is_identical, verdict.sentence
    assert verdict.losses == len(run.metrics())
    assert verdict.epochs == run.record()["epochs"]
    assert verdict.then == verdict.now
    assert len(list(tmp_path.iterdir())) == 1


def test_a_run_that_was_stopped_resumed_and_lengthened_is_identical(tmp_path: Path) -> None:
    run = trained(tmp_path, [*SMALL, "training.optimizer=adam"], stops=[8]).run
    assert verify(run).is_identical  # as far as it came
    resumed(run)
    resumed(run, "training.epochs=2500")  # from here on, other epochs have lines
    verdict = verify(run)
    assert verdict.is_identical, verdict.sentence
    assert verdict.epochs == 2500
    assert verdict.losses == len(run.metrics()) > 800


def test_the_first_epoch_and_tensor_that_differ_are_named(tmp_path: Path) -> None:
    run = trained(tmp_path, SMALL).run
    lines = run.metrics()
    for number in (31, 17):
        lines[number]["loss"] = float(np.nextafter(lines[number]["loss"], 2))
    run.path(METRICS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    for checkpoint in run.folder.glob("checkpoint-*"):  # which do not fit such a log
        checkpoint.unlink()
    write_weights(run, "last.W2")
    verdict = verify(run)
    assert verdict.epoch is not None
    assert verdict.tensor is not None
    assert verdict.epoch.what == "the loss of epoch 17"
    assert verdict.epoch.then == lines[17]["loss"] != verdict.epoch.again
    assert verdict.tensor.what == "last.W2[0, 0]"
    assert verdict.sentence.startswith("not identical, of 51 losses and 1")


def test_the_command_exits_with_4_where_anything_differs(bpnet, tmp_path: Path) -> None:
    short = ("--set", "training.epochs=20", "--quiet")
    assert bpnet("train", CONFIGS / "xor.yaml", *short).code == 0
    same = bpnet("verify", "latest")
    assert same.code == 0
    assert "is bit-identical: 21 losses and 1" in same.out
    assert "numpy" in same.out
    (folder,) = (tmp_path / "runs").iterdir()
    write_weights(Run(folder), "best.b1")
    other = bpnet("verify", "latest", "--json")
    assert other.code == 4
    document = json.loads(other.out)
    assert (document["identical"], document["first_epoch"]) == (False, None)
    assert document["first_tensor"]["what"] == "best.b1[0]"
    assert {"versions", "cpu", "blas"} <= document["then"].keys() & document["now"].keys()


OF_DEFAULTS = ["data.n_samples=60", "data.split={}", "loss=mse", "training={epochs: 20}"]


def test_what_cannot_be_trained_again_is_refused(tmp_path: Path) -> None:
    rate = load_config(CONFIGS / "moons.yaml").spec.training.learning_rate
    for way in ("training.learning_rate=0.2", "training={epochs: 20, learning_rate: 0.2}"):
        run = trained(tmp_path, [*OF_DEFAULTS, f"training.learning_rate={rate}"], stops=[5]).run
        resumed(run, f"training.learning_rate={rate}", stops=[8])
        assert verify(run).is_identical
        resumed(run, way)
        with pytest.raises(RunError, match=r"another learning rate from epoch 8 on"):
            verify(run)
    other = train(build(load_config(CONFIGS / "moons.yaml", SMALL)), tmp_path, SilentView()).run
    change_record(other, {"data_sha256": "0" * 64})
    with pytest.raises(RunError, match="its data have changed"):
        verify(other)
