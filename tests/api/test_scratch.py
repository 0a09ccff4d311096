from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bpcli.api import scratch as module
from bpcli.api.scratch import Scratch


def test_the_folder_is_there_as_long_as_the_object() -> None:
    scratch = Scratch()
    folder = scratch.folder
    (folder / "inner").mkdir()
    assert folder.is_dir()
    del scratch
    gc.collect()
    assert not folder.exists()


def test_it_is_removed_at_the_end_of_the_process() -> None:
    probe = "from bpcli.api.scratch import Scratch; keep = Scratch(); print(keep.folder)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert not Path(done.stdout.strip()).exists()


def test_a_forked_copy_removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = Scratch()
    module._remove(scratch.folder, os.getpid() + 1)
    assert scratch.folder.is_dir()
