"""A cluster of this machine, in processes of its own.

Another process starts the workers, not this one: so Ctrl-C in a terminal, which asks for the end of
an epoch, does not end them; their log does not mix with the view of a training; and a program that
trains needs no `if __name__ == "__main__":`, as it is not imported again by each worker.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from bpcli.cluster.programs import environment
from bpcli.errors import ClusterError

_CLOSE_SECONDS = 10.0
_MOST_LOG = 2_000
_CODE = "from bpcli.cluster.serve import main; main()"


class LocalCluster(NamedTuple):
    """Where the scheduler and its dashboard are, and the number of the process that serves them."""

    address: str
    dashboard: str
    pid: int


@contextmanager
def local_cluster(workers: int, memory_limit: int | None, dashboard: str) -> Iterator[LocalCluster]:
    """Start a scheduler and workers that listen on loopback alone; end them with the block.

    `memory_limit` is that of each worker in bytes; without one, each gets its share of the memory
    of this machine. A worker beyond it is ended and replaced. `dashboard` is where the dashboard
    listens, as `host:port`; if the port is in use, another is chosen.

    Raises `ClusterError` if they do not start.
    """
    asked = {
        "workers": workers,
        "memory_limit": "auto" if memory_limit is None else memory_limit,
        "dashboard": dashboard,
    }
    with TemporaryFile() as log:
        process = _started(log)
        try:
            yield LocalCluster(**_answer(process, asked, log), pid=process.pid)
        finally:
            _close(process)


def _started(log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=environment(),
        # No signal of the terminal may reach it; each system ignores the other's argument.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _answer(
    process: subprocess.Popen[bytes], asked: Mapping[str, object], log: IO[bytes]
) -> dict[str, str]:
    """Where the scheduler listens."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # it has ended already
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
    line = process.stdout.readline()
    if line:
        answer: dict[str, str] = json.loads(line)
        return answer
    error = ClusterError("The local cluster did not start: the last lines of its log are below.")
    log.seek(0)
    error.add_note(log.read().decode(errors="replace")[-_MOST_LOG:].strip())
    raise error


def _close(process: subprocess.Popen[bytes]) -> None:
    """Let the processes end by themselves; kill the first if it takes long, and so the others."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(_CLOSE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()  # its workers notice that and end
        process.wait()
    process.stdout.close()
