"""Bundles go to workers that answer, whatever the others do; each shard is stored once."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

from bpcli.cluster import evaluation, members
from bpcli.cluster.evaluation import Bundle, Evaluation, Remote
from bpcli.cluster.plugin import Request
from bpcli.cluster.traffic import Traffic
from bpcli.errors import ClusterError, DataError, WorkerLost

SHARDS = 40
PARAMS = SimpleNamespace(data=SimpleNamespace(nbytes=8))


class Worker:
    """A worker that knows the work; `answer` may do anything else for the request of a number."""

    def __init__(self, answer: Callable[[int], Any] | None = None) -> None:
        self.answer = answer
        self.bundles: list[Bundle] = []
        self.opened = 0

    async def bpnet_begin(self, **_: Any) -> dict[str, Any]:
        return {}

    async def bpnet_open(self, **_: Any) -> dict[str, Any]:
        self.opened += 1
        return {}

    async def bpnet_sums(self, *, first: int, end: int, **_: Any) -> dict[str, Any]:
        self.bundles.append((first, end))
        number = len(self.bundles)
        await asyncio.sleep(0.001)
        if self.answer is not None:
            other = await self.answer(number)
            if other is not None:
                return other  # type: ignore[no-any-return]
        return {"seconds": 0.03 * (end - first)}


class KnownMembers:
    """Members that are known, and that come back after they were lost, if `returns`."""

    def __init__(self, workers: dict[str, Worker], returns: bool = False) -> None:
        self.threads = dict.fromkeys(workers, 1)
        self._returns = returns

    total_threads = 2

    def keep_up(self) -> None:
        return None

    def remove(self, address: str) -> None:
        if not self._returns:
            self.threads.pop(address, None)


def run(workers: dict[str, Worker], returns: bool = False) -> tuple[list[int], Traffic]:
    """Evaluate, and return the shards in the order in which they were stored."""
    stored: list[int] = []
    traffic = Traffic()
    remote = Remote("key", b"work", "digest", 8, 0.03)
    asked = Evaluation(
        workers.__getitem__, KnownMembers(workers, returns), traffic, remote, PARAMS,  # type: ignore[arg-type]
        Request(loss=True, grad=True), SHARDS,
        lambda bundle, _: stored.extend(range(*bundle)),
    )  # fmt: skip
    asyncio.run(asyncio.wait_for(asked.run(), 20))
    assert sorted(stored) == [*range(SHARDS)]
    return stored, traffic


async def lost(number: int) -> None:
    raise OSError


async def lost_at_the_third(number: int) -> None:
    if number == 3:
        raise OSError


async def never(number: int) -> None:
    await asyncio.sleep(1000)


async def replaced_once(number: int) -> dict[str, Any] | None:
    return {"unknown": True} if number == 1 else None


def test_all_workers_get_work_from_the_beginning() -> None:
    workers = {"a": Worker(), "b": Worker()}
    _, traffic = run(workers)
    assert workers["a"].bundles
    assert workers["b"].bundles
    assert workers["a"].bundles[0][1] <= SHARDS // 2
    assert traffic.lost_workers == traffic.repeated_shards == 0
    assert traffic.bytes_sent == 2 * 8


@pytest.mark.parametrize("answer", [lost, lost_at_the_third])
def test_what_a_lost_worker_had_is_computed_by_another(answer: Callable[[int], Any]) -> None:
    workers = {"a": Worker(answer), "b": Worker()}
    _, traffic = run(workers)
    assert traffic.lost_workers == 1
    assert traffic.repeated_shards >= 1


def test_a_worker_that_does_not_answer_is_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "_LATE_SECONDS", 0.01)
    monkeypatch.setattr(evaluation, "_TICK_SECONDS", 0.01)
    _, traffic = run({"a": Worker(never), "b": Worker()})
    assert traffic.lost_workers == 1, "it must show that it answers"


def test_a_worker_that_was_replaced_begins_again() -> None:
    _, traffic = run({"a": Worker(replaced_once), "b": Worker()}, returns=True)
    assert traffic.lost_workers == 1


def test_the_work_is_sent_to_a_worker_that_has_not_got_it() -> None:
    class Fresh(Worker):
        async def bpnet_begin(self, **_: Any) -> dict[str, Any]:
            return {} if self.opened else {"unknown": True}

    workers: dict[str, Worker] = {"a": Fresh()}
    _, traffic = run(workers)
    assert workers["a"].opened == 1
    assert traffic.bytes_sent == len(b"work") + 8


def test_workers_that_end_again_and_again() -> None:
    with pytest.raises(WorkerLost, match="one after another"):
        run({"a": Worker(lost)}, returns=True)


def test_no_worker_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "_PATIENCE_SECONDS", 0.01)
    with pytest.raises(WorkerLost, match="has had no worker"):
        run({"a": Worker(lost)})


def test_what_the_work_raises() -> None:
    async def failed(number: int) -> dict[str, Any]:
        return {"failed": {"text": "ValueError: bad", "pickled": b""}}

    with pytest.raises(ClusterError, match=r"The worker a could not .*: ValueError: bad"):
        run({"a": Worker(failed), "b": Worker()})


@pytest.mark.parametrize("error", [DataError("a.npy cannot be read"), DataError("tcp://a reads")])
def test_an_error_of_the_file_names_the_worker_once(error: DataError) -> None:
    async def failed(number: int) -> dict[str, Any]:
        return {"failed": {"text": "", "pickled": pickle.dumps(error)}}

    with pytest.raises(DataError) as caught:
        run({"tcp://a": Worker(failed), "b": Worker()})
    assert str(error) in str(caught.value)
    assert str(caught.value).count("tcp://a") == 1
