"""The journals of a sweep: a line for each training that has ended, or each chosen setting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bpcli.errors import RunError
from bpcli.runs.files import GrowingFile, not_read, strict_json, to_json
from bpcli.runs.saved import check
from bpcli.sweeps.training import TrainingResult, training_name
from bpcli.text import visible


def read_journal(path: Path) -> tuple[list[TrainingResult], int]:
    """The results in a journal, and the size of its whole lines in bytes.

    Raises `RunError` if the journal is damaged.
    """
    lines, size = read_lines(path)
    return [_checked(line, path) for line in lines], size


def read_lines(path: Path) -> tuple[list[Any], int]:
    """The values in the whole lines of a file of JSON lines, and the size of these in bytes.

    A last line without its end is that of a process that was killed: it does not count. A file that
    is not there has no lines. Raises `RunError` if the file is damaged.
    """
    if path.exists() and not path.is_file():  # a pipe might never open
        raise RunError(f"{path} is damaged: it is not a file.")
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


def _checked(line: object, path: Path) -> TrainingResult:
    result = check(TrainingResult, line, path)
    name = training_name(result.setting, result.seed, result.fold)
    if not re.fullmatch(rf"{name}(-restart[0-9]+)?", result.name):
        raise RunError(
            f"{path} is damaged: `{visible(result.name)}` is not the name of its training."
        )
    return result


class Journal(GrowingFile):
    """Writes the journal; each line is written whole, and is on the disk when it is."""

    def append(self, result: TrainingResult) -> None:
        """Add a result. Raises `RunError` if it cannot be written."""
        self.grow((to_json(result.to_json(), indent=None) + "\n").encode())
        self.sync()
