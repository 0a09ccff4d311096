from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.errors import RunError
from bpcli.runs.checkpoint import Checkpoint, Checkpoints, misfit
from bpcli.runs.store import Run
from bpcli.training.loop import Position
from bpcli.training.optimizers import NoStep

RANDOM = np.random.default_rng(3)


def a_checkpoint(number: int, val_loss: float | None = None, size: int = 7) -> Checkpoint:
    params = RANDOM.standard_normal(size)
    state = {
        "steps": np.asarray(number), "loss": np.asarray(np.inf), "has_moved": np.asarray(True),
        "H": RANDOM.standard_normal((3, 2)), "mean": RANDOM.standard_normal(size).astype("f4"),
    }  # fmt: skip
    best = {"number": np.asarray(1), "val_loss": np.asarray(0.1), "params": params[::-1]}
    position = Position(number, params, state, np.random.default_rng(number).bit_generator.state)
    return Checkpoint(position, best, {"epochs.now": np.asarray(number)}, 0.1, val_loss, 12, 0)


def moved(checkpoint: Checkpoint, **changes: Any) -> Checkpoint:
    return replace(checkpoint, position=checkpoint.position._replace(**changes))


def assert_same(found: Checkpoint | None, wanted: Checkpoint) -> None:
    assert found is not None
    assert found.to_json() == wanted.to_json()
    arrays = found.to_arrays()
    assert arrays.keys() == wanted.to_arrays().keys()
    for name, array in wanted.to_arrays().items():
        assert (arrays[name].shape, arrays[name].dtype) == (array.shape, array.dtype), name
        assert arrays[name].tobytes() == np.asarray(array, order="C").tobytes(), name


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(Run(tmp_path), "me")


def newest(tmp_path: Path, log_bytes: int = 12) -> Checkpoint | None:
    return Checkpoints(Run(tmp_path), "me").newest(log_bytes)


def test_all_comes_back_as_it_was(checkpoints: Checkpoints, tmp_path: Path) -> None:
    ended = moved(a_checkpoint(4), ended=NoStep("line_search", "Nothing lower."))
    for wanted in (a_checkpoint(3, val_loss=0.3), ended):
        checkpoints.save(wanted)
        found = newest(tmp_path)
        assert_same(found, wanted)
    assert found is not None
    assert found.position.ended is not None
    assert found.position.ended.reason == "line_search"
    assert str(found.position.ended) == "Nothing lower."


def test_the_two_newest_and_the_best_stay(checkpoints: Checkpoints, tmp_path: Path) -> None:
    for number, loss in enumerate((5, 4, 2, 3, 6, 7)):
        checkpoints.save(a_checkpoint(number, val_loss=loss))
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {f"checkpoint-{number}.safetensors" for number in (2, 4, 5)}
    again = Checkpoints(Run(tmp_path), "me")
    again.newest(12)
    again.save(a_checkpoint(6, val_loss=1))
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {f"checkpoint-{number}.safetensors" for number in (5, 6)}


def test_a_loss_that_is_no_number_is_the_largest(checkpoints: Checkpoints, tmp_path: Path) -> None:
    for number, loss in enumerate((5.0, np.inf, np.nan, np.inf)):
        checkpoints.save(a_checkpoint(number, val_loss=loss))
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {f"checkpoint-{number}.safetensors" for number in (0, 2, 3)}
    found = newest(tmp_path)
    assert found is not None
    assert found.val_loss is None


@pytest.mark.slow
def test_no_flipped_bit_and_no_cut_goes_unnoticed(checkpoints: Checkpoints, tmp_path: Path) -> None:
    checkpoints.save(a_checkpoint(3))
    path = tmp_path / "checkpoint-3.safetensors"
    content = path.read_bytes()
    step = 1 if os.environ.get("BPNET_FULL") else 7
    for place in range(0, len(content), step):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert newest(tmp_path) is None, place
    for length in range(0, len(content), step):
        path.write_bytes(content[:length])
        assert newest(tmp_path) is None, length
    path.write_bytes(content)
    assert newest(tmp_path) is not None


def test_what_belongs_elsewhere_is_none(checkpoints: Checkpoints, tmp_path: Path) -> None:
    checkpoints.save(a_checkpoint(3))
    path = tmp_path / "checkpoint-3.safetensors"
    assert newest(tmp_path, log_bytes=11) is None  # its log was cut short
    assert Checkpoints(Run(tmp_path), "another").newest(12) is None
    path.rename(tmp_path / "checkpoint-5.safetensors")
    assert newest(tmp_path) is None
    (tmp_path / "checkpoint-5.safetensors").rename(tmp_path / "checkpoint-0003.safetensors")
    assert newest(tmp_path) is None
    (tmp_path / "checkpoint-3.safetensors").symlink_to("/dev/null")
    assert newest(tmp_path) is None


def test_what_does_not_fit_is_named() -> None:
    found = a_checkpoint(3)
    params, state = found.position.params, found.position.state
    assert misfit(found, params, state) is None
    assert misfit(found, params[1:], state) == "params"
    assert misfit(found, params, {**state, "H": np.zeros((2, 3))}) == "H"
    assert misfit(found, params, {}) == "state"
    assert misfit(moved(found, params=params * np.nan), params, state) == "params"


# Every call of a save fails in turn.


class Failing:
    """Counts the system calls that are made, and lets one of them fail."""

    def __init__(self, at: int, number: int) -> None:
        self.calls: list[str] = []
        self._at, self._number = at, number

    def count(self, name: str) -> None:
        self.calls.append(name)
        if len(self.calls) == self._at:
            raise OSError(self._number, os.strerror(self._number))

    def watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.count(name)
            return function(*arguments, **options)

        return call

    def open(self, path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if "x" not in mode:
            return _OPEN(path, mode, *arguments, **options)
        self.count("open")
        return io.BufferedWriter(FailingFile(path, self))


_OPEN = io.open


class FailingFile(io.FileIO):
    def __init__(self, path: Any, failing: Failing) -> None:
        super().__init__(path, "x")
        self._failing = failing

    def write(self, content: Any) -> int:
        self._failing.count("write")
        return super().write(content[:1000])  # as the system may do

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._failing.count("close")


@contextmanager
def failing(at: int, number: int) -> Iterator[Failing]:
    with pytest.MonkeyPatch.context() as patch:
        found = Failing(at, number)
        for name in ("open", "fsync", "replace", "rename", "unlink", "close"):
            patch.setattr(os, name, found.watched(name, getattr(os, name)))
        patch.setattr(io, "open", found.open)
        yield found


def saved_or_said(checkpoints: Checkpoints, checkpoint: Checkpoint) -> str | None:
    try:
        checkpoints.save(checkpoint)
    except RunError as error:
        return str(error)
    return None


NUMBERS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EACCES]


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
def test_whatever_call_fails_a_whole_file_stays_and_no_other(number: int, tmp_path: Path) -> None:
    called: list[str] = []
    for at in range(1, 100):
        folder = tmp_path / str(at)
        folder.mkdir()
        checkpoints = Checkpoints(Run(folder), "me")
        before = [a_checkpoint(each, val_loss=9 - each) for each in (1, 2)]
        for each in before:
            checkpoints.save(each)
        wanted = a_checkpoint(3, size=3000, val_loss=1)
        with failing(at, number) as found:
            said = saved_or_said(checkpoints, wanted)
        if said is None:
            break
        assert os.strerror(number) in said
        assert str(folder) in said
        called = found.calls
        has_new = (folder / "checkpoint-3.safetensors").exists()
        assert has_new == ("replace" in called[: at - 1]), called
        assert_same(newest(folder), wanted if has_new else before[-1])
        assert not list(folder.glob(".*"))
        checkpoints.save(wanted)  # once there is room again
        assert_same(newest(folder), wanted)
    assert at > 20  # writes, and one call each of the rest
    assert {"open", "write", "fsync", "close", "replace", "unlink"} <= set(found.calls)
    assert not found.calls[at - 1 :]  # all of them have failed once
