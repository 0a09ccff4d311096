"""How much of a run is loaded, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from systems import System, trained
from tampered import vouch

from bpcli.errors import NumericsNotPinned, RunError
from bpcli.runs.layout import METRICS, PATH, WEIGHTS
from bpcli.workflows import subject as module
from bpcli.workflows.subject import load_subject


@pytest.fixture
def system(tmp_path: Path) -> System:
    return trained(tmp_path, "xor", training__epochs=2)


@pytest.fixture
def split(tmp_path: Path) -> System:
    """A run with a test split, without a validation set."""
    return trained(
        tmp_path, "moons", training__epochs=1, data__n_samples=40, data__split="{test: 0.5}",
        training__stop="{}",
    )  # fmt: skip


def test_a_whole_run_has_no_faults(system: System) -> None:
    subject = load_subject(system.run, "best", None)
    assert subject.errors == {}
    assert [line.epoch for line in subject.lines] == [0, 1, 2]
    assert subject.rebuilt is not None
    assert (subject.rebuilt.params == system.params).all()


def test_what_is_damaged_is_a_fault_of_what_needs_it(system: System) -> None:
    system.run.path(METRICS).write_text("")
    system.run.path(WEIGHTS).unlink()
    vouch(system.run)
    subject = load_subject(system.run, "best", None)
    assert subject.errors == {
        "log": f"{system.run.run_id} has no epochs: its status is `finished`.",
        "network": f"{system.run.run_id} has no weights: its status is `finished`.",
        "weights": f"{system.run.run_id} has no weights: its status is `finished`.",
    }
    assert (subject.rebuilt, subject.path, subject.lines) == (None, None, [])


def test_recorded_parameters_are_there_if_the_run_has_them(tmp_path: Path) -> None:
    without = trained(tmp_path, "plane", training__epochs=2, training__record_params="false")
    assert load_subject(without.run, "best", None).path is None
    system = trained(tmp_path, "plane", training__epochs=2, training__record_params="true")
    path = load_subject(system.run, "best", None).path
    assert path is not None
    assert path.shape == (3, len(system.params))
    system.run.path(PATH).write_bytes(b"")
    assert "is damaged" in load_subject(system.run, "best", None).errors["network"]


def test_a_run_that_another_process_could_draw_is_no_damaged_one(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NumericsNotPinned({"A": "1"})

    monkeypatch.setattr(module, "load_trained", refuse)
    with pytest.raises(NumericsNotPinned, match='A="1"'):
        load_subject(system.run, "best", None)


def test_the_split_is_that_asked_for_else_the_farthest_from_training(split: System) -> None:
    assert load_subject(split.run, "best", None).split == "test"
    assert load_subject(split.run, "best", "train").split == "train"
    with pytest.raises(RunError) as caught:
        load_subject(split.run, "best", "val")
    assert str(caught.value) == (
        f"The val split of {split.run.run_id} is empty: choose another split."
    )
    split.run.path(WEIGHTS).unlink()
    assert load_subject(split.run, "best", None).split == "train"
