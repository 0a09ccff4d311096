"""The journal of a sweep: a line for each training that has ended."""

from __future__ import annotations

import re
from pathlib import Path

from bpcli.errors import RunError
from bpcli.runs.files import GrowingFile, not_read, strict_json, to_json
from bpcli.runs.saved import check
from bpcli.sweeps.training import TrainingResult, training_name
from bpcli.text import visible


def read_journal(path: Path) -> tuple[list[TrainingResult], int]:
    """The results in a journal, and the size of its whole lines in bytes.

    A last line without its end is that of a process that was killed: it does not count. Raises
    `RunError` if the journal is damaged.
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
        lines = [strict_json(line) for line in whole.splitlines()]
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: {error}.") from None
    return [_checked(line, path) for line in lines], len(whole)


def _checked(line: object, path: Path) -> TrainingResult:
    result = check(TrainingResult, line, path)
    name = training_name(result.setting, result.seed, result.fold)
    if not re.fullmatch(rf"{name}(-restart[0-9]+)?", result.name):
        raise RunError(f"{path} is damaged: `{visible(result.name)}` is no name of its training.")
    return result


class Journal(GrowingFile):
    """Writes the journal; each line is written whole, and is on the disk when it is."""

    def append(self, result: TrainingResult) -> None:
        """Add a result. Raises `RunError` if it cannot be written."""
        self.grow((to_json(result.to_json(), indent=None) + "\n").encode())
        self.sync()
