"""What a worker answers to the requests of a training."""

from __future__ import annotations

import asyncio
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

from cluster_rows import WIDE

from bpcli.cluster import plugin
from bpcli.cluster.plugin import Opened, Request, ShardPlugin
from bpcli.engine.rows import Rows
from bpcli.engine.shard_work import ShardWork
from bpcli.errors import DataError

EVERYTHING = Request(loss=True, grad=True)


def work() -> ShardWork:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(9_000, 10)), rng.normal(size=(9_000, 3))
    return ShardWork(WIDE, Rows.of(WIDE, X, Y, np.dtype("f8")), np.dtype("f8"))


def on_a_worker() -> ShardPlugin:
    threads = {"default": ThreadPoolExecutor(1)}
    state = SimpleNamespace(nthreads=3)
    worker = SimpleNamespace(handlers={}, executors=threads, state=state, address="tcp://w:1")
    made = ShardPlugin()
    made.setup(worker)
    assert {*worker.handlers} == {
        f"bpnet_{each}"
        for each in ("facts", "open", "begin", "sums", "close", "run", "answer", "stop", "drop")
    }
    return made


def test_a_request_gives_the_sums_of_its_shards() -> None:
    worker, params = on_a_worker(), np.ones(WIDE.n_params)
    worker.open("key", pickle.dumps(work()), work().digest())
    assert worker.begin("key", 1, params) == {}
    answer = asyncio.run(worker.sums("key", 1, 2, 5, [*EVERYTHING]))
    expected = [work().sums(number, params, loss=True, grad=True) for number in (2, 3, 4)]
    np.testing.assert_array_equal(answer["losses"].data, [each.loss for each in expected])
    np.testing.assert_array_equal(answer["grads"].data, [each.grad for each in expected])
    assert "tallies" not in answer
    assert answer["seconds"] > 0


def test_what_a_worker_has_not_got_is_unknown() -> None:
    worker = on_a_worker()
    assert worker.begin("key", 1, np.ones(WIDE.n_params)) == {"unknown": True}
    assert asyncio.run(worker.sums("key", 1, 0, 1, [*EVERYTHING])) == {"unknown": True}
    worker.open("key", pickle.dumps(work()), work().digest())
    worker.begin("key", 2, np.ones(WIDE.n_params))
    assert asyncio.run(worker.sums("key", 1, 0, 1, [*EVERYTHING])) == {"unknown": True}
    worker.close("key")
    assert worker.begin("key", 2, np.ones(WIDE.n_params)) == {"unknown": True}
    worker.close("key")


def test_work_without_requests_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = on_a_worker()
    worker.open("old", pickle.dumps(work()), work().digest())
    worker.open("new", pickle.dumps(work()), work().digest())
    assert worker.begin("old", 1, np.ones(WIDE.n_params)) == {}
    monkeypatch.setattr(plugin, "_FORGOTTEN_AFTER_SECONDS", 0.0)
    worker.open("newest", pickle.dumps(work()), work().digest())
    assert worker.begin("old", 1, np.ones(WIDE.n_params)) == {"unknown": True}


def test_a_worker_that_reads_other_rows_refuses_the_work() -> None:
    worker = on_a_worker()
    other = replace(work(), data=replace(work().data, targets=work().data.targets + 1))  # type: ignore[arg-type]
    answer = worker.open("key", pickle.dumps(work()), other.digest())
    error = pickle.loads(answer["failed"]["pickled"])
    assert isinstance(error, DataError)
    assert str(error).startswith("The worker tcp://w:1 reads other rows from the file of the data")
    assert worker.begin("key", 1, np.ones(WIDE.n_params)) == {"unknown": True}


def test_work_that_cannot_be_unpickled() -> None:
    answer = on_a_worker().open("key", b"cno_such_package\nReader\n.", "")
    assert answer["failed"]["text"].startswith("ModuleNotFoundError: ")


def test_an_expected_failure_is_sent_as_it_is() -> None:
    failure = plugin._failure(DataError("It changed.", "data.file"))
    found = pickle.loads(failure["pickled"])
    assert (str(found), found.key) == ("It changed.", "data.file")
    assert plugin._failure(OSError("gone"))["pickled"] == b""


def test_an_evaluation_that_was_given_up_stops_between_shards() -> None:
    opened = Opened(work(), 1, np.ones(WIDE.n_params))
    computed = []

    class Interrupted(ShardWork):
        def sums(self, number, params, **request):  # type: ignore[no-untyped-def]
            computed.append(number)
            opened.version = 2
            return super().sums(number, params, **request)

    opened.work = Interrupted(WIDE, work().data, np.dtype("f8"))
    assert opened.sums(1, 0, 5, EVERYTHING) is None
    assert computed == [0]


def test_each_thread_has_its_own_buffers() -> None:
    """A thread may still be busy with an evaluation that was given up."""
    users = []

    class Remembering(ShardWork):
        def sums(self, number, params, **request):  # type: ignore[no-untyped-def]
            users.append(self)
            return super().sums(number, params, **request)

    opened = Opened(Remembering(WIDE, work().data, np.dtype("f8")), 1, np.ones(WIDE.n_params))
    for _ in range(2):
        with ThreadPoolExecutor(1) as thread:
            thread.submit(opened.sums, 1, 0, 1, EVERYTHING).result()
    assert users[0] is not users[1]
    assert all(each is not opened.work for each in users)


def test_programs_end_with_their_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    worker, closed = on_a_worker(), []
    monkeypatch.setattr(plugin.Jobs, "close", lambda _: closed.append(True))
    worker.teardown(worker._worker)
    assert closed == [True]


def test_the_threads_of_a_worker_are_told() -> None:
    assert on_a_worker().facts()["threads"] == 3
