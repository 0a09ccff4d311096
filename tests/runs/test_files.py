from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from bpcli import system
from bpcli.errors import RunError
from bpcli.runs.files import GrowingFile, array_bytes, load_arrays, write_atomically

ARRAYS = {"best.W1": np.arange(6.0).reshape(2, 3).T, "a.b": np.zeros(0), "s": np.float32([1, 2])}
META = {"b": [1, 2], "a": None, "text": "é"}


def test_arrays_and_meta_come_back(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(array_bytes(ARRAYS, META))
    arrays, meta = load_arrays(path)
    assert meta == META
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_equal_arrays_make_equal_bytes(tmp_path: Path) -> None:
    for name, arrays in (("a", ARRAYS), ("b", dict(reversed(ARRAYS.items())))):
        (tmp_path / name).write_bytes(
            array_bytes(arrays, dict(reversed(META.items())) if name == "b" else META)
        )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("damage", [b"", b"abc", b"\xff" * 100, None])
def test_a_damaged_array_file_is_one_clear_error(damage: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(array_bytes(ARRAYS, META))
    path.write_bytes(path.read_bytes()[:-3] if damage is None else damage)
    with pytest.raises(RunError, match="damaged"):
        load_arrays(path)
    with pytest.raises(RunError, match="missing"):
        load_arrays(tmp_path / "none")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_no_other(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    write_atomically(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os if call == "fsync" else Path, call, fail)
    with pytest.raises(RunError, match="could not be saved: No space left on device"):
        write_atomically(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]
    assert path.read_bytes() == b"old"


def test_a_write_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for content in (b"long content", b"s"):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
def test_many_that_write_one_file_at_once_leave_what_one_of_them_wrote(tmp_path: Path) -> None:
    path, contents = tmp_path / "f", [bytes([number]) * 50_000 for number in range(6)]
    children = []
    for content in contents:
        children.append(os.fork())
        if children[-1] == 0:
            status = 1
            try:
                for _ in range(20):
                    write_atomically(path, content)
                    assert path.read_bytes() in contents
                status = 0
            finally:
                os._exit(status)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(contents)
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a name that is no file")
def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RunError, match="there is a device or a pipe of that name"):
        write_atomically(tmp_path / "pipe", b"new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_write_is_synced_then_renamed_then_its_folder_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[object] = []
    fsync, rename = os.fsync, Path.replace

    def watched_fsync(handle: int) -> None:
        found = os.fstat(handle)
        events.append("folder" if stat.S_ISDIR(found.st_mode) else found.st_size)
        fsync(handle)

    def watched_rename(source: Path, target: Path) -> Path:
        events.append("rename")
        return rename(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_rename)
    write_atomically(tmp_path / "f", b"12345")
    assert events == [5, "rename", "folder"]


def test_what_has_grown_is_synced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(system, "sync_file", synced.append)
    file = GrowingFile(tmp_path / "log")
    file.sync()
    assert not synced
    file.grow(b"line\n")
    file.sync()
    file.sync()
    file.close()
    assert len(synced) == 1
