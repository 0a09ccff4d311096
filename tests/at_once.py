"""Command lines in many processes at once: forked, so that all begin at the same moment."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from conftest import Result

from bpcli.cli.main import main


def all_at_once(commands: list[list[str]]) -> list[Result]:
    """Run each command in a process of its own; what came of them, in their order."""
    waiting, starting = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        children = [
            _forked(command, Path(folder) / str(number), waiting, starting)
            for number, command in enumerate(commands)
        ]
        os.close(waiting)
        os.close(starting)  # which all of them wait for
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        return [
            Result(code, *(Path(folder, f"{number}.{end}").read_text() for end in ("out", "err")))
            for number, code in enumerate(codes)
        ]


def _forked(command: list[str], said: Path, waiting: int, starting: int) -> int:
    child = os.fork()
    if child:
        return child
    status = 99
    try:
        os.close(starting)
        sys.stdout, sys.stderr = (said.with_suffix(f".{end}").open("w") for end in ("out", "err"))
        os.read(waiting, 1)
        status = main(command)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
