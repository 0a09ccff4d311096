"""Sums that a cluster computes have the bits of one process, also if workers are killed."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

import psutil
from cluster_rows import WIDE, FailingReader, SumsOfZ, streamed

from bpcli.cluster.connection import ClusterConnection
from bpcli.cluster.local import LocalCluster
from bpcli.cluster.sums import ClusterSums
from bpcli.engine.pool.base import SerialPool
from bpcli.engine.rows import RowBlocks, Rows, StreamedRows
from bpcli.engine.shards import slices_of
from bpcli.engine.sums import RowSums
from bpcli.errors import ClusterError, DataError
from bpcli.nn.activations import Identity, Softmax, Tanh
from bpcli.nn.losses import CrossEntropy, HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.nn.numerics import repeatable_numerics

KILLS = 20 if os.environ.get("BPNET_FULL") else 3
LARGE = Network((Layer(40, 400, Tanh()), Layer(400, 3, Identity(), "none")), HalfSquaredError())
CLASSES = Network((Layer(4, 20, Tanh()), Layer(20, 3, Softmax())), CrossEntropy())


def in_memory(network: Network, count: int, dtype: str) -> Rows:
    rng = np.random.default_rng(count)
    X, Y = rng.normal(size=(count, network.inputs)), np.eye(3)[rng.integers(3, size=count)]
    return Rows.of(network, X, Y, np.dtype(dtype), rng.uniform(0.5, 2, count))


def require_same(network: Network, data: RowBlocks, cluster: ClusterConnection) -> None:
    """The sums are those of one process, to the last bit."""
    theirs = ClusterSums(network, data, data.dtype, cluster, [SumsOfZ()])
    with repeatable_numerics():
        ours = RowSums(network, data, data.dtype, SerialPool(), tallies=[SumsOfZ()])
        assert theirs.plan == ours.plan
        for seed in range(2):
            params = np.random.default_rng(seed).normal(size=network.n_params).astype(data.dtype)
            loss, grad = ours.loss_and_grad(params)
            assert theirs.loss(params) == loss
            np.testing.assert_array_equal(theirs.grad(params), grad)
            again = theirs.loss_and_grad(params)
            assert again[0] == loss
            np.testing.assert_array_equal(again[1], grad)
            np.testing.assert_array_equal(theirs.tally(params, 0), ours.tally(params, 0))


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("count", [1, 700, 20_000])
@pytest.mark.parametrize("network", [WIDE, CLASSES], ids=["wide", "classes"])
def test_a_cluster_gives_the_bits_of_one_process(
    network: Network, count: int, dtype: str, cluster: ClusterConnection
) -> None:
    require_same(network, in_memory(network, count, dtype), cluster)


@pytest.mark.parametrize(
    ("network", "count", "dtype"),
    [(WIDE, 30_001, "f8"), (WIDE, 30_001, "f4"), (LARGE, 3_000, "f8")],
)
def test_workers_read_their_rows_from_a_file(
    network: Network, count: int, dtype: str, cluster: ClusterConnection, tmp_path: Path
) -> None:
    data = streamed(tmp_path, network, count, dtype)
    require_same(network, data, cluster)
    assert cluster.traffic.bytes_sent < 20 * 8 * network.n_params + 20_000, "no rows were sent"


def test_gradients_are_added_in_parts_as_in_one_process(
    cluster: ClusterConnection, tmp_path: Path
) -> None:
    """The last part has one column, which numpy adds up in another order than wider ones."""
    layers = Layer(142, 113, Tanh(), "none"), Layer(113, 3, Identity(), "none")
    network = Network(layers, HalfSquaredError())
    assert slices_of(network.n_params)[-1] == slice(2**14, 2**15)
    assert network.n_params == 2**14 + 1
    require_same(network, streamed(tmp_path, network, 8_000, "f8"), cluster)


def test_complex_parameters_give_the_complex_step(cluster: ClusterConnection) -> None:
    data = in_memory(WIDE, 9_000, "f8")
    params = np.random.default_rng(0).normal(size=WIDE.n_params) + 1e-20j
    theirs = ClusterSums(WIDE, data, params.dtype, cluster)
    with repeatable_numerics():
        ours = RowSums(WIDE, data, params.dtype, SerialPool())
        assert theirs.loss(params) == ours.loss(params)
        np.testing.assert_array_equal(theirs.grad(params), ours.grad(params))


def test_traffic_is_counted(cluster: ClusterConnection) -> None:
    data = in_memory(WIDE, 20_000, "f8")
    sums = ClusterSums(WIDE, data, data.dtype, cluster)
    sums.grad(np.zeros(WIDE.n_params))
    traffic = cluster.traffic
    assert traffic.evaluations == 1
    assert traffic.bytes_received == len(sums.plan.shards) * WIDE.n_params * 8
    assert traffic.bytes_sent >= data.inputs.nbytes
    sent = traffic.bytes_sent
    sums.grad(np.ones(WIDE.n_params))
    assert WIDE.n_params * 8 <= traffic.bytes_sent - sent <= 2 * WIDE.n_params * 8
    assert 0 < traffic.waiting_seconds <= traffic.seconds


def test_mini_batches_are_refused(cluster: ClusterConnection) -> None:
    data = in_memory(WIDE, 10, "f8")
    sums = ClusterSums(WIDE, data, data.dtype, cluster)
    with pytest.raises(ClusterError, match=r"leave out `training.batch_size`"):
        sums.grad(np.zeros(WIDE.n_params), np.arange(3))


@pytest.mark.parametrize(
    ("is_expected", "error", "text"),
    [
        (True, DataError, r"^The worker tcp://\S+ cannot read its rows: The file has changed\."),
        (False, ClusterError, r"worker tcp://.* FileNotFoundError: no rows.npy on this worker"),
    ],
)
def test_what_a_reader_raises_is_raised_here(
    is_expected: bool, error: type[Exception], text: str, cluster: ClusterConnection
) -> None:
    data = StreamedRows.of(WIDE, FailingReader(is_expected), 20_000, np.dtype("f8"))  # type: ignore[arg-type]
    sums, workers = ClusterSums(WIDE, data, data.dtype, cluster), cluster.workers
    with pytest.raises(error, match=text):
        sums.grad(np.zeros(WIDE.n_params))
    assert cluster.traffic.lost_workers == 0
    assert cluster.workers >= workers  # another test may have ended one, which begins again


def test_the_loss_of_workers_changes_no_bit(
    local: LocalCluster, cluster: ClusterConnection, tmp_path: Path
) -> None:
    data = streamed(tmp_path, WIDE, 200_000, "f8")
    params = np.random.default_rng(0).normal(size=WIDE.n_params)
    with repeatable_numerics():
        loss, grad = RowSums(WIDE, data, data.dtype, SerialPool()).loss_and_grad(params)
    sums = ClusterSums(WIDE, data, data.dtype, cluster)
    sums.grad(params)
    killer = threading.Thread(target=_kill_some, args=(local.pid, cluster))
    killer.start()
    while killer.is_alive():
        found = sums.loss_and_grad(params)
        assert found[0] == loss
        np.testing.assert_array_equal(found[1], grad)
    killer.join()
    assert cluster.traffic.lost_workers >= 1
    assert cluster.traffic.repeated_shards >= 1


def _kill_some(serving: int, cluster: ClusterConnection) -> None:
    """Kill workers while they compute, each when there are two again or soon will be."""
    rng = random.Random(0)
    for _ in range(KILLS):
        before = cluster.traffic.lost_workers
        time.sleep(rng.uniform(0, 0.1))
        workers = [
            each for each in psutil.Process(serving).children() if "spawn_main" in _code(each)
        ]
        for worker in rng.sample(workers, min(1, len(workers))):
            worker.kill()
        end = time.monotonic() + 3  # one that had not joined yet is not lost
        while cluster.traffic.lost_workers == before and time.monotonic() < end:
            time.sleep(0.02)
        while not cluster.workers:
            time.sleep(0.02)


def _code(process: psutil.Process) -> str:
    return " ".join(process.cmdline())
