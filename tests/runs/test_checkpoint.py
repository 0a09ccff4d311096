from __future__ import annotations

import errno
import hashlib
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
from bpcli.optimizers import StepFailed
from bpcli.optimizers.base import Point
from bpcli.optimizers.decays import Exponential
from bpcli.optimizers.plateau import Plateau
from bpcli.runs.checkpoint import NOTHING, Checkpoint, Checkpoints, Extent, misfit, misfit_of_rate
from bpcli.runs.layout import METRICS
from bpcli.runs.store import Run
from bpcli.training.state import TrainState

LOG = b"a first line, and more"
LOG_DIGEST = hashlib.sha256(LOG[:12]).hexdigest()


def a_checkpoint(number: int, val_loss: float | None = None, size: int = 7) -> Checkpoint:
    rng = np.random.default_rng(number)
    params = rng.standard_normal(size)
    slots = {
        "steps": np.asarray(number), "loss": np.asarray(np.inf), "has_moved": np.asarray(True),
        "H": rng.standard_normal((3, 2)), "mean": rng.standard_normal(size).astype("f4"),
    }  # fmt: skip
    best = {"number": np.asarray(1), "val_loss": np.asarray(0.1), "params": params[::-1]}
    state = TrainState(
        number, Point(params), slots, np.random.default_rng(number).bit_generator.state
    )
    stopping = {"epochs.now": np.asarray(number)}
    return Checkpoint(state, best, stopping, 0.1, val_loss, Extent(12, LOG_DIGEST), NOTHING)


def moved(checkpoint: Checkpoint, **changes: Any) -> Checkpoint:
    return replace(checkpoint, state=checkpoint.state._replace(**changes))


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
    return of_run(tmp_path)


def of_run(folder: Path) -> Checkpoints:
    (folder / METRICS).write_bytes(LOG)
    return Checkpoints(Run(folder), "0" * 16)


def newest(tmp_path: Path, log: bytes = LOG) -> Checkpoint | None:
    (tmp_path / METRICS).write_bytes(log)
    return Checkpoints(Run(tmp_path), "0" * 16).newest()


def saved_in(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("checkpoint-*")}


def test_all_comes_back_as_it_was(checkpoints: Checkpoints, tmp_path: Path) -> None:
    ended = moved(a_checkpoint(7), ended=StepFailed("line_search", "Nothing lower."))
    reduced = moved(a_checkpoint(5), rate_state={"lowest": np.asarray(0.1), "count": np.asarray(2)})
    for wanted in (reduced, a_checkpoint(6, val_loss=0.3), ended):
        checkpoints.save(wanted)
        found = newest(tmp_path)
        assert_same(found, wanted)
        assert found is not None
        assert found.state.rate_state == wanted.state.rate_state
    assert found.state.ended is not None
    assert found.state.ended.reason == "line_search"
    assert str(found.state.ended) == "Nothing lower."


def test_the_two_newest_and_the_best_stay(checkpoints: Checkpoints, tmp_path: Path) -> None:
    for number, loss in enumerate((5, 4, 2, 3, 6, 7)):
        checkpoints.save(a_checkpoint(number, val_loss=loss))
    assert saved_in(tmp_path) == {f"checkpoint-{number}.safetensors" for number in (2, 4, 5)}
    again = of_run(tmp_path)
    again.newest()
    again.save(a_checkpoint(6, val_loss=1))
    assert saved_in(tmp_path) == {f"checkpoint-{number}.safetensors" for number in (5, 6)}


def test_a_loss_that_is_no_number_is_the_largest(checkpoints: Checkpoints, tmp_path: Path) -> None:
    for number, loss in enumerate((5.0, np.inf, np.nan, np.inf)):
        checkpoints.save(a_checkpoint(number, val_loss=loss))
    assert saved_in(tmp_path) == {f"checkpoint-{number}.safetensors" for number in (0, 2, 3)}
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
    assert newest(tmp_path, LOG[:11]) is None  # its log was cut short
    assert newest(tmp_path, b"A" + LOG[1:]) is None  # or changed
    assert newest(tmp_path, LOG[:12] + b"other lines since") is not None
    assert Checkpoints(Run(tmp_path), "another").newest() is None
    path.rename(tmp_path / "checkpoint-5.safetensors")
    assert newest(tmp_path) is None
    (tmp_path / "checkpoint-5.safetensors").rename(tmp_path / "checkpoint-0003.safetensors")
    assert newest(tmp_path) is None
    (tmp_path / "checkpoint-3.safetensors").symlink_to("/dev/null")
    assert newest(tmp_path) is None


def test_what_does_not_fit_is_named() -> None:
    found = a_checkpoint(3)
    params, state = found.state.params, found.state.optimizer_state
    bounds = {"steps": (3, 4)}
    assert misfit(found, params, state, bounds) is None
    assert misfit(found, params[1:], state, bounds) == "params"
    assert misfit(found, params, {**state, "H": np.zeros((2, 3))}, bounds) == "state.H"
    assert misfit(found, params, {**state, "H": state["H"].astype("f4")}, bounds) == "state.H"
    assert misfit(found, params, {}, bounds) == "state"
    assert misfit(found, params, state, {"steps": (4, 5)}) == "state.steps"
    assert misfit(found, params, state, {"loss": (0, 9)}) == "state.loss"
    assert misfit(moved(found, point=Point(params * np.nan)), params, state, bounds) == "params"
    for wrong in (
        {"params": params.astype("f4")}, {"params": params[1:]}, {"params": params * np.inf},
    ):  # fmt: skip
        changed = replace(found, best={**found.best, **wrong})
        assert misfit(changed, params, state, bounds) == "best.params"
    for wrong in (
        {"number": np.asarray(-1)}, {"number": np.asarray(1.0)}, {"number": np.zeros(2, int)},
        {"val_loss": np.asarray(np.nan)}, {"val_loss": np.asarray(True)}, {"more": np.zeros(1)},
    ):  # fmt: skip
        changed = replace(found, best={**found.best, **wrong})
        assert misfit(changed, params, state, bounds) == "best"


def test_a_state_that_does_not_fit_the_learning_rate_is_named() -> None:
    schedule = Plateau(0.5)
    state = schedule.init()
    fitting = moved(a_checkpoint(3), rate_state=state)
    assert misfit_of_rate(fitting, schedule) is None
    for rate in (0.5, None, Exponential(0.5, decay=0.9)):
        assert misfit_of_rate(fitting, rate) is None  # it was changed: the state is not used
    assert misfit_of_rate(a_checkpoint(3), schedule) is None
    for name, changed in (
        ("rate", {"lowest": state["lowest"]}),
        ("rate.lowest", {**state, "lowest": np.asarray(np.nan)}),
        ("rate.lowest", {**state, "lowest": np.ones(2)}),
        ("rate.count", {**state, "count": np.asarray(-1)}),
        ("rate.reductions", {**state, "reductions": np.asarray(0.5)}),
    ):
        assert misfit_of_rate(moved(fitting, rate_state=changed), schedule) == name


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


NUMBERS = [errno.ENOSPC, errno.EACCES]
if os.environ.get("BPNET_FULL"):
    NUMBERS += [errno.EIO, errno.EDQUOT]


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
def test_whatever_call_fails_a_whole_file_stays_and_no_other(number: int, tmp_path: Path) -> None:
    called: list[str] = []
    for at in range(1, 100):
        folder = tmp_path / str(at)
        folder.mkdir()
        checkpoints = of_run(folder)
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
