"""Workers that dask does not start again are replaced."""

from __future__ import annotations

import os
import time
from threading import Event
from types import SimpleNamespace

import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

import psutil
from distributed import Client
from work import no_hang

from bpcli.cluster import serve
from bpcli.cluster.local import local_cluster
from bpcli.cluster.serve import keep_workers


class Cluster:
    """Workers that are alive or not at each look; scaling ends the looks."""

    def __init__(self, *looks: int) -> None:
        self.has_ended = Event()
        self.scaled: list[int] = []
        self.worker_spec = {0: {}, 1: {}}
        self._looks = [*looks]

    @property
    def workers(self) -> dict[int, SimpleNamespace]:
        alive = self._looks.pop(0)
        if not self._looks:
            self.has_ended.set()
        return {
            number: SimpleNamespace(is_alive=lambda number=number: number < alive)
            for number in range(2)
        }

    def scale(self, count: int) -> None:
        self.scaled.append(count)


@pytest.mark.parametrize(
    ("looks", "scaled"),
    [
        ((1, 1, 1, 1, 2), [3]),
        ((0, 0, 0, 0, 2), [4]),
        ((1, 1, 1, 2, 1, 1, 1, 2), []),
        ((2, 2, 2, 2, 2), []),
    ],
)
def test_a_worker_that_stays_away_is_replaced(
    looks: tuple[int, ...], scaled: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "_SECONDS_BETWEEN_LOOKS", 0.001)
    cluster = Cluster(*looks)
    keep_workers(cluster, 2, cluster.has_ended)
    assert cluster.scaled == scaled


@pytest.mark.skipif(not os.environ.get("BPNET_FULL"), reason="takes a minute: set BPNET_FULL")
def test_workers_that_are_killed_just_after_their_start_are_replaced() -> None:
    """Without replacements, one of about twenty stays away."""
    with (
        local_cluster(1, None, "127.0.0.1:0") as started,
        Client(started.address, set_as_default=False) as client,
    ):
        for _ in range(40):
            with no_hang():
                while not client.nthreads():
                    time.sleep(0.001)
                for each in psutil.Process(started.pid).children():
                    if "spawn_main" in " ".join(each.cmdline()):
                        each.kill()
                while client.nthreads():
                    time.sleep(0.001)
