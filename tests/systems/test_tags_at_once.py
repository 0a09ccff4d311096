"""Tags that many processes give and take at once: none is lost, and none belongs to two runs."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from at_once import all_at_once
from conftest import ROOT, Result

from bpcli.runs import tags
from bpcli.runs.lock import Lock
from bpcli.runs.references import list_runs
from bpcli.runs.store import Run
from bpcli.runs.tags import TAGS_LOCK, changing_tags, tags_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")

Bpnet = Callable[..., Result]
MANY = 24 if os.environ.get("BPNET_FULL") else 8
RUNS = 6


@pytest.fixture
def runs(bpnet: Bpnet) -> list[Run]:
    """Runs in `runs`, copies of one."""
    plane = ROOT / "configs" / "plane.yaml"
    first = bpnet("train", plane, "--quiet", "--set", "training.epochs=2").out.strip()
    for letter in "abcdefghij"[: RUNS - 1]:
        shutil.copytree(f"runs/{first}", f"runs/20260101-000000-copy-{letter}aaa")
    return list_runs(Path("runs"))


def owners(runs: list[Run], tag: str) -> list[str]:
    return [run.run_id for run in runs if run.folder.exists() and tag in tags_of(run)]


def tag(run: Run, name: str, *options: str) -> list[str]:
    return ["runs", "tag", run.run_id, name, *options]


@pytest.mark.parametrize("_", range(2))
def test_none_is_lost(_: int, runs: list[Run]) -> None:
    names = [f"t{number}" for number in range(MANY)]
    results = all_at_once([tag(runs[0], name) for name in names])
    assert [result.code for result in results] == [0] * MANY, results
    assert tags_of(runs[0]) == sorted(names)


@pytest.mark.parametrize("_", range(2))
def test_one_belongs_to_one_run_whoever_was_first(_: int, runs: list[Run]) -> None:
    results = all_at_once([tag(run, "one") for run in runs])
    assert sorted(result.code for result in results) == [0, *[2] * (RUNS - 1)]
    assert len(owners(runs, "one")) == 1
    first = runs[[result.code for result in results].index(0)].run_id
    for result in results:
        if result.code:
            assert result.err == f"Error: `one` is a tag of {first}; --force moves it.\n"


@pytest.mark.parametrize("_", range(2))
def test_one_that_is_moved_belongs_to_one_run(_: int, runs: list[Run]) -> None:
    results = all_at_once([tag(run, "one", "--force") for run in runs])
    assert [result.code for result in results] == [0] * RUNS, results
    assert len(owners(runs, "one")) == 1


@pytest.mark.parametrize("seed", range(2))
def test_runs_are_deleted_while_they_get_tags(seed: int, runs: list[Run]) -> None:
    rng = random.Random(seed)
    doomed, kept = runs[: RUNS // 2], runs[RUNS // 2 :]
    commands = [
        *(tag(rng.choice(doomed), "moved", "--force") for _ in range(MANY // 2)),
        *(tag(rng.choice(kept), f"k{number}") for number in range(MANY // 2)),
        *(["runs", "rm", run.run_id, "--yes"] for run in doomed),
    ]
    rng.shuffle(commands)
    results = all_at_once(commands)
    for command, result in zip(commands, results, strict=True):
        is_of_doomed = "moved" in command
        assert result.code == 0 or (is_of_doomed and "There is no run" in result.err), result
    assert {run.run_id for run in list_runs(Path("runs"))} == {run.run_id for run in kept}
    assert sum(len(tags_of(run)) for run in kept) == MANY // 2
    assert {path.name for path in Path("runs").iterdir()} == {run.run_id for run in kept} | {
        TAGS_LOCK
    }


def test_a_lock_that_is_held_is_waited_for(
    bpnet: Bpnet, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, waits = Lock(Path("runs", TAGS_LOCK), ""), []
    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", lambda seconds: (waits.append(seconds), held.close()))
        assert bpnet(*tag(runs[0], "late")).code == 0
    assert len(waits) == 1
    monkeypatch.setattr(tags, "_PATIENCE_SECONDS", 0.1)
    with closing(Lock(Path("runs", TAGS_LOCK), "")):
        for refused in (bpnet(*tag(runs[0], "no")), bpnet("runs", "rm", "latest", "--yes")):
            assert refused.code == 2
            assert refused.err.endswith(
                f"Error: The tags in runs are being changed by process {os.getpid()}: wait until "
                "that has ended, or end it.\n"
            )
    assert tags_of(runs[0]) == ["late"]


def test_reading_tags_needs_no_lock(bpnet: Bpnet, runs: list[Run]) -> None:
    assert bpnet(*tag(runs[0], "known")).code == 0
    with changing_tags(Path("runs")):
        assert "known" in bpnet("runs", "list").out
        assert bpnet("eval", "known").code == 0
    Path("runs", TAGS_LOCK).unlink()
    Path("runs", TAGS_LOCK).mkdir()  # nobody, not even root, can lock it
    assert "known" in bpnet("runs", "list").out
    refused = bpnet(*tag(runs[0], "no"))
    assert (refused.code, refused.err) == (
        2, f"Error: runs/{TAGS_LOCK} could not be written: Is a directory.\n",
    )  # fmt: skip


def test_the_lock_is_no_run_and_no_link_is_followed(bpnet: Bpnet, runs: list[Run]) -> None:
    Path("precious").write_text("kept")
    Path("runs", TAGS_LOCK).symlink_to(Path("precious").absolute())
    assert bpnet(*tag(runs[0], "no")).code == 2
    assert Path("precious").read_text() == "kept"
    Path("runs", TAGS_LOCK).unlink()
    assert bpnet(*tag(runs[0], "yes")).code == 0
    assert len(list_runs(Path("runs"))) == RUNS


def test_a_run_elsewhere_is_tagged_among_its_own(bpnet: Bpnet, runs: list[Run]) -> None:
    shutil.copytree("runs", "others")
    run_id = runs[0].run_id
    assert bpnet("runs", "tag", f"others/{run_id}", "there").code == 0
    assert bpnet("runs", "tag", f"others/{runs[1].run_id}", "there").code == 2
    assert bpnet(*tag(runs[1], "there")).code == 0
    assert Path("others", TAGS_LOCK).is_file()
