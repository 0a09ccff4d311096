"""What is no file that can be read is refused, and the key that named it is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bpcli.data.files.regular import damaged, require_regular
from bpcli.errors import DataError


def test_a_file_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("")
    require_regular(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder, not a file") as caught:
        require_regular(tmp_path, "split.index")
    assert caught.value.key == "split.index"
    with pytest.raises(DataError, match="there is no file") as caught:
        require_regular(tmp_path / "t.csv")
    assert caught.value.key == "file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    held = os.open(tmp_path / "pipe", os.O_RDWR)  # so that a mistake fails, and does not wait
    with pytest.raises(DataError, match="is not a regular file: save the table to a file first"):
        require_regular(tmp_path / "pipe")
    os.close(held)


def test_what_a_reader_says_of_damage_is_short_and_harmless() -> None:
    error = damaged(".npz", ValueError("bad header\n" + "\x1b" * 1000))
    assert str(error).startswith("this is not a .npz file, or it is damaged: bad header ")
    assert len(str(error)) < 300
    assert "\x1b" not in str(error)
    assert str(damaged("Parquet", KeyError())).endswith("damaged: KeyError")
