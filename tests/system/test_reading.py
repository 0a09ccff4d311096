"""Files that several processes and threads read at any place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bpcli.system import FileChangedError, OpenFile


def test_any_place_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(range(100)))
    file, buffer = OpenFile(path), bytearray(10)
    file.read(42, memoryview(buffer))
    assert bytes(buffer) == bytes(range(42, 52))


@pytest.mark.parametrize("content", [b"", b"longer than before", b"ABCD"])
def test_a_changed_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abcd")
    file = OpenFile(path)
    path.write_bytes(content)
    os.utime(path, ns=(0, 0))
    with pytest.raises(FileChangedError, match="has changed"):
        file.read(0, memoryview(bytearray(4)))


def test_a_forked_process_reads_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abcd")
    file = OpenFile(path)
    (tmp_path / "new").write_bytes(b"efgh")
    (tmp_path / "new").replace(path)
    file._process = 0  # as after a fork
    with pytest.raises(FileChangedError, match="it was replaced"):
        file.read(0, memoryview(bytearray(4)))


def test_without_reads_at_a_place_the_file_is_searched(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delattr(os, "preadv", raising=False)
    path = tmp_path / "f"
    path.write_bytes(bytes(range(100)))
    buffer = bytearray(10)
    OpenFile(path).read(42, memoryview(buffer))
    assert bytes(buffer) == bytes(range(42, 52))


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        OpenFile(tmp_path / "f")
