"""Locks that one process holds and others meet."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bpcli import system


def test_a_lock_is_held_by_one_handle(tmp_path: Path) -> None:
    one, two, three = (
        system.open_file(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(3)
    )
    try:
        assert system.take_lock(one)
        assert not system.take_lock(two)
        assert not system.take_lock(two, is_shared=True)
        system.close_locked(one)
        assert system.take_lock(two, is_shared=True)
        assert not system.take_lock(three)
    finally:
        for handle in (two, three):
            system.close_locked(handle)


def test_shared_locks_stand_beside_each_other(tmp_path: Path) -> None:
    assert system.has_shared_locks()
    handles = [system.open_file(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(3)]
    try:
        assert [system.take_lock(handle, is_shared=True) for handle in handles] == [True] * 3
        assert not system.take_lock(handles[0])
    finally:
        for handle in handles:
            system.close_locked(handle)


def test_a_file_system_without_locks_refuses_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def lack(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    handle = system.open_file(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    monkeypatch.setattr(fcntl, "flock", lack)
    assert system.take_lock(handle)
    os.close(handle)


@pytest.mark.parametrize(
    ("number", "is_taken"),
    [(0, True), (errno.EACCES, False), (errno.EDEADLK, False), (errno.EIO, True)],
)
def test_windows_locks_a_byte_far_behind_the_content(
    number: int, is_taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, int]] = []

    def locking(handle: int, mode: str, count: int) -> None:
        assert count == 1
        calls.append((mode, os.lseek(handle, 0, os.SEEK_CUR)))
        if number and mode == "lock":
            raise OSError(number, os.strerror(number))

    msvcrt = SimpleNamespace(LK_NBLCK="lock", LK_UNLCK="unlock", locking=locking)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    assert not system.has_shared_locks()
    handle = system.open_file(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    os.write(handle, b"abc")
    assert system.take_lock(handle) == is_taken
    assert os.lseek(handle, 0, os.SEEK_CUR) == 3  # as it was
    system.close_locked(handle)
    assert calls == [("lock", 2**30), ("unlock", 2**30)]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)
