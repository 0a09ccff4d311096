"""The files of a run that come from a worker: all of them are put in its place, or none."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from bpcli.errors import RunError
from bpcli.runs.lock import LockHeld
from bpcli.runs.store import Run
from bpcli.sweeps import parcels
from bpcli.sweeps.parcels import files_of, write_folder


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    files = {"run.json": b"{}", "weights.safetensors": bytes(range(256)), "empty": b""}
    write_folder(files, tmp_path / "trainings" / "0001-0")
    assert files_of(tmp_path / "trainings" / "0001-0") == files
    assert [path.name for path in (tmp_path / "trainings").iterdir()] == ["0001-0"]


def test_event_files_go_along_but_those_of_a_linked_folder_do_not(tmp_path: Path) -> None:
    files = {"run.json": b"{}", "tensorboard/events.out.tfevents.0001": b"1"}
    write_folder(files, tmp_path / "a")
    assert files_of(tmp_path / "a") == files
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "tensorboard").symlink_to(tmp_path / "a" / "tensorboard")
    assert files_of(tmp_path / "b") == {}
    for name in ("tensorboard/a/b", "tensorboard/../a", "other/a", "tensorboard/.a"):
        with pytest.raises(RunError, match="sent a file with the name"):
            write_folder({name: b""}, tmp_path / "c")


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert files_of(tmp_path / "none") == {}


def test_unfinished_files_are_not_sent(tmp_path: Path) -> None:
    (tmp_path / ".run.json.7.tmp").write_bytes(b"{")
    (tmp_path / "run.json").write_bytes(b"{}")
    (tmp_path / "folder").mkdir()
    assert files_of(tmp_path) == {"run.json": b"{}"}


def test_a_file_of_the_earlier_state_does_not_stay(tmp_path: Path) -> None:
    write_folder({"run.json": b"1", "checkpoint-5.safetensors": b"5"}, tmp_path / "a")
    write_folder({"run.json": b"2", "checkpoint-9.safetensors": b"9"}, tmp_path / "a")
    assert files_of(tmp_path / "a") == {"run.json": b"2", "checkpoint-9.safetensors": b"9"}


def test_if_a_file_cannot_be_written_everything_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder({"run.json": b"1"}, tmp_path / "a")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parcels, "write_atomically", full)
    with pytest.raises(RunError, match=r"a could not be saved: No space left on device\.$"):
        write_folder({"run.json": b"2"}, tmp_path / "a")
    assert files_of(tmp_path / "a") == {"run.json": b"1"}
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    for end in ("fresh", "old"):
        (tmp_path / f".a.{end}").mkdir()
        (tmp_path / f".a.{end}" / "run.json").write_bytes(b"half")
    write_folder({"weights": b"1"}, tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert files_of(tmp_path / "a") == {"weights": b"1"}


@pytest.mark.parametrize("name", ["../run.json", "a/b", "/etc/x", ".hidden", "..", "", "a\\b"])
def test_a_file_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^A worker of the cluster sent a file with the name"):
        write_folder({"run.json": b"", name: b""}, tmp_path / "a")
    assert [*tmp_path.iterdir()] == []


def test_a_run_that_is_trained_here_is_not_replaced(tmp_path: Path) -> None:
    write_folder({"run.json": b"1"}, tmp_path / "a")
    with closing(Run(tmp_path / "a").lock()), pytest.raises(LockHeld):
        write_folder({"run.json": b"2"}, tmp_path / "a")
    assert files_of(tmp_path / "a")["run.json"] == b"1"
