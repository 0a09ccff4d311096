"""A local cluster starts, or says why not; it ends with the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

import psutil
from distributed import Client
from work import no_hang

from bpcli.cluster import local
from bpcli.cluster.local import local_cluster
from bpcli.errors import ClusterError

ROOT = Path(__file__).parent.parent.parent


def test_it_is_as_asked_for_and_ends_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "error")  # dask would not start with it
    with local_cluster(1, 300_000_000, "127.0.0.1:0") as started:
        serving = psutil.Process(started.pid)
        processes = [serving, *serving.children(recursive=True)]
        assert started.address.startswith("tcp://127.0.0.1:")
        client = Client(started.address, set_as_default=False)
        (worker,) = client.scheduler_info()["workers"].values()
        (environment,) = client.run(lambda: dict(os.environ)).values()
        client.close()
    assert (worker["memory_limit"], worker["nthreads"]) == (300_000_000, 1)
    # Memory of one block is kept for the next; a worker still has one thread of BLAS.
    assert "MALLOC_TRIM_THRESHOLD_" not in environment
    assert environment["OMP_NUM_THREADS"] == "1"
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive


def test_why_it_did_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_CODE", "raise SystemExit('no such scheduler')")
    with pytest.raises(ClusterError, match="did not start") as caught, local_cluster(1, None, ""):
        pass
    assert caught.value.full_text.endswith("\nno such scheduler")


_PROGRAM = """
import time
from bpcli.cluster.local import local_cluster
with local_cluster(1, None, "127.0.0.1:0") as started:
    print(started.pid, flush=True)
    time.sleep(1000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
def test_it_ends_if_its_process_is_killed_and_not_by_a_signal_of_the_terminal() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True
    ) as program:
        assert program.stdout is not None
        serving = psutil.Process(int(program.stdout.readline()))
        processes = [serving, *serving.children(recursive=True)]
        with no_hang():
            groups = {os.getpgid(each.pid) for each in (serving, program)}
            program.send_signal(signal.SIGKILL)
            _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive
    assert len(groups) == 2
