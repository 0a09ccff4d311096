"""How a new run begins, and who trains it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from systems import CONFIGS

from bpcli import system
from bpcli.config.load import load_config
from bpcli.errors import RunError
from bpcli.experiment import Experiment, build
from bpcli.runs.layout import WEIGHTS
from bpcli.terminal.progress import SilentView
from bpcli.training.epoch import Epoch
from bpcli.workflows.train import train, workers_for


def experiment_with(*overrides: str) -> Experiment:
    return build(
        load_config(CONFIGS / "moons.yaml", ["training.epochs=2", "training.stop={}", *overrides])
    )


@pytest.mark.parametrize("error", [RunError("no room"), KeyboardInterrupt()])
def test_a_run_that_cannot_begin_leaves_nothing(error: BaseException, tmp_path: Path) -> None:
    class Fails(SilentView):
        def on_start(self, record: Any, stopping: Any) -> None:
            assert list(tmp_path.glob("*/run.json"))
            raise error

    with pytest.raises(type(error)):
        train(experiment_with(), tmp_path, Fails())
    assert not list(tmp_path.iterdir())


def test_a_run_belongs_to_its_group_or_is_one_by_itself(tmp_path: Path) -> None:
    folds = experiment_with("data.split={folds: 3, fold: 2}")
    alone = train(folds, tmp_path, SilentView())
    assert alone.record.fold.group == alone.run.run_id
    assert train(folds, tmp_path, SilentView(), "first").record.fold.group == "first"


def test_no_training_begins_whose_files_could_not_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "has_room_for_files", lambda count: count < 6)
    with pytest.raises(RunError, match="needs 6 more open files, and the system allows"):
        train(experiment_with(), tmp_path, SilentView())
    assert not list(tmp_path.iterdir())


def test_the_lock_and_the_log_are_closed_at_the_end(tmp_path: Path) -> None:
    run = train(experiment_with(), tmp_path, SilentView()).run
    run.lock().close()  # which another process could hold


def test_observers_see_every_epoch_and_change_no_bit(tmp_path: Path) -> None:
    def losses_and_end(epoch: Epoch) -> bool:
        seen.append(epoch.loss)
        return epoch.number == 12

    experiment = experiment_with("training.epochs=20", "training.log_every=7")
    seen: list[float] = []
    ended = train(experiment, tmp_path, SilentView(), observers=[losses_and_end])
    assert (len(seen), ended.record.stop_reason, ended.record.epochs) == (13, "callback", 12)
    alone = train(experiment_with("training.epochs=12"), tmp_path, SilentView())
    files = [outcome.run.path(WEIGHTS).read_bytes() for outcome in (ended, alone)]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("asked", "rows", "wanted"), [("auto", 60, 1), ("3", 60, 1), ("3", 40_000, 3)]
)
def test_there_are_no_more_workers_than_tasks(
    asked: str, rows: int, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpcli.workflows.workers.usable_cores", lambda: 8)
    experiment = experiment_with(f"training.workers={asked}", f"data.n_samples={rows}")
    assert workers_for(experiment) == wanted
