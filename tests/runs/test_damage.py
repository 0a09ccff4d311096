"""Damaged copies of every file of a run: each is noticed or does no harm, and none is laundered."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Result
from systems import CONFIGS
from workflows.test_resume import SMALL

from bpcli.config.load import load_config
from bpcli.errors import RunError
from bpcli.experiment import build
from bpcli.runs.integrity import check_files
from bpcli.runs.layout import CONFIG, LOCK, METRICS, PATH, RESOLVED, SPLIT, WEIGHTS
from bpcli.runs.store import Run
from bpcli.runs.tags import TAGS, add_tag
from bpcli.terminal.progress import SilentView
from bpcli.training.epoch import Epoch
from bpcli.workflows.train import train

Bpnet = Callable[..., Result]
COPIES = 16 if os.environ.get("BPNET_FULL") else 3
OVERRIDES = [*SMALL, "training.epochs=20", "training.checkpoint_every=4", "training.optimizer=adam"]
READERS = (
    ("runs", "list", "--json"),
    ("runs", "show", "latest"),
    ("runs", "diff", "latest", "latest"),
    ("runs", "tag", "latest", "better"),
    ("eval", "latest", "--json"),
    ("predict", "latest", "--json"),
    ("export", "latest", "--to", "json", "-o", "model.json", "--force"),
    ("trace", "latest"),
    ("plot", "latest", "--list"),
    ("verify", "latest"),
)
RESUME = ("train", "--resume", "latest", "--set", "training.epochs=24", "--quiet")


class Copies(SilentView):
    """Copies the run's folder in the midst of training, as a kill would leave it."""

    def __init__(self, to: Path) -> None:
        self._to = to

    def on_start(self, record: Any, stopping: Any) -> None:
        self._run_id = record.run_id

    def next_due(self, number: int) -> int:
        return number + 1

    def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
        if epoch.number == 14:
            shutil.copytree(Path("whole", self._run_id), self._to / self._run_id)


@pytest.fixture
def runs(bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The folders of the runs of a finished training and of one that was killed."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    experiment = build(load_config(CONFIGS / "moons.yaml", OVERRIDES))
    run = train(experiment, Path("whole"), Copies(Path("killed"))).run
    add_tag(run, "good", [run])
    return {"finished": Path("whole"), "killed": Path("killed")}


def damaged(content: bytes, rng: random.Random) -> bytes:
    """A byte flipped, the end cut off, zeros in the midst, or something more at the end."""
    place, kind = rng.randrange(len(content)), rng.randrange(6)
    if kind < 3:
        flipped = content[place] ^ (1 << rng.randrange(8))
        return content[:place] + bytes([flipped]) + content[place + 1 :]
    if kind == 3:
        return content[: max(0, place - 1)]  # without a last line end, JSON is the same
    if kind == 4:
        zeros = bytes(min(64, len(content) - place))
        return content[:place] + zeros + content[place + len(zeros) :]
    return content + rng.choice([b"\0", b"more", content[:10]])


def copies(of: Path, seed: int) -> Iterator[tuple[str, Run]]:
    """Copies of the runs' folder, in each of which one file of the run is damaged."""
    rng = random.Random(seed)
    (folder,) = of.iterdir()
    for file in sorted(path.name for path in folder.iterdir() if path.name != LOCK):
        for _ in range(COPIES):
            run = Run(Path("runs", folder.name))
            shutil.rmtree("runs", ignore_errors=True)
            shutil.copytree(of, "runs")
            content = damaged((folder / file).read_bytes(), rng)
            if content != (folder / file).read_bytes():
                run.path(file).write_bytes(content)
                yield file, run


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["finished", "killed"])
def test_damage_is_noticed_or_does_no_harm(kind: str, runs: dict[str, Path], bpnet: Bpnet) -> None:
    shutil.copytree(runs[kind], "runs")
    results = {arguments: bpnet(*arguments) for arguments in READERS}
    wanted = {arguments: (result.code, result.out) for arguments, result in results.items()}
    files: set[str] = set()
    for file, run in copies(runs[kind], seed=1):
        files.add(file)
        for arguments in READERS:
            result = bpnet(*arguments)
            is_noticed = result.code in (2, 4) or "is damaged" in result.out + result.err
            is_same = (result.code, result.out) == wanted[arguments]
            assert is_noticed or is_same, (file, arguments, result)
            assert "Traceback" not in result.err
        if kind == "finished":
            with pytest.raises(RunError, match=file.replace(".", r"\.")):
                check_files(run, run.record())
    assert files >= {CONFIG, RESOLVED, SPLIT, METRICS, "run.json"}
    assert ({TAGS, WEIGHTS, PATH} <= files) == (kind == "finished")
    assert any(file.startswith("checkpoint-") for file in files)


def test_a_log_that_was_changed_after_a_kill_is_not_shown(
    runs: dict[str, Path], bpnet: Bpnet
) -> None:
    shutil.copytree(runs["killed"], "runs")
    (folder,) = Path("runs").iterdir()
    log = folder / METRICS
    log.write_text(log.read_text().replace('"loss": 0.', '"loss": 777.', 1))
    for command in (("runs", "diff", "latest", "latest"), ("plot", "latest", "loss")):
        refused = bpnet(*command)
        assert (refused.code, "metrics.jsonl is damaged" in refused.err) == (2, True), command


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["finished", "killed"])
def test_a_run_that_is_resumed_launders_no_damage(
    kind: str, runs: dict[str, Path], bpnet: Bpnet
) -> None:
    shutil.copytree(runs[kind], "runs")
    assert bpnet(*RESUME).code == 0
    (folder,) = Path("runs").iterdir()
    wanted = _results(Run(folder))
    resumed = 0
    for file, run in copies(runs[kind], seed=2):
        result = bpnet(*RESUME)
        if result.code == 0:
            resumed += 1
            assert _results(run) == wanted, file
            is_kept = file in (CONFIG, SPLIT, TAGS)
            if is_kept:  # what training neither reads nor writes is as damaged as before
                with pytest.raises(RunError, match=file.replace(".", r"\.")):
                    check_files(run, run.record())
            else:
                check_files(run, run.record())
        else:
            names = ("damaged", "none of its checkpoints can be used", file)
            assert result.code == 2, file
            assert any(name in result.err for name in names), (file, result)
    assert resumed > 3


def _results(run: Run) -> tuple[list[bytes], list[tuple[int, float]]]:
    lines = [(line.epoch, line.loss) for line in run.metrics()]
    return [run.path(file).read_bytes() for file in (WEIGHTS, PATH)], lines
