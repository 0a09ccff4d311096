"""The lock of a run: who holds it, how long another waits, and what is said."""

from __future__ import annotations

import errno
import os
from contextlib import closing
from pathlib import Path

import pytest

from bpcli import system
from bpcli.errors import RunError
from bpcli.runs import lock as module
from bpcli.runs.lock import Lock, LockHeld, is_held


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_a_lock_is_held_until_it_is_closed(path: Path) -> None:
    lock = Lock(path, "r is being trained")
    assert is_held(path)
    lock.close()
    assert not is_held(path)
    assert path.is_file(), "another process may be about to lock it"
    lock.close()
    Lock(path, "r is being trained").close()


def test_another_is_told_which_process_holds_it(path: Path) -> None:
    with closing(Lock(path, "r is being trained")), pytest.raises(LockHeld) as caught:
        Lock(path, "r is being trained", seconds=0)
    assert str(caught.value) == (
        f"r is being trained by process {os.getpid()}: wait until that has ended, or end it."
    )


def test_the_file_holds_the_number_of_this_process_alone(path: Path) -> None:
    path.write_text("123456789\nand more\n")
    with closing(Lock(path, "")):
        assert path.read_text() == f"{os.getpid()}\n"


def test_who_finds_it_held_waits_for_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Lock(path, "")
    monkeypatch.setattr(module.time, "sleep", lambda _: first.close())
    with closing(Lock(path, "", seconds=60)):
        assert is_held(path)


def test_whether_it_is_held_can_be_asked_by_many_without_taking_it(path: Path) -> None:
    assert not is_held(path), "there is no such file"
    assert not path.exists()
    path.touch()
    assert not is_held(path)
    with closing(Lock(path, "", seconds=0)):
        assert [is_held(path) for _ in range(3)] == [True] * 3


def test_who_tests_a_lock_is_not_taken_for_its_holder_by_another_who_does(path: Path) -> None:
    path.touch()
    handle = system.open_file(path, os.O_RDONLY)
    assert system.take_lock(handle, is_shared=True)
    assert not is_held(path)
    system.close_locked(handle)


def test_a_file_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    path = tmp_path / "no such folder" / "lock"
    with pytest.raises(RunError, match=r"lock could not be written: No such file or directory\.$"):
        Lock(path, "")
    assert not is_held(path)


def test_on_a_full_disk_the_lock_is_given_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(RunError, match="lock could not be written: No space left on device"):
        Lock(path, "")
    assert not is_held(path)
