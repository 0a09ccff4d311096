"""Where a report is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bpcli.errors import ConfigError, RunError
from bpcli.runs.store import Run

REPORT = "report.html"
_ENDINGS = (".html", ".htm")


def output_file(runs: Sequence[Run], asked: Path | None) -> Path:
    """The named file, or report.html in the folder of a single run.

    Raises `ConfigError` if several runs have no named file, or its name is not that of a page;
    `RunError` if something else than a file has the name report.html.
    """
    if asked is not None:
        if asked.suffix.lower() not in _ENDINGS:
            raise ConfigError(f"-o {asked}: expected a name that ends in .html.")
        return asked
    if len(runs) > 1:
        raise ConfigError(
            "A comparison is part of no run's folder: name its file with -o FILE.html."
        )
    path = runs[0].path(REPORT)
    if path.is_symlink() or (path.exists() and not path.is_file()):
        what = "a symbolic link" if path.is_symlink() else "not a file"
        raise RunError(f"{path} is {what}: remove it, or name a file with -o.")
    return path
