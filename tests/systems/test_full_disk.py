"""Where there is no room for a file, what was there stays whole, and the run goes on later."""

from __future__ import annotations

import resource
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from systems import CONFIGS

from bpcli.errors import RunError
from bpcli.optimizers.base import Point
from bpcli.runs.checkpoint import NOTHING, Checkpoint, Checkpoints
from bpcli.runs.layout import PATH, RECORD, WEIGHTS
from bpcli.runs.store import Run
from bpcli.training.state import TrainState

OVERRIDES = [
    "data.n_samples=60", "training.stop={}", "training.epochs=400", "training.optimizer=adam",
    "training.record_params=true", "training.checkpoint_every=25", "training.log_every=5",
]  # fmt: skip
TRAIN = ["train", CONFIGS / "moons.yaml", *(part for o in OVERRIDES for part in ("--set", o))]


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_checkpoint_that_is_too_large_leaves_the_one_before(tmp_path: Path) -> None:
    def checkpoint(number: int) -> Checkpoint:
        params = np.full(5000, float(number))
        random_state = np.random.default_rng(0).bit_generator.state
        state = TrainState(number, Point(params), {}, random_state)
        return Checkpoint(state, {}, {}, 0.0, None, NOTHING, NOTHING)

    checkpoints = Checkpoints(Run(tmp_path), "me")
    checkpoints.save(checkpoint(1))
    for size in (0, 1, 4096, 30_000, 40_000):
        with no_file_larger_than(size), pytest.raises(RunError, match="File too large"):
            checkpoints.save(checkpoint(2))
        assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1.safetensors"]
        newest = Checkpoints(Run(tmp_path), "me").newest()
        assert newest is not None
        assert (newest.state.params == 1).all()


@pytest.mark.parametrize("size", [6_500, 20_000])
def test_what_could_not_be_saved_is_said_with_a_command_that_goes_on(
    size: int, bpnet, tmp_path: Path
) -> None:
    with no_file_larger_than(size):
        sizes = ["--set", "training.epochs=200", "--set", "network.layers=[2, 24, 12, 1]"]
        full = bpnet(*TRAIN, *sizes, "--runs-dir", tmp_path / "my runs")
    assert full.code == 2
    assert "File too large" in full.err
    program, *command = shlex.split(full.err.partition("resume with: ")[2])
    assert program == "bpnet"
    (folder,) = (tmp_path / "my runs").iterdir()
    has_end = Run(folder).record().has_ended
    assert has_end == (size == 20_000)
    read = {name: bpnet(name, folder) for name in ("eval", "predict", "verify")}
    if has_end:
        assert (read["eval"].code, read["predict"].code) == (0, 0)
        assert "the size of params_path.npy" in read["verify"].out  # its last row had no room
    else:
        assert all("its status is `failed`" in each.err for each in read.values())
        assert {each.code for each in read.values()} == {2}
    assert bpnet(*command, "--quiet").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("size", ["72k", "160k", "300k"])
def test_a_training_on_a_full_disk_goes_on_when_there_is_room(
    size: str, bpnet, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    _mount(disk, size)
    try:
        full = bpnet(*TRAIN, "--runs-dir", disk)
        assert full.code == 2
        assert "No space left on device" in full.err
        (folder,) = disk.iterdir()
        assert not list(folder.glob(".*"))
        assert Run(folder).record().status in ("failed", "interrupted, resumable")
        _mount(disk, "20m", "remount,")
        resumed = bpnet("train", "--resume", folder, "--quiet")
        assert resumed.code == 0, resumed.err
        assert bpnet(*TRAIN, "--runs-dir", tmp_path / "whole", "--quiet").code == 0
        (whole,) = (tmp_path / "whole").iterdir()
        for file in (WEIGHTS, PATH):
            assert (folder / file).read_bytes() == (whole / file).read_bytes()
        assert (folder / RECORD).is_file()
    finally:
        subprocess.run(["umount", disk], check=False)


def _mount(folder: Path, size: str, option: str = "") -> None:
    asked = ["mount", "-t", "tmpfs", "-o", f"{option}size={size}", "tmpfs", folder]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
