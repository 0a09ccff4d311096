"""What stands in for the calls on files that a system lacks."""

from __future__ import annotations

import errno
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from programs import output_of

from bpcli import system
from bpcli.system import files

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such calls")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("lacks", [(), ("O_NOFOLLOW", "O_NONBLOCK")])
def test_neither_a_link_nor_a_pipe_is_opened(
    lacks: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in lacks:
        monkeypatch.delattr(os, name)
    (tmp_path / "file").write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError, match=r".") as caught:
            system.open_file(tmp_path / name, os.O_WRONLY | os.O_CREAT)
        assert caught.value.errno in (errno.ELOOP, errno.ENXIO, errno.EINVAL)
    handle = system.open_file(tmp_path / "new", os.O_WRONLY | os.O_CREAT)
    os.write(handle, b"1\n")
    os.close(handle)
    assert (tmp_path / "new").read_bytes() == b"1\n"


@pytest.mark.parametrize("act", [system.replace, system.rename])
def test_windows_waits_for_who_reads_a_file_and_others_do_not(
    act: Callable[[Path, Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, calls = tmp_path / "a", []
    name = act.__name__
    real = getattr(Path, name)

    def busy(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) < 3:
            raise PermissionError(errno.EACCES, "it is in use")
        return real(path, target)

    source.write_bytes(b"content")
    monkeypatch.setattr(Path, name, busy)
    monkeypatch.setattr(files, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(PermissionError):
        act(source, tmp_path / "b")
    assert len(calls) == 1
    monkeypatch.setattr(sys, "platform", "win32")
    act(source, tmp_path / "b")
    assert len(calls) == 3
    assert (tmp_path / "b").read_bytes() == b"content"


def test_windows_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "it is in use")

    monkeypatch.setattr(Path, "unlink", busy)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(files, "_PATIENCE_SECONDS", 0.05)
    with pytest.raises(PermissionError):
        system.unlink(tmp_path / "a")


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_sync_that_fails_is_no_sync_that_is_lacking(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", fail)
    monkeypatch.setattr(sys, "platform", "darwin")
    with (tmp_path / "f").open("wb") as file, pytest.raises(OSError, match=os.strerror(number)):
        system.sync_file(file.fileno())
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        system.sync_folder(tmp_path)


@posix
def test_room_for_files_is_what_the_limit_leaves() -> None:
    program = (
        "import os, resource; from bpcli import system\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
        "print(system.most_open_files(), system.has_room_for_files(15))\n"
        "held = [os.dup(1) for _ in range(20 - 3 - 5)]\n"
        "print(system.has_room_for_files(5), system.has_room_for_files(6))"
    )
    assert output_of(program) == "20 True\nTrue False\n"


def test_a_file_with_another_name_is_read_and_never_written(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"kept")
    os.link(tmp_path / "one", tmp_path / "two")
    for flags in (os.O_WRONLY, os.O_RDWR):
        with pytest.raises(OSError, match="another file would change too"):
            system.open_file(tmp_path / "two", flags)
    handle = system.open_file(tmp_path / "two", os.O_RDONLY)
    assert os.read(handle, 9) == b"kept"
    os.close(handle)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF])
def test_a_file_system_that_cannot_sync_folders_is_let_be(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lack(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "fsync", lack)
    system.sync_folder(tmp_path)


def test_only_macos_without_its_own_call_syncs_as_others_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    calls: list[str] = []

    def full_sync(*_: object) -> None:
        calls.append("fully")

    monkeypatch.setattr(os, "fsync", lambda _: calls.append("fsync"))
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", full_sync)
    with (tmp_path / "f").open("wb") as file:
        for platform in ("linux", "darwin"):
            monkeypatch.setattr(sys, "platform", platform)
            system.sync_file(file.fileno())
            calls.append(platform)
        monkeypatch.delattr(fcntl, "F_FULLFSYNC")
        system.sync_file(file.fileno())
    assert calls == ["fsync", "linux", "fully", "darwin", "fsync"]


def test_a_file_that_is_not_there_needs_no_removal(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    system.unlink(tmp_path / "a")
    system.unlink(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_where_there_is_no_limit_any_number_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert system.most_open_files() == math.inf
    unlimited = SimpleNamespace(RLIM_INFINITY=-1, RLIMIT_NOFILE=7, getrlimit=lambda _: (-1, -1))
    monkeypatch.setitem(sys.modules, "resource", unlimited)
    assert system.most_open_files() == math.inf
