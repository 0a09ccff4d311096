"""The folder of a sweep, and how it is found."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from small_configs import MOONS
from trainings import moons, result, trainings_of

from bpcli.config.load import Config, load_config
from bpcli.errors import BpnetError, NoSuchRun, RunError
from bpcli.experiment import build
from bpcli.runs import layout
from bpcli.runs.lock import LockHeld
from bpcli.sweeps import folder
from bpcli.sweeps.folder import (
    Kind,
    SweepFolder,
    find_sweep,
    list_sweeps,
    new_record,
    refuse_other_data,
    resumed_record,
)
from bpcli.workflows.folds import fold_configs


def a_sweep(runs_dir: Path, name: str = "t") -> SweepFolder:
    return new(runs_dir, moons(f"name={name}"))


def new(runs_dir: Path, config: Config, kind: Kind = "sweep") -> SweepFolder:
    record = new_record(kind, config, build(config), 7, "val.loss")
    return SweepFolder.new(runs_dir, config, record)


def test_a_new_folder_has_the_config_as_it_was_written_and_as_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"# a comment\n{MOONS}")
    config = load_config(path, ["training.epochs=7", "seed=5"])
    sweep = new(tmp_path / "runs", config, "restarts")
    assert sweep.sweep_id.rpartition("-")[0].endswith("-t")
    assert (sweep.folder / layout.CONFIG).read_text() == path.read_text()
    assert sweep.config().spec == config.spec
    assert sweep.config().overrides == ("training.epochs=7", "seed=5")
    record = sweep.record()
    assert (record.kind, record.name, record.group) == ("restarts", "t", None)
    assert (record.trainings, record.metric) == (7, "val.loss")
    assert record.overrides == ["training.epochs=7", "seed=5"]
    assert sweep.results() == []


def test_data_files_are_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("a,b\n1,2\n2,3\n3,5\n")
    Path("c.yaml").write_text(
        "data: {file: t.csv, targets: b}\nnetwork: {layers: [1, 2, 1], "
        "activations: [tanh, identity]}\nloss: mse\n"
    )
    config = load_config(Path("c.yaml"))
    sweep = new(Path("runs"), config)
    folder = sweep.folder.resolve()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert SweepFolder(folder).config().spec.data.files[0].resolve() == tmp_path / "t.csv"


def test_a_fold_is_that_fold_when_it_is_read_again(tmp_path: Path) -> None:
    second = [*fold_configs(moons("data.split={folds: 3}"))][1]
    sweep = new(tmp_path, second)
    assert sweep.config().spec == second.spec
    assert sweep.config().spec.data.split.fold == 2


def test_a_folder_that_cannot_be_written_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, document: object) -> None:
        raise RunError("The disk is full.")

    monkeypatch.setattr(folder, "write_sealed", fail)
    with pytest.raises(RunError, match=r"The disk is full\."):
        a_sweep(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    sweep = a_sweep(tmp_path)
    path = sweep.folder / "sweep.json"
    path.write_text(path.read_text().replace("t", "u", 3))
    with pytest.raises(BpnetError, match="does not match its `seal`"):
        sweep.config()


def test_the_config_is_in_the_record_and_its_file_is_for_people(tmp_path: Path) -> None:
    sweep = a_sweep(tmp_path)
    config = sweep.config()
    given = sweep.folder / "given.yaml"
    assert given.read_text("utf-8") == sweep.record().given
    given.write_text("x")
    assert sweep.config().spec == config.spec


def test_an_open_folder_is_locked_and_has_its_results(tmp_path: Path) -> None:
    sweep = a_sweep(tmp_path)
    (one,) = trainings_of([moons()])
    with sweep.open() as (before, journal):
        assert before == []
        journal.append(result(one, 0.5))
        with pytest.raises(LockHeld, match="is being trained by process"), sweep.open():
            pass
    with sweep.open() as (before, journal):
        assert before == [result(one, 0.5)] == sweep.results()


def test_sweeps_are_listed_newest_first_and_runs_are_not(tmp_path: Path) -> None:
    for stamp, name in (("20260101-101112", "a"), ("20260301-101112", "b")):
        a_sweep(tmp_path).folder.rename(tmp_path / f"{stamp}-{name}-ab12")
    (tmp_path / "20260201-101112-run-ab12").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "file").touch()
    assert [each.sweep_id[16:] for each in list_sweeps(tmp_path)] == ["b-ab12", "a-ab12"]
    assert list_sweeps(tmp_path / "nowhere") == []


def test_a_sweep_is_found_by_id_name_beginning_or_path(tmp_path: Path) -> None:
    first, second = a_sweep(tmp_path, "one"), a_sweep(tmp_path, "two")
    for reference in (
        first.sweep_id, "one", first.sweep_id[:-2], str(first.folder), f"{first.folder}{os.sep}",
    ):  # fmt: skip
        assert find_sweep(reference, tmp_path) == SweepFolder(first.folder.resolve())
    assert find_sweep("two", tmp_path) == second
    assert find_sweep("latest", tmp_path) in (first, second)  # of one second
    for reference in ("three", "", str(tmp_path), "../x", "x" * 5000, "/" + "x" * 5000):
        assert find_sweep(reference, tmp_path) is None


def test_several_sweeps_of_a_name_are_named(tmp_path: Path) -> None:
    both = [a_sweep(tmp_path, "one").sweep_id, a_sweep(tmp_path, "one").sweep_id]
    for reference in ("one", "20"):
        with pytest.raises(NoSuchRun, match=f"`{reference}` matches several sweeps") as caught:
            find_sweep(reference, tmp_path)
        assert all(each in str(caught.value) for each in both)


def test_by_id_neither_a_name_nor_latest_is_a_sweep(tmp_path: Path) -> None:
    """They may be those of runs."""
    sweep = a_sweep(tmp_path, "one")
    assert find_sweep(sweep.sweep_id, tmp_path, by_id=True) == sweep
    assert find_sweep(sweep.sweep_id[:-2], tmp_path, by_id=True) == sweep
    assert find_sweep("one", tmp_path, by_id=True) is None
    assert find_sweep("latest", tmp_path, by_id=True) is None


def test_names_and_latest_are_of_the_kinds_that_are_asked_for(tmp_path: Path) -> None:
    both = [new(tmp_path, moons("name=one"), kind) for kind in ("sweep", "size")]
    for kind, sweep in zip(("sweep", "size"), both, strict=True):
        for reference in ("one", "latest"):
            assert find_sweep(reference, tmp_path, [kind]) == sweep
    assert find_sweep("one", tmp_path, ["restarts"]) is None


def test_a_resumed_record_keeps_how_the_sweep_began(tmp_path: Path) -> None:
    sweep = new(tmp_path, moons("training.epochs=7"))
    later = replace(sweep.record(), started="later", argv=["other"], overrides=["x"], trainings=9)
    record = resumed_record(sweep, later)
    assert len(record.resumed) == 1
    assert replace(record, resumed=[], trainings=7) == sweep.record()
    assert record.trainings == 9


def test_other_data_are_refused(tmp_path: Path) -> None:
    sweep = a_sweep(tmp_path)
    refuse_other_data(sweep, build(moons("training.epochs=99")))
    with pytest.raises(RunError, match="cannot be resumed: its data have changed since it began"):
        refuse_other_data(sweep, build(moons("data.noise=0.3")))
