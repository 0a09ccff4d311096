"""Runs an exported file, or what was compiled from it, in a separate process.

The file is made from a run that may come from a stranger. Therefore nothing of it runs in this
process, but in an empty folder, without environment variables, with rows on standard input and
predictions on standard output.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bpcli.errors import GateFailed

if TYPE_CHECKING:
    from subprocess import Popen

TIMEOUT = 300.0
"""Seconds that a program may take; a Python file of four million parameters takes about 30."""

_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Environment variables needed to find programs and their libraries."""


class NotVerified(Exception):
    """A file cannot be run, because its runner is not installed; the message says which."""


def program(what: str, *names: str) -> str:
    """The path of the first program that is installed. Raises `NotVerified` if none is."""
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise NotVerified(f"no {what} found")
    return path


@dataclass(frozen=True)
class Workspace:
    """A temporary folder in which programs run one after the other."""

    what: str
    """The name of the file's format, for messages."""
    folder: Path

    def run(self, command: Sequence[str], task: bytes = b"") -> bytes:
        """The output of a program that reads `task`.

        Raises `GateFailed` if it does not start, fails, or takes too long.
        """
        import subprocess

        try:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            with process, _ended_early(process):
                printed, errors = process.communicate(task, TIMEOUT)
        except subprocess.TimeoutExpired:
            raise GateFailed(
                f"The {self.what} file did not finish within {TIMEOUT:g} s: it was not written."
            ) from None
        except OSError as error:
            raise GateFailed(
                f"The {self.what} file could not be run: {command[0] or f'no {self.what}'} does "
                f"not start ({error.strerror}). It was not written."
            ) from None
        if process.returncode:
            raise self._failed(errors, process.returncode)
        return printed

    def _failed(self, errors: bytes, code: int) -> GateFailed:
        lines = errors.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {code}"
        return GateFailed(
            f"The {self.what} file failed in a test run and was not written: {reason}"
        )


@contextmanager
def _ended_early(process: Popen[bytes]) -> Iterator[None]:
    """After an error or Ctrl-C, end a program and those that it started.

    `soffice` is a script: its child computes.
    """
    try:
        yield
    except BaseException:
        if hasattr(os, "killpg"):  # Windows has no groups of processes
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        raise


@contextmanager
def workspace(what: str, files: Mapping[str, bytes]) -> Iterator[Workspace]:
    """A temporary folder with these files, deleted at the end."""
    with TemporaryDirectory(prefix="bpnet-export-") as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        yield Workspace(what, Path(folder))


def tables_of(printed: bytes, count: int, what: str) -> list[dict[str, Any]]:
    """The tables that a program printed as JSON, as columns by name.

    Raises `GateFailed` if it printed anything else.
    """
    try:
        tables = json.loads(printed)
    except (ValueError, RecursionError):
        tables = None
    is_list = isinstance(tables, list) and len(tables) == count
    if not (is_list and all(map(_is_table, tables))):
        raise no_predictions(what)
    return list(tables)


def no_predictions(what: str) -> GateFailed:
    """The error of a file that prints what cannot be read as its predictions."""
    return GateFailed(
        f"The {what} file printed something other than its predictions: it was not written."
    )


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(column, list) for column in value.values())
