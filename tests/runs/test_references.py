from __future__ import annotations

import multiprocessing
import os
import random
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from tampered import a_record

from bpcli.errors import RunError
from bpcli.runs import store
from bpcli.runs.layout import CONFIG, METRICS
from bpcli.runs.metrics_log import LogLine, MetricsFile
from bpcli.runs.references import find_run, list_runs, reference_to
from bpcli.runs.store import Run


def make(folder: Path, run_id: str) -> Run:
    run = Run(folder / run_id)
    run.folder.mkdir(parents=True)
    run.write(CONFIG, "")
    run.write_record(a_record(run_id=run_id))
    return run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for run_id in (
        "20260101-120000-xor-aaaa",
        "20260102-120000-xor-bbbb",
        "20260103-120000-moons-cccc",
        "20260103-120000-moons-2-dddd",
    ):
        make(tmp_path, run_id)
    (tmp_path / "README.md").write_text("not a run")
    (tmp_path / "20260109-120000-half-eeee").mkdir()
    return tmp_path


def test_a_run_that_is_removed_while_runs_are_listed_is_no_run(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed = runs / "20260102-120000-xor-bbbb"
    is_file = Path.is_file

    def is_file_at_last(path: Path) -> bool:
        answer = is_file(path)
        if path == doomed / CONFIG:
            path.unlink()
        return answer

    monkeypatch.setattr(Path, "is_file", is_file_at_last)
    assert [run.run_id[:8] for run in list_runs(runs)] == ["20260103", "20260103", "20260101"]


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("20260101-120000-xor-aaaa", "20260101-120000-xor-aaaa"),
        ("20260101", "20260101-120000-xor-aaaa"),
        ("moons", "20260103-120000-moons-cccc"),
        ("moons-2", "20260103-120000-moons-2-dddd"),
        ("latest", "20260103-120000-moons-2-dddd"),
        ("latest~1", "20260103-120000-moons-cccc"),
        ("latest~3", "20260101-120000-xor-aaaa"),
    ],
)
def test_references(reference: str, found: str, runs: Path) -> None:
    assert find_run(reference, runs).run_id == found


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("xor", "(`latest` is the newest run of all):\n  20260102-120000-xor-bbbb\n  20260101"),
        ("2026010", "matches several runs"),
        ("latest~4", "There is no latest~4: "),
        ("nothing", "There is no run `nothing`"),
        ("a/xor.yml", "a/xor.yml is a config, not a run: `bpnet train a/xor.yml` creates one."),
        ("xor.yaml", "xor.yaml is a config, not a run: `bpnet train xor.yaml` creates one."),
        ("../x", "is not a run"),
        ("20260109-120000-half-eeee", "There is no run"),
    ],
)
def test_references_that_name_no_run_or_several(reference: str, message: str, runs: Path) -> None:
    with pytest.raises(RunError, match=re.escape(message)):
        find_run(reference, runs)


def test_a_path_names_a_run_anywhere(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = make(tmp_path_factory.mktemp("e"), "any-name")
    assert find_run(str(elsewhere.folder), runs).folder == elsewhere.folder


@pytest.mark.parametrize("folder", ["runs", "./runs", ".", "my runs", "-odd", "a/b", "$HOME"])
def test_what_a_shell_is_told_leads_back(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = make(Path(folder), "20260101-120000-xor-aaaa")
    (word,) = shlex.split(reference_to(run))
    assert not word.startswith("-")
    assert find_run(word, Path("runs")).folder.samefile(run.folder)
    assert find_run(reference_to(Run(run.folder.resolve())).strip("'"), Path("runs"))


def test_no_runs(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "none") == []
    with pytest.raises(RunError, match="There are no runs"):
        find_run("latest", tmp_path)


def test_claimed_folders_are_new_and_well_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffixes = iter(["aaaa", "aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr(store, "_suffix", lambda: next(suffixes))
    monkeypatch.setattr(store.time, "strftime", lambda _: "20260101-000000")
    first, second = Run.claim(tmp_path / "r", "n"), Run.claim(tmp_path / "r", "n")
    assert (first.run_id, second.run_id) == ("20260101-000000-n-aaaa", "20260101-000000-n-bbbb")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_a_thousand_starts_in_one_second_are_a_thousand_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.time, "strftime", lambda _: "20260101-120000")
    monkeypatch.setattr(store, "_suffix", lambda: f"a{random.randrange(1100):03x}")  # they collide
    with multiprocessing.get_context("fork").Pool(4) as pool:
        claimed = pool.starmap(_claimed, [(tmp_path, seed) for seed in range(4)])
    names = [name for each in claimed for name in each]
    assert len(names) == len({*names}) == len([*tmp_path.iterdir()]) == 1000


def _claimed(folder: Path, seed: int) -> list[str]:
    random.seed(seed // 2)  # two of them want the same names in the same order
    return [Run.claim(folder, "xor").run_id for _ in range(250)]


def test_suffixes_begin_with_a_letter() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9]{3}", store._suffix()) for _ in range(200))


def test_a_runs_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="Runs cannot be created"):
        Run.claim(tmp_path / "file", "n")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"a": 1}', b"\xff\xfe"])
def test_a_damaged_record_is_one_clear_error(content: bytes, tmp_path: Path) -> None:
    run = make(tmp_path, "20260101-120000-xor-aaaa")
    run.path("run.json").write_bytes(content)
    with pytest.raises(RunError, match=r"run\.json"):
        run.record()


def test_metrics_are_lines_that_can_be_read_while_the_file_grows(tmp_path: Path) -> None:
    run = make(tmp_path, "20260101-120000-xor-aaaa")
    log = MetricsFile(run.path(METRICS))
    line = LogLine(
        epoch=0, loss=None, grad_norm=1.0, grad_norms=[1.0], diagnostics={}, seconds=0.1, metrics={}
    )
    log.append(line)
    assert run.metrics() == [line]
    log.append(replace(line, epoch=1, loss=0.1))
    log.close()
    assert [line.epoch for line in run.metrics()] == [0, 1]
