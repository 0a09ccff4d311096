"""Sweeps are what they are however many processes train them, and however often they are killed."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
from sweep_runs import (
    DIVERGES,
    SINE,
    Process,
    digests,
    document_of,
    ended_runs,
    journal,
    lasting,
)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="trainings are forked")

GRID = (
    "--grid", f"training.learning_rate=0.03,0.1,0.3,{DIVERGES}", "--grid", "hidden=1..4",
    "--seeds", "3",
)  # fmt: skip
SWEEP = ("sweep", "sine.yaml", *GRID)
HALVED = ("sweep", "sine.yaml", *GRID[:-2], "--halving", "--set", "training.epochs=54")
RESUME = ("sweep", "--resume", "latest")


def folder(path: Path) -> Path:
    path.mkdir()
    (path / "sine.yaml").write_text(SINE)
    return path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """48 trainings, of which 12 diverge, one after another."""
    where = folder(tmp_path_factory.mktemp("sweep") / "one")
    document = document_of(where, *SWEEP, "--processes", "1")
    assert document["counts"] == {
        "settings": 16, "trainings": 48, "finished": 36, "failed": 12, "stopped": 0, "missing": 0,
    }  # fmt: skip
    assert len(set(digests(document).values())) == 48
    return document


@pytest.fixture(scope="module")
def halved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """16 settings with halving at the epochs 2, 6, 18 and 54, one training after another."""
    where = folder(tmp_path_factory.mktemp("halving") / "one")
    document = document_of(where, *HALVED, "--processes", "1")
    assert {each["stopped"] for each in document["settings"]} >= {None, 2, 6}
    return document


@pytest.mark.parametrize("processes", ["2", "4"])
def test_the_number_of_processes_changes_no_result(
    processes: str, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    document = document_of(folder(tmp_path / "a"), *SWEEP, "--processes", processes)
    assert lasting(document) == lasting(undisturbed)
    assert digests(document) == digests(undisturbed)


def test_a_sweep_that_is_killed_twice_trains_nothing_twice(
    undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    rng, where, begun = random.Random(5), folder(tmp_path / "a"), {}
    for arguments, lines in ((SWEEP, rng.randint(2, 12)), (RESUME, rng.randint(14, 26))):
        process = Process(where, *arguments, "--processes", "2")
        process.at_line(lines, rng)
        assert process.kill()
        (sweep,) = where.glob("runs/*")
        assert begun.items() <= ended_runs(sweep).items()
        begun = ended_runs(sweep)
    document = document_of(where, *RESUME, "--processes", "2")
    check(document, undisturbed)
    names = [line["name"] for line in journal(sweep)]
    assert sorted(names) == sorted({path.name for path in sweep.glob("trainings/*")})
    assert len(names) == 48
    assert begun.items() <= ended_runs(sweep).items(), "what had ended was written again"


def check(document: dict[str, Any], undisturbed: dict[str, Any]) -> None:
    assert lasting(document) == lasting(undisturbed)
    assert digests(document) == digests(undisturbed)
    assert not document["interrupted"]


def test_ctrl_c_saves_and_says_how_to_resume(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    rng, where = random.Random(6), folder(tmp_path / "a")
    process = Process(where, *SWEEP, "--processes", "2")
    process.at_line(10, rng)
    process.interrupt()
    code, out, err = process.end()
    (sweep,) = where.glob("runs/*")
    ended = len(journal(sweep))
    assert code == 130
    assert f"Error: Interrupted: {ended} of 48 trainings were finished.\n" in err
    assert f"Train the rest with: bpnet sweep --resume {sweep.name}\n" in err
    assert f"{48 - ended} of 48 trainings are missing." in out
    begun = ended_runs(sweep)
    assert len(begun) == ended
    check(document_of(where, *RESUME, "--processes", "2"), undisturbed)
    assert begun.items() <= ended_runs(sweep).items()
    assert len(journal(sweep)) == 48


def test_halving_does_not_depend_on_the_number_of_processes(
    halved: dict[str, Any], tmp_path: Path
) -> None:
    document = document_of(folder(tmp_path / "a"), *HALVED, "--processes", "4")
    check(document, halved)


def test_halving_goes_on_after_a_kill(halved: dict[str, Any], tmp_path: Path) -> None:
    rng, where = random.Random(7), folder(tmp_path / "a")
    process = Process(where, *HALVED, "--processes", "2")
    process.at_line(9, rng)
    assert process.kill()
    check(document_of(where, *RESUME, "--processes", "2"), halved)
