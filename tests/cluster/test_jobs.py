"""Work that a worker's programs do: asked for, stopped, dropped and abandoned."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

import psutil
from echo_program import MODULE
from helpers_path import finding_tests
from work import no_hang

from bpcli.cluster import jobs as module
from bpcli.cluster.jobs import Jobs


@pytest.fixture(autouse=True)
def _never_for_ever() -> Iterator[None]:
    with no_hang(), finding_tests():
        yield


def processes() -> list[psutil.Process]:
    found = psutil.Process().children()
    return [each for each in found if each.status() != "zombie" and MODULE in each.cmdline()]


def on_a_worker(folder: Path, act: Callable[[Jobs], Awaitable[Any]], threads: int = 1) -> Any:
    """What `act` returns, which speaks with a worker of so many threads."""

    async def run() -> Any:
        with ThreadPoolExecutor(threads) as pool:
            worker = SimpleNamespace(executors={"default": pool}, local_directory=str(folder))
            jobs = Jobs(worker)
            try:
                return await act(jobs)
            finally:
                jobs.close()

    return asyncio.run(run())


def test_work_is_answered_and_a_process_is_kept(tmp_path: Path) -> None:
    async def act(jobs: Jobs) -> list[Any]:
        answers = []
        for key, work in (("a", b"pid"), ("b", b"x"), ("c", b"pid")):
            assert jobs.run(key, MODULE, work) == {}
            answers.append(await jobs.answer(key, 60))
        return answers

    first, second, third = on_a_worker(tmp_path, act)
    assert second == {"answer": b"X"}
    assert first == third
    assert processes() == []
    assert [*tmp_path.iterdir()] == []


def test_an_answer_is_given_once_and_work_that_goes_on_says_so(tmp_path: Path) -> None:
    async def act(jobs: Jobs) -> list[Any]:
        jobs.run("a", MODULE, b"wait")
        jobs.run("b", MODULE, b"x")  # it waits for the thread
        running = [await jobs.answer("a", 0.01), await jobs.answer("b", 0.01)]
        jobs.drop("a")
        answers = [await jobs.answer(key, 60) for key in ("a", "b", "b")]
        return [*running, *answers]

    running, unknown = {"running": True}, {"unknown": True}
    assert on_a_worker(tmp_path, act) == [running, running, unknown, {"answer": b"X"}, unknown]


def test_how_a_process_ended(tmp_path: Path) -> None:
    async def act(jobs: Jobs) -> list[Any]:
        jobs.run("a", MODULE, b"exit")
        jobs.run("b", MODULE, b"kill")
        jobs.run("c", "no_such_module", b"x")
        return [await jobs.answer(key, 60) for key in "abc"]

    assert on_a_worker(tmp_path, act, threads=3) == [
        {"fate": "ended with status 7"},
        {"fate": "was killed by signal 9"},
        {"fate": "ended with status 1"},
    ]


def test_work_is_stopped_before_and_after_it_began(tmp_path: Path) -> None:
    async def act(jobs: Jobs) -> list[Any]:
        jobs.run("a", MODULE, b"wait")
        jobs.run("b", MODULE, b"x")
        while not [*tmp_path.glob("*/waits")]:
            await jobs.answer("a", 0.01)
        for key in ("b", "a", "unknown"):
            assert jobs.stop(key) == {}
        return [await jobs.answer(key, 60) for key in "ab"]

    assert on_a_worker(tmp_path, act) == [
        {"fate": "was killed by signal 15"},
        {"fate": "did not begin"},
    ]


def test_a_process_that_does_not_start(tmp_path: Path) -> None:
    async def act(jobs: Jobs) -> Any:
        jobs.run("a", MODULE, b"x")
        return await jobs.answer("a", 60)

    assert on_a_worker(tmp_path / "no folder", act)["fate"].startswith("did not start: ")


async def _all_are_ended(jobs: Jobs) -> None:
    while processes() or jobs._is_looking:
        await asyncio.sleep(0.01)


def test_work_that_nobody_asks_for_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that was killed says nothing."""
    for name in ("_SECONDS_BETWEEN_LOOKS", "_ABANDONED_AFTER_SECONDS"):
        monkeypatch.setattr(module, name, 0.01)

    async def act(jobs: Jobs) -> Any:
        jobs.run("a", MODULE, b"wait")
        for _ in range(200):  # it may have ended before it was seen
            if processes():
                break
            await asyncio.sleep(0.01)
        await _all_are_ended(jobs)
        return await jobs.answer("a", 1)

    assert on_a_worker(tmp_path, act) == {"unknown": True}


def test_a_process_without_work_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SECONDS_BETWEEN_LOOKS", "_IDLE_SECONDS"):
        monkeypatch.setattr(module, name, 0.01)

    async def act(jobs: Jobs) -> None:
        jobs.run("a", MODULE, b"x")
        assert await jobs.answer("a", 60) == {"answer": b"X"}
        await _all_are_ended(jobs)

    on_a_worker(tmp_path, act)


def test_a_process_that_works_is_not_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SECONDS_BETWEEN_LOOKS", "_IDLE_SECONDS"):
        monkeypatch.setattr(module, name, 0.01)

    async def act(jobs: Jobs) -> Any:
        jobs.run("a", MODULE, b"wait")
        return await jobs.answer("a", 0.5)

    assert on_a_worker(tmp_path, act) == {"running": True}
