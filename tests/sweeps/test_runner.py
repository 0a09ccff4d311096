"""The runner: results that depend on no process, and none that is lost or computed twice."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trainings import Recorder, ask_to_stop, moons, restarts, run, sweep_in, trainings_of
from work import forked_children, no_hang

from bpcli.config.load import config_of
from bpcli.errors import RunError
from bpcli.runs.files import file_digest
from bpcli.runs.layout import JOURNAL, METRICS
from bpcli.runs.lock import LockHeld
from bpcli.runs.store import Run
from bpcli.sweeps import places, training
from bpcli.sweeps.journal import Journal
from bpcli.sweeps.runner import InOrder
from bpcli.sweeps.training import Training, TrainingResult, run_training
from bpcli.system import Child, children
from bpcli.terminal.progress import SilentView
from bpcli.training.epoch import Epoch
from bpcli.workflows.interrupts import StopRequest, stop_requests

forked = pytest.mark.skipif(not hasattr(os, "fork"), reason="no child processes")


@pytest.fixture(autouse=True)
def _never_for_ever() -> Iterator[None]:
    with no_hang():
        yield


def without_times(results: list[TrainingResult]) -> list[TrainingResult]:
    return sorted((replace(each, seconds=0.0) for each in results), key=lambda each: each.name)


def statuses(results: list[TrainingResult]) -> dict[str, str]:
    return {each.name: each.status for each in results}


def test_one_process_trains_in_order(tmp_path: Path) -> None:
    recorder = Recorder()
    results = run(sweep_in(tmp_path), restarts(3), 1, recorder=recorder)
    assert recorder.started == ["0000-0", "0001-0", "0002-0"]
    assert [each.name for each in results] == recorder.started
    assert recorder.ended == results
    assert {each.status for each in results} == {"finished"}
    assert len({each.weights_sha256 for each in results}) == 3


def test_results_do_not_depend_on_the_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings = [*restarts(3), *(replace(each, seed=1) for each in restarts(2))]
    one, two, four = (run(sweep_in(tmp_path), trainings, processes) for processes in (1, 2, 4))
    monkeypatch.setattr(children, "can_fork", lambda: False)
    here = run(sweep_in(tmp_path), trainings, 4)
    assert len(one) == 5
    for other in (two, four, here):
        assert without_times(other) == without_times(one)


def test_no_more_than_the_given_number_run_at_once(tmp_path: Path) -> None:
    running: list[int] = []
    recorder = Recorder()
    recorder.on_start = lambda _: running.append(len(recorder.started) - len(recorder.ended))
    run(sweep_in(tmp_path), restarts(5), 2, recorder=recorder)
    assert max(running) == 2
    assert len(running) == 5


def kill_this_child() -> None:
    assert multiprocessing.parent_process() is not None, "never the process of the tests"
    os.kill(os.getpid(), signal.SIGKILL)


class _KilledAt(SilentView):
    """Kills this process at an epoch."""

    def next_due(self, number: int) -> int:
        return number + 1

    def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
        if epoch.number == 5:
            kill_this_child()


def _killed(which: str) -> Callable[[Training, Path], str]:
    """`run_training`, with one training that kills its process."""

    def run_or_die(one: Training, folder: Path) -> str:
        if one.name == which:
            training.SilentView = _KilledAt  # type: ignore[misc]  # in a process of its own
        return run_training(one, folder)

    return run_or_die


@forked
def test_trainings_that_fail_are_recorded_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = ("network.activations=[identity, identity]", "loss=mse")
    trainings = trainings_of([
        moons(), moons("network.layers=[5, 3, 1]"), moons(),
        moons(*linear, "training.learning_rate=1e300"), moons(),
    ])  # fmt: skip
    monkeypatch.setattr(places, "run_training", _killed("0002-0"))
    sweep = sweep_in(tmp_path)
    results = {each.name: each for each in run(sweep, trainings)}
    assert statuses([*results.values()]) == {
        "0000-0": "finished", "0001-0": "failed", "0002-0": "failed", "0003-0": "diverged",
        "0004-0": "finished",
    }  # fmt: skip
    assert "5 units" in (results["0001-0"].error or "")
    assert results["0002-0"].error == "Its process was killed by signal 9."
    assert results["0000-0"].weights_sha256 == results["0004-0"].weights_sha256
    monkeypatch.undo()
    recorder = Recorder()
    assert len(run(sweep, trainings, recorder=recorder)) == 5
    assert recorder.started == [], "what has failed is a result"


@forked
def test_after_a_signal_those_in_flight_save_and_are_resumed_to_the_same_bits(
    tmp_path: Path,
) -> None:
    trainings = restarts(4, "training.epochs=3000", "training.log_every=1")
    whole = run(sweep_in(tmp_path / "whole"), trainings)
    sweep, request, recorder = sweep_in(tmp_path / "interrupted"), StopRequest(), Recorder()
    logs = [sweep.trainings / each.name / METRICS for each in trainings[:2]]
    begun: list[str] = []

    def tick() -> None:
        if request.signal_number is None and all(map(_has_lines, logs)):
            begun.extend(recorder.started)
            ask_to_stop(request)

    recorder.on_tick = tick
    before = {each.name for each in run(sweep, trainings, request=request, recorder=recorder)}
    assert recorder.started == begun, "none began after the signal"
    # One of the two may end by itself between the signal and the look at what is in flight.
    (in_flight,) = recorder.stopped
    assert 1 <= in_flight <= 2
    interrupted = [name for name in (log.parent.name for log in logs) if name not in before]
    assert interrupted
    assert {Run(sweep.trainings / name).record().status for name in interrupted} == {"interrupted"}
    again = Recorder()
    after = run(sweep, trainings, recorder=again)
    assert {*again.started} == {each.name for each in trainings} - before
    assert all(len(Run(sweep.trainings / name).record().resumed) == 1 for name in interrupted)
    digests = [{each.name: each.weights_sha256 for each in one} for one in (whole, after)]
    assert digests[0] == digests[1]


def _has_lines(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


@forked
def test_what_was_killed_with_its_parent_is_resumed_to_the_same_bits(tmp_path: Path) -> None:
    settings = ("training.epochs=40", "training.checkpoint_every=1")
    (whole,) = run(sweep_in(tmp_path), restarts(1, *settings))
    sweep = sweep_in(tmp_path)

    (one,) = restarts(1, *settings)
    child = Child(lambda name: _killed(name)(one, sweep.trainings))
    child.begin(one.name)
    assert child.answer() is None
    child.close()
    assert sweep.results() == []
    (resumed,) = run(sweep, [one])
    assert Run(sweep.trainings / "0000-0").record().resumed[0].at_epoch in (4, 5)
    assert resumed.weights_sha256 == whole.weights_sha256


@pytest.mark.parametrize("rest", [0, 20])
def test_a_training_that_ended_but_is_not_in_the_journal_is_not_run_again(
    rest: int, tmp_path: Path
) -> None:
    """The process was killed before it wrote the line, or in the middle of it."""
    sweep, trainings = sweep_in(tmp_path), restarts(3)
    whole = run(sweep, trainings, 1)
    path = sweep.folder / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:rest])
    recorder = Recorder()
    assert run(sweep, trainings, recorder=recorder) == whole
    assert recorder.started == []
    assert [each.name for each in recorder.ended] == ["0002-0"]


def test_results_of_the_journal_are_not_told_again(tmp_path: Path) -> None:
    sweep, trainings, recorder = sweep_in(tmp_path), restarts(3), Recorder()
    run(sweep, trainings[:2])
    run(sweep, trainings, recorder=recorder)
    assert recorder.started == [each.name for each in recorder.ended] == ["0002-0"]


class _Noting(InOrder):
    """Notes the results that it gets."""

    def __init__(self, trainings: list[Training]) -> None:
        super().__init__(trainings)
        self.got: list[str] = []

    def update(self, result: TrainingResult) -> None:
        self.got.append(result.name)


def test_a_schedule_gets_every_result_also_known_ones(tmp_path: Path) -> None:
    sweep, trainings = sweep_in(tmp_path), restarts(3)
    run(sweep, trainings[1:2])
    schedule = _Noting(trainings)
    run(sweep, trainings, 1, schedule=schedule)
    assert sorted(schedule.got) == ["0000-0", "0001-0", "0002-0"]


@forked
def test_if_the_journal_cannot_be_written_no_process_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append(*_: Any) -> None:
        raise RunError("The disk is full.")

    monkeypatch.setattr(Journal, "append", append)
    long = restarts(2, "training.epochs=1000000", "training.stop={}")
    with pytest.raises(RunError, match=r"The disk is full\."):
        run(sweep_in(tmp_path), [*restarts(1), *(replace(each, seed=1) for each in long)], 3)
    assert forked_children() == []


def test_another_process_cannot_run_the_same_sweep(tmp_path: Path) -> None:
    sweep = sweep_in(tmp_path)
    with sweep.open(), pytest.raises(LockHeld):
        run(sweep, restarts(1))


@forked
def test_after_a_signal_to_one_child_alone_another_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(one: Training, folder: Path) -> str:
        return _interrupted(one, folder) if one.setting == 1 else run_training(one, folder)

    monkeypatch.setattr(places, "run_training", asked)
    with stop_requests() as request:  # which the child inherits, and where it notes the signal
        results = run(sweep_in(tmp_path / "signal"), restarts(3), 1, request=request)
    monkeypatch.undo()
    undisturbed = run(sweep_in(tmp_path / "none"), restarts(3), 1)
    digests = [{each.name: each.weights_sha256 for each in one} for one in (results, undisturbed)]
    assert digests[0] == digests[1]
    assert statuses(results) == dict.fromkeys(["0000-0", "0001-0", "0002-0"], "finished")


@forked
def test_a_training_that_is_asked_to_end_again_and_again_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        places, "run_training", lambda one, at: "" if one.setting == 1 else run_training(one, at)
    )
    results = run(sweep_in(tmp_path), restarts(3), 1)
    assert sorted(each.status for each in results) == ["failed", "finished", "finished"]
    (failed,) = (each for each in results if each.status == "failed")
    assert failed.error == "Its process was asked to end 3 times."


def test_trainings_on_other_data_than_those_of_the_sweep_fail(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x,y\n" + "".join(f"{n},{n * n}\n" for n in range(20)))
    config = config_of(
        {
            "data": {"file": str(table), "split": {"val": 0.3}},
            "network": {"layers": ["auto", 2, 1], "activations": ["tanh", "identity"]},
            "loss": "mse",
            "training": {"epochs": 2},
        }
    )
    trainings = [Training(n, 0, None, config) for n in range(2)]
    sweep = sweep_in(tmp_path)
    data_files = {str(table): file_digest(table)}

    def one_more_row(_: TrainingResult) -> None:
        table.write_text(table.read_text() + "20,400\n")

    recorder = Recorder(one_more_row)
    results = run(sweep, trainings, 1, recorder=recorder, data_files=data_files)
    assert [each.status for each in results] == ["finished", "failed"]
    assert results[1].error == f"{table} has changed since the sweep began."


@forked
def test_a_process_that_was_killed_between_two_trainings_is_replaced(tmp_path: Path) -> None:
    def kill_all(_: TrainingResult) -> None:
        for process in forked_children():
            process.kill()
            process.join()

    results = run(sweep_in(tmp_path), restarts(3), 1, recorder=Recorder(kill_all))
    assert [each.status for each in results] == ["finished"] * 3


@forked
def test_a_process_is_kept_for_many_trainings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Child] = []

    def child(work: Callable[[str], str]) -> Child:
        started.append(Child(work))
        return started[-1]

    monkeypatch.setattr(places, "Child", child)
    run(sweep_in(tmp_path), restarts(6), 2)
    assert len(started) == 2


def _interrupted(one: Training, folder: Path) -> str:
    """A training that is asked to stop at epoch 5."""

    class Asked(_KilledAt):
        def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
            if epoch.number == 5:
                os.kill(os.getpid(), signal.SIGTERM)

    training.SilentView = Asked  # type: ignore[misc]  # in a process of its own
    return run_training(one, folder)
