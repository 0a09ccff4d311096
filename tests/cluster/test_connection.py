"""Only workers that give the bits of this process are used; nothing listens beyond loopback."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

import psutil
from cluster_rows import WIDE, streamed

from bpcli.cluster import connection, members
from bpcli.cluster.connection import ClusterConnection, connected
from bpcli.cluster.facts import facts
from bpcli.cluster.local import LocalCluster
from bpcli.cluster.sums import ClusterSums
from bpcli.errors import ClusterError, WorkerLost
from bpcli.system import can_fork

_LISTENING = "0A"


def with_other(name: str, value: str) -> dict[str, Any]:
    """The facts of this process, with another version of a package."""
    here = facts()
    here["machine"]["versions"][name] = value
    return here


def evaluate_until_it_fails(sums: ClusterSums) -> None:
    while True:
        sums.grad(np.zeros(WIDE.n_params))
        time.sleep(0.01)


def listening_addresses(pids: set[int]) -> set[str]:
    """The addresses on which processes listen, as in /proc/net/tcp: last byte first."""
    inodes = set()
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            target = str(handle.readlink())
            if target.startswith("socket:["):
                inodes.add(target[len("socket:[") : -1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and fields[9] in inodes:
                found.add(fields[1].partition(":")[0])
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs /proc")
def test_a_local_cluster_listens_on_loopback_alone(local: LocalCluster) -> None:
    serving = psutil.Process(local.pid)
    pids = {local.pid, *(each.pid for each in serving.children(recursive=True))}
    assert len(pids) >= 3
    assert listening_addresses(pids) == {"0100007F"}
    assert local.dashboard.startswith("http://127.0.0.1:")


def test_the_dashboard_of_a_connection_is_that_of_its_scheduler(
    local: LocalCluster, cluster: ClusterConnection
) -> None:
    assert cluster.dashboard == local.dashboard
    assert cluster.address == local.address


def test_a_worker_with_another_version_is_refused_in_one_sentence(
    local: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "facts", lambda: with_other("numpy", "1.0"))
    with pytest.raises(ClusterError) as caught, connected(local.address):
        pass
    worker = r"The worker tcp://127\.0\.0\.1:\d+ would give different results: "
    found = rf"numpy is {np.__version__} there and 1\.0 here\. "
    assert caught.match(f"^{worker}{found}Install the same versions on both\\.$")


def test_a_worker_that_joins_later_is_refused_without_an_end_of_the_training(
    cluster: ClusterConnection, tmp_path: Path
) -> None:
    first = next(iter(cluster.members.threads))
    cluster.members.remove(first)
    cluster.members._here = with_other("numpy", "1.0")
    data = streamed(tmp_path, WIDE, 20_000, "f8")
    sums = ClusterSums(WIDE, data, data.dtype, cluster)
    while not cluster.refused:
        sums.loss(np.zeros(WIDE.n_params))
    assert first in cluster.refused[0]
    assert cluster.workers == 1


def test_a_scheduler_with_another_version_is_refused(
    local: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "facts", lambda: with_other("distributed", "1.0"))
    with (
        pytest.raises(ClusterError, match=r"distributed is \S+ there and 1\.0 here"),
        connected(local.address),
    ):
        pass


def test_an_address_without_a_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_CONNECT_SECONDS", 0.2)
    address = "tcp://127.0.0.1:1"
    with (
        pytest.raises(ClusterError, match=f"^No scheduler answers at {address}"),
        connected(address),
    ):
        pass


def test_a_check_ends_an_evaluation_and_the_next_one_gives_the_same(
    local: LocalCluster, tmp_path: Path
) -> None:
    data = streamed(tmp_path, WIDE, 1_000_000, "f8")
    is_over = threading.Event()

    def check() -> None:
        if is_over.is_set():
            raise InterruptedError

    with connected(local.address, check=check) as cluster:
        sums = ClusterSums(WIDE, data, data.dtype, cluster)
        before = sums.grad(np.ones(WIDE.n_params)).copy()
        is_over.set()
        with pytest.raises(InterruptedError):
            evaluate_until_it_fails(sums)
        is_over.clear()
        np.testing.assert_array_equal(sums.grad(np.ones(WIDE.n_params)), before)


def test_a_connection_leaves_no_threads_and_no_silence(local: LocalCluster) -> None:
    before = threading.active_count(), logging.getLogger("distributed").level
    could_fork = can_fork()  # other tests may have left threads
    with connected(local.address):
        assert threading.active_count() > before[0]
    assert (threading.active_count(), logging.getLogger("distributed").level) == before
    assert can_fork() == could_fork, threading.enumerate()


def test_the_end_of_the_scheduler_is_one_sentence(tmp_path: Path) -> None:
    data = streamed(tmp_path, WIDE, 20_000, "f8")
    before = {*psutil.Process().children()}
    with connected(workers=1, dashboard="127.0.0.1:0") as cluster:
        sums = ClusterSums(WIDE, data, data.dtype, cluster)
        for each in {*psutil.Process().children()} - before:
            each.kill()
        with pytest.raises(
            WorkerLost, match=r"^The scheduler at tcp://.* does not answer any more"
        ):
            evaluate_until_it_fails(sums)


_PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from cluster_rows import WIDE, streamed
from bpcli.cluster.connection import connected
from bpcli.cluster.sums import ClusterSums
import numpy as np
with connected(workers=1, dashboard="127.0.0.1:0") as cluster:
    data = streamed(Path({folder!r}), WIDE, 20_000, "f8")
    ClusterSums(WIDE, data, data.dtype, cluster).grad(np.zeros(WIDE.n_params))
    print(cluster.workers)
"""


def test_a_program_needs_no_guard_and_sees_no_warnings(tmp_path: Path) -> None:
    tests = str(Path(__file__).parent.parent)
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM.format(tests=tests, folder=str(tmp_path)))
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(tests).parent), tests])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_a_request_that_takes_too_long_is_an_error(cluster: ClusterConnection) -> None:
    async def late() -> None:
        raise TimeoutError("too late")

    with pytest.raises(TimeoutError, match="too late"):
        cluster._run(late())
