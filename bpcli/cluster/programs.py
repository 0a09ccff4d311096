"""Programs that a worker runs for its clients, in processes of their own.

A process can be asked to end, or be killed, without harm to the worker, and only the first thread
of a process gets signals. It does one piece of work after another, as starting it takes a second:
each is a frame of bytes on its standard input, and answered by one on its standard output. When its
input ends, it must end, also in the middle of its work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic
from typing import IO

_LENGTH = 8
_END_SECONDS = 5.0


def write_frame(stream: IO[bytes], content: bytes) -> None:
    """Write bytes, with their number before them."""
    stream.write(len(content).to_bytes(_LENGTH, "little"))
    stream.write(content)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Read the bytes of a frame; None if the stream ends before."""
    head = stream.read(_LENGTH)
    size = int.from_bytes(head, "little")
    content = stream.read(size) if len(head) == _LENGTH else b""
    return content if len(head) == _LENGTH and len(content) == size else None


class Program:
    """A process that does pieces of work; it may write to `folder`, which is removed with it."""

    def __init__(self, module: str, parent: str) -> None:
        self.module = module
        self.idle_since = monotonic()
        self._folder = mkdtemp(prefix="bpnet-", dir=parent)
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, self._folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def exchange(self, work: bytes) -> bytes | None:
        """Do a piece of work, and return the answer; None if the process ends before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError, ValueError):  # it has ended, or was closed by another thread
            write_frame(self._process.stdin, work)
            return read_frame(self._process.stdout)
        return None

    def stop(self) -> None:
        """Ask it to end its work soon, as a signal asks a training."""
        self._process.terminate()

    def kill(self) -> None:
        """End the process at once; those that wait for its answer get none."""
        self._process.kill()

    def fate(self) -> str:
        """How the process ended, which has closed its output or was killed."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        code = self.close()
        return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"

    def close(self) -> int:
        """End the process at once; return its exit code."""
        self._process.kill()
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        return code


def environment() -> dict[str, str]:
    """The environment of this process, for other processes of Python with the same bpcli.

    Without warnings as errors, and without modules from the current folder.
    """
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}
