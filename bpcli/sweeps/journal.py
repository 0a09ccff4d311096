"""The journals of a sweep: a line for each training that has ended, or each chosen setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bpcli.errors import RunError
from bpcli.runs.files import GrowingFile, not_read, strict_json, to_json
from bpcli.runs.saved import check
from bpcli.sweeps.training import TrainingResult


def read_journal(path: Path) -> tuple[list[TrainingResult], int]:
    """The results in a journal, and the size of its whole lines in bytes.

    Raises `RunError` if the journal is damaged.
    """
    lines, size = read_lines(path)
    return [check(TrainingResult, line, path) for line in lines], size


def read_lines(path: Path) -> tuple[list[Any], int]:
    """The values in the whole lines of a file of JSON lines, and the size of these in bytes.

    A last line without its end is that of a process that was killed: it does not count. A file that
    is not there has no lines. Raises `RunError` if the file is damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise not_read(path, error) from None
    whole = content[: content.rfind(b"\n") + 1]
    try:
        return [strict_json(line) for line in whole.splitlines()], len(whole)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: {error}.") from None


class Journal(GrowingFile):
    """Writes the journal; each line is written whole, and is on the disk when it is."""

    def append(self, result: TrainingResult) -> None:
        """Add a result. Raises `RunError` if it cannot be written."""
        self.grow((to_json(result.to_json(), indent=None) + "\n").encode())
        self.sync()
