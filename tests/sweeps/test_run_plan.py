"""A plan that is run, and what its view is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trainings import VAL_LOSS, ask_to_stop, restarts, sweep_in

from bpcli.errors import WorkerLost
from bpcli.sweeps import run_plan as module
from bpcli.sweeps.folder import Kind, SweepFolder
from bpcli.sweeps.plan import Plan
from bpcli.sweeps.run_plan import PlanResults, run_plan
from bpcli.sweeps.runner import InOrder
from bpcli.terminal.sweep import SilentProgress
from bpcli.workflows.interrupts import stop_requests

TRAININGS = restarts(3)


class Noting(SilentProgress):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.starts: list[tuple[int, int]] = []
        self.begun: list[str] = []
        self.ended: list[tuple[str, str, int]] = []
        self.ticks = 0

    def on_start(self, document: Mapping[str, Any], processes: int) -> None:
        self.starts.append((document["counts"]["missing"], processes))

    def on_training_start(self, training: Mapping[str, Any]) -> None:
        assert training["status"] == "missing"
        self.begun.append(training["label"])

    def on_training_end(self, training: Mapping[str, Any], document: Mapping[str, Any]) -> None:
        assert training in document["trainings"]
        assert training["value"] is not None
        missing = document["counts"]["missing"]
        self.ended.append((training["label"], training["status"], missing))

    def tick(self) -> None:
        self.ticks += 1


def done(sweep: SweepFolder, view: SilentProgress, processes: int | None = 1) -> PlanResults:
    settings = {each.setting: {"number": each.setting} for each in TRAININGS}
    plan = Plan("t", sweep.folder, "restart", VAL_LOSS, None, settings, TRAININGS)
    return run_plan(sweep, plan, InOrder(TRAININGS), view, processes)


def test_the_view_is_told_of_each_training_with_the_document_so_far(tmp_path: Path) -> None:
    view = Noting()
    results = done(sweep_in(tmp_path), view)
    assert view.starts == [(3, 1)]
    assert view.begun == ["restart 0", "restart 1", "restart 2"]
    assert view.ended == [
        ("restart 0", "finished", 2), ("restart 1", "finished", 1), ("restart 2", "finished", 0),
    ]  # fmt: skip
    assert view.ticks >= 3
    assert results.signal_number is None
    assert [each.setting for each in results.in_order] == [0, 1, 2]
    assert results.document["counts"]["finished"] == 3
    assert results.document["interrupted"] is False


@pytest.mark.parametrize(("asked", "cores", "used"), [(None, 2, 2), (None, 8, 3), (9, 2, 3)])
def test_processes_are_as_many_as_asked_for_or_cores_but_no_more_than_trainings(
    asked: int | None, cores: int, used: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "usable_cores", lambda: cores)
    view = Noting()
    done(sweep_in(tmp_path), view, asked)
    assert view.starts == [(3, used)]


def test_after_a_signal_the_rest_is_missing_and_is_done_later(tmp_path: Path) -> None:
    sweep, view, later = sweep_in(tmp_path), Noting(), Noting()
    with stop_requests() as request:

        def stop_once() -> None:
            if view.ended and request.signal_number is None:
                ask_to_stop(request)

        view.tick = stop_once  # type: ignore[method-assign]
        results = done(sweep, view)
    assert results.signal_number is not None
    assert results.document["interrupted"] is True
    assert results.document["counts"]["missing"] == 3 - len(results.in_order) > 0
    whole = done(sweep, later)
    assert later.starts == [(3 - len(results.in_order), 1)]
    assert len(whole.in_order) == 3
    assert whole.in_order[0] == results.in_order[0]


@pytest.mark.parametrize("kind", ["sweep", "size", "restarts"])
def test_a_cluster_that_was_lost_is_told_with_the_command_that_goes_on(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise WorkerLost("The cluster has had no worker.")

    sweep = sweep_in(tmp_path)
    sweep.write(replace(sweep.record(), kind=kind))
    monkeypatch.setattr(module.Runner, "run", lost)
    with pytest.raises(WorkerLost) as caught:
        done(sweep, SilentProgress())
    command = "train" if kind == "restarts" else kind
    (note,) = caught.value.__notes__
    assert note == f"Train the rest with: bpnet {command} --resume {sweep.folder}"
    assert sweep.record().ended == ""
