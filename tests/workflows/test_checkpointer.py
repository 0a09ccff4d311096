"""When checkpoints are saved, and which epochs are not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from systems import CONFIGS
from workflows.epochs import epoch

from bpcli.config.load import load_config
from bpcli.config.models import EverySeconds
from bpcli.errors import RunError
from bpcli.experiment import build
from bpcli.runs.checkpoint import Checkpoint, Extent
from bpcli.terminal.progress import SilentView
from bpcli.training.stopping import StopRules
from bpcli.workflows import checkpointer as module
from bpcli.workflows.checkpointer import ByTheClock, Checkpointer, EveryEpochs, pace_of
from bpcli.workflows.interrupts import StopRequest
from bpcli.workflows.stop_decision import StopDecision
from bpcli.workflows.train import train
from bpcli.workflows.training_log import LogSizes


class Log:
    """A log whose sizes are set by the test."""

    sizes = LogSizes(0, 0)

    def extents(self, sizes: LogSizes) -> tuple[Extent, Extent]:
        return Extent(sizes.log_bytes, "log"), Extent(sizes.path_rows, "path")


class Saver:
    """A checkpointer that saves into a list, after `act`."""

    def __init__(self, pace: Any, act: Callable[[], object] = lambda: None) -> None:
        self.saved: list[Checkpoint] = []
        self.log = Log()
        self.decision = StopDecision(StopRules(99), StopRequest())
        self._act = act
        log: Any = self.log
        self.checkpointer = Checkpointer(pace, self, self.decision, log)  # type: ignore[arg-type]

    def save(self, checkpoint: Checkpoint) -> None:
        self._act()
        self.saved.append(checkpoint)

    def call(self, *epochs: Any, is_last: bool = False) -> None:
        for each in epochs:
            self.decision.after(each)
            self.checkpointer.on_epoch(each, None, is_last)

    @property
    def positions(self) -> list[Any]:
        return [checkpoint.state for checkpoint in self.saved]


def test_every_so_many_epochs_but_not_at_the_start_nor_the_end() -> None:
    saver = Saver(EveryEpochs(3))
    saver.call(*map(epoch, range(9)))
    saver.call(epoch(9), is_last=True)
    assert saver.positions == [3, 6]
    assert [saver.checkpointer.next_due(number) for number in (0, 2, 3)] == [3, 3, 6]


def test_by_the_clock_and_in_a_hundredth_of_the_time_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(module, "clock", lambda: now[0])

    def take_half_a_second() -> None:
        now[0] += 0.5

    saver = Saver(ByTheClock(10, now=5), take_half_a_second)
    saver.call(*map(epoch, range(140)))
    # due at 15; it took 0.5 s, so the next is due 50 s later: in the 66th second
    assert saver.positions == [15, 66, 117]
    assert saver.checkpointer.next_due(3) == sys.maxsize


@pytest.mark.parametrize(
    ("cost", "seconds", "share"),
    [(3, 60.0, "12 s, 20.0 %"), (0.5, 150.0, "2 s, 1.3 %"), (0.5, 201.0, None), (0.2, 1.0, None)],
)
def test_saving_by_epochs_that_takes_more_than_a_hundredth_of_the_time_is_noted(
    cost: float, seconds: float, share: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(module, "clock", lambda: now[0])

    def save() -> None:
        now[0] += cost

    for pace, noted in ((EveryEpochs(2), share), (ByTheClock(2, now=0), None)):
        saver = Saver(pace, save)
        saver.call(*map(epoch, range(9)))
        note = saver.checkpointer.note(seconds)
        assert (note is None) == (noted is None)
        assert noted is None or f"took {noted} of the training time" in str(note)


def test_a_training_ends_with_the_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [0.0]

    def later() -> float:
        now[0] += 1.5
        return now[0]

    monkeypatch.setattr(module, "clock", later)
    notes = {}
    for every in ("10", "1000", "{seconds: 1e9}"):
        options = ["training.epochs=60", f"training.checkpoint_every={every}"]
        experiment = build(load_config(CONFIGS / "xor.yaml", options))
        notes[every] = train(experiment, tmp_path, SilentView()).notes
    assert [len(found) for found in notes.values()] == [1, 0, 0]
    assert "`training.checkpoint_every`" in notes["10"][0]


def test_the_config_asks_for_either_and_a_resumed_training_has_its_seconds_behind_it() -> None:
    assert pace_of(4, None) == EveryEpochs(4)
    start: Any = SimpleNamespace(seconds=100.0)
    pace = pace_of(EverySeconds(seconds=30), start)
    assert (pace.is_due(epoch(129)), pace.is_due(epoch(130))) == (False, True)
    assert pace_of(EverySeconds(seconds=30), None).is_due(epoch(30))


def test_a_checkpoint_has_what_the_rules_remember_and_the_sizes_before_the_epochs_line() -> None:
    saver = Saver(EveryEpochs(1))
    saver.log.sizes = LogSizes(120, 4)
    saver.call(epoch(4, 0.5, val_loss=0.75))
    (checkpoint,) = saver.saved
    assert (checkpoint.log, checkpoint.path) == (Extent(120, "log"), Extent(4, "path"))
    assert (checkpoint.val_loss, checkpoint.seconds) == (0.75, 4.0)
    assert checkpoint.best["number"] == 4
    assert checkpoint.stopping["epochs.now"] == 4


@pytest.mark.parametrize("loss", [np.inf, np.nan])
def test_no_loss_that_is_not_finite_is_saved(loss: float) -> None:
    saver = Saver(EveryEpochs(1))
    last = epoch(2, loss)
    saver.call(epoch(1), last)
    saver.checkpointer.save_last(last)
    assert saver.positions == [1]


def test_the_last_epoch_is_saved_with_the_sizes_before_its_line_and_released() -> None:
    released: list[int] = []
    last = epoch(7, release=lambda: released.append(7))
    saver = Saver(EveryEpochs(100))
    saver.log.sizes = LogSizes(50, 7)
    saver.call(epoch(6), last, is_last=True)
    saver.log.sizes = LogSizes(60, 8)
    saver.checkpointer.save_last(last)
    assert (saver.positions, saver.saved[0].log.size, released) == ([7], 50, [7])


def test_an_epoch_that_the_rules_have_not_measured_is_not_saved() -> None:
    saver = Saver(EveryEpochs(100))
    saver.checkpointer.save_last(None)
    saver.checkpointer.save_last(epoch(0))
    saver.call(epoch(6))
    saver.checkpointer.save_last(epoch(7))  # left while it was being measured
    assert saver.positions == []


def test_a_failure_to_save_is_raised() -> None:
    def fail() -> None:
        raise RunError("no room")

    saver = Saver(EveryEpochs(2), fail)
    with pytest.raises(RunError, match="no room"):
        saver.call(epoch(2))
