from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from bpcli.engine.pool import choice
from bpcli.engine.pool.base import SerialPool, WorkerPool
from bpcli.engine.pool.choice import useful_workers, worker_pool
from bpcli.engine.pool.forked import ForkPool
from bpcli.engine.pool.threads import ThreadPool
from bpcli.engine.rows import Rows
from bpcli.errors import WorkerLost
from bpcli.nn.activations import ACTIVATIONS, Identity, Tanh
from bpcli.nn.losses import LOSSES, HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import GradientDescent
from bpcli.training.batches import Batches
from bpcli.training.loop import Training
from bpcli.training.objective import NetworkObjective

WIDE = Network((Layer(10, 32, Tanh()), Layer(32, 3, Identity())), HalfSquaredError())
ROWS = 9_000

needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
POOLS: list[Callable[[], WorkerPool]] = [
    lambda: ThreadPool(2),
    lambda: ThreadPool(3),
    *(
        [lambda: ForkPool(2), lambda: ForkPool(3), lambda: ForkPool(4)]
        if sys.platform == "linux"
        else []
    ),
]
IDS = ["threads 2", "threads 3", "forked 2", "forked 3", "forked 4"][: len(POOLS)]


@pytest.fixture(params=POOLS, ids=IDS)
def some_pool(request: pytest.FixtureRequest):
    made = request.param()
    yield made
    made.close()


def rows_of(network: Network, dtype: str = "f8", count: int = ROWS) -> Rows:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(count, network.inputs)), rng.normal(size=(count, network.outputs))
    return Rows.of(network, X, Y, np.dtype(dtype))


def test_every_number_is_done_once(some_pool: WorkerPool) -> None:
    counts, doubled = (
        some_pool.allocate_shared((64,), np.int64),
        some_pool.allocate_shared((64,), np.float32),
    )

    def count(number: int) -> None:
        counts[number] += 1

    def double(number: int) -> None:
        doubled[number] = 2 * counts[number]

    run_count, run_double = some_pool.register(count), some_pool.register(double)
    for rounds in range(1, 51):
        run_count(64)
        assert (counts == rounds).all()
    run_double(10)
    assert doubled.tolist() == [100.0] * 10 + [0.0] * 54


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_any_crew_gives_the_same_bits(some_pool: WorkerPool, dtype: str) -> None:
    data = rows_of(WIDE, dtype)
    shared, alone = (
        NetworkObjective(WIDE, data, l2=0.1, pool=who) for who in (some_pool, SerialPool())
    )
    assert len(shared.plan.shards) > 4
    for seed in range(3):
        params = np.random.default_rng(seed).normal(size=WIDE.n_params).astype(dtype)
        np.testing.assert_array_equal(shared.grad(params), alone.grad(params))
        np.testing.assert_array_equal(shared.outputs(params), alone.outputs(params))
        assert shared.value(params) == alone.value(params)
        ours, theirs = shared.value_and_grad(params), alone.value_and_grad(params)
        assert ours.value == theirs.value
        np.testing.assert_array_equal(ours.grad, theirs.grad)
        assert shared.mean_loss(params) == alone.mean_loss(params)


@pytest.mark.parametrize("batches", [Batches(size=4000), Batches(size=2500, sampling="random")])
@pytest.mark.parametrize("update", ["simultaneous", "layerwise"])
def test_mini_batches_and_layerwise_updates_give_the_same_bits(
    some_pool: WorkerPool, batches: Batches, update: str
) -> None:
    def trained(who: WorkerPool) -> np.ndarray:
        training = Training(
            NetworkObjective(WIDE, rows_of(WIDE), pool=who),
            GradientDescent(momentum=0.5, update=update),  # type: ignore[arg-type]
            np.random.default_rng(1).normal(size=WIDE.n_params),
            learning_rate=0.05,
            batches=batches,
            rng=np.random.default_rng(2),
        )
        return training.advance(training.start, 3).params

    np.testing.assert_array_equal(trained(some_pool), trained(SerialPool()))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_gives_the_same_bits(activation: str, some_pool: WorkerPool) -> None:
    network = Network(
        (Layer(10, 32, ACTIVATIONS[activation]()), Layer(32, 3, Identity())), LOSSES["huber"]()
    )
    params = np.random.default_rng(1).normal(size=network.n_params)
    data = rows_of(network)
    np.testing.assert_array_equal(
        NetworkObjective(network, data, pool=some_pool).grad(params),
        NetworkObjective(network, data).grad(params),
    )


def test_partial_gradients_of_a_large_network_are_added_in_slices(some_pool: WorkerPool) -> None:
    network = Network((Layer(300, 100, Tanh()), Layer(100, 10, Identity())), HalfSquaredError())
    params = np.random.default_rng(1).normal(size=network.n_params)
    data = rows_of(network)
    alone = NetworkObjective(network, data)
    np.testing.assert_array_equal(
        NetworkObjective(network, data, pool=some_pool).grad(params), alone.grad(params)
    )
    first, rest = np.arange(2000), np.arange(2000, ROWS)
    halves = alone.rows(first).grad(params) * 2000 + alone.rows(rest).grad(params) * (ROWS - 2000)
    np.testing.assert_allclose(alone.grad(params), halves / ROWS, rtol=1e-9, atol=1e-12)


def test_millions_of_parameters_are_not_too_many(some_pool: WorkerPool) -> None:
    network = Network((Layer(1500, 3000, Tanh()), Layer(3000, 1, Identity())), HalfSquaredError())
    params = np.random.default_rng(1).normal(size=network.n_params).astype("f4")
    data = rows_of(network, "f4", 1600)
    shared, alone = (NetworkObjective(network, data, pool=who) for who in (some_pool, SerialPool()))
    assert len(shared.plan.shards) > 1
    np.testing.assert_array_equal(shared.grad(params), alone.grad(params))


def test_threads_do_not_warn_of_overflow() -> None:
    threads = ThreadPool(2)
    states: list[dict[str, str]] = []
    threads.register(lambda _: states.append(np.geterr()))(4)
    threads.close()
    assert {(state["over"], state["invalid"]) for state in states} == {("ignore", "ignore")}


def test_an_error_in_a_thread_is_raised() -> None:
    threads = ThreadPool(2)

    def fail(number: int) -> None:
        raise MemoryError

    run = threads.register(fail)
    with pytest.raises(MemoryError):
        run(3)
    threads.close()


# Forked workers, when something goes wrong.


@needs_fork
def test_a_worker_that_is_killed_is_an_error_and_no_hang() -> None:
    forked = ForkPool(3)
    parent = os.getpid()

    def die_unless_parent(number: int) -> None:
        time.sleep(0.01)
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    run = forked.register(die_unless_parent)
    began = time.monotonic()
    with pytest.raises(WorkerLost, match=r"by signal 9.*workers: 1"):
        run(20)
    assert time.monotonic() - began < 5
    forked.close()


@needs_fork
def test_a_worker_that_is_killed_while_it_waits_is_missed_too() -> None:
    forked = ForkPool(2)
    pids = forked.allocate_shared((8,), np.int64)

    def note(number: int) -> None:
        pids[number] = os.getpid()
        time.sleep(0.02)

    run = forked.register(note)
    run(8)
    (child,) = set(pids.tolist()) - {os.getpid()}
    os.kill(child, signal.SIGKILL)
    time.sleep(0.2)
    with pytest.raises(WorkerLost, match="by signal 9"):
        run(8)
    forked.close()


@needs_fork
def test_where_no_process_can_be_made_the_parent_does_it_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    forked = ForkPool(3)
    done = forked.allocate_shared((8,), np.int64)
    forked.register(lambda number: done.__setitem__(number, 1))(8)
    assert done.all()
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGINT, signal.SIGTERM}
    forked.close()


@needs_fork
def test_a_crew_that_broke_is_not_used_again() -> None:
    forked = ForkPool(2)

    def fail_in_the_parent(number: int) -> None:
        raise MemoryError

    run = forked.register(fail_in_the_parent)
    with pytest.raises((MemoryError, WorkerLost)):
        run(4)
    with pytest.raises(AssertionError):
        run(4)
    forked.close()


@needs_fork
def test_a_worker_that_fails_is_an_error() -> None:
    forked = ForkPool(2)
    parent = os.getpid()

    def fail_unless_parent(number: int) -> None:
        time.sleep(0.01)
        if os.getpid() != parent:
            raise MemoryError

    run = forked.register(fail_unless_parent)
    with pytest.raises(WorkerLost, match="lack of memory"):
        run(20)
    forked.close()


@needs_fork
def test_closing_leaves_no_process_behind() -> None:
    forked = ForkPool(4)
    pids = forked.allocate_shared((4,), np.int64)

    def note(number: int) -> None:
        pids[number] = os.getpid()
        time.sleep(0.05)

    forked.register(note)(4)
    children = set(pids.tolist()) - {os.getpid()}
    assert children
    forked.close()
    assert not any(_is_alive(pid) for pid in children)


_ORPHANS = """
import os, time
from bpcli.engine.pool.forked import ForkPool
forked = ForkPool(3)
def task(number):
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(0.1)
run = forked.register(task)
run(6)
os.write(1, b"working\\n")
while True:
    run(6)
"""


@needs_fork
def test_workers_end_when_the_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _ORPHANS], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = {int(line) for line in iter(parent.stdout.readline, b"working\n")}
        assert len(pids) == 3
        parent.kill()
    deadline = time.monotonic() + 10
    while any(_is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_is_alive(pid) for pid in pids)


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123  # not a path of ours
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@needs_fork
def test_ctrl_c_is_for_the_parent_alone() -> None:
    forked = ForkPool(2)
    pids = forked.allocate_shared((8,), np.int64)

    def note(number: int) -> None:
        pids[number] = os.getpid()
        time.sleep(0.01)

    run = forked.register(note)
    run(8)
    (child,) = set(pids.tolist()) - {os.getpid()}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(child, number)
    run(8)
    assert _is_alive(child)
    forked.close()


# Which pool.


def test_one_worker_is_no_pool() -> None:
    with worker_pool(1) as chosen:
        assert isinstance(chosen, SerialPool)


@needs_fork
def test_processes_are_forked_unless_there_are_threads() -> None:
    with worker_pool(2) as chosen:
        assert isinstance(chosen, ForkPool)
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    with worker_pool(2) as chosen:
        assert isinstance(chosen, ThreadPool)
    done.set()
    thread.join()


def test_workers_are_as_many_as_tasks_and_cores_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    assert useful_workers(tasks=20, n_params=100_000, cores=4) == 4
    assert useful_workers(tasks=20, n_params=100_000, cores=1000) == 20
    assert useful_workers(tasks=1, n_params=100_000, cores=4) == 1
    monkeypatch.setattr(choice, "can_fork", lambda: False)
    assert useful_workers(tasks=20, n_params=100_000, cores=4) == 4
    assert useful_workers(tasks=20, n_params=1_000, cores=4) == 1  # threads would not pay
