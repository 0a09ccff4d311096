"""A temporary folder for a run that is not kept."""

from __future__ import annotations

import os
import shutil
import weakref
from pathlib import Path
from tempfile import mkdtemp


class Scratch:
    """A folder that is removed once nothing refers to this object any more, or at exit."""

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="bpnet-"))
        weakref.finalize(self, _remove, self.folder, os.getpid())


def _remove(folder: Path, process: int) -> None:
    """Remove a folder, unless this is a forked copy of the process that made it."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
