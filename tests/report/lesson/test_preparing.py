from __future__ import annotations

import pytest
from systems import CONFIGS

from bpcli.errors import ConfigError
from bpcli.report.lesson import preparing
from bpcli.report.lesson.preparing import lesson_experiment


def test_a_lesson_records_its_epochs() -> None:
    experiment, notes = lesson_experiment(CONFIGS / "xor.yaml", ())
    assert experiment.spec.training.record_params
    assert experiment.spec.training.epochs == 5000
    assert notes == []


def test_too_many_epochs_are_cut_with_a_note_unless_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preparing, "_MOST_NUMBERS", 17 * 1234)
    experiment, notes = lesson_experiment(CONFIGS / "xor.yaml", ())
    assert experiment.spec.training.epochs == 1200
    assert experiment.spec.training.record_params
    (note,) = notes
    assert note.startswith("the lesson has 1,200 of the 5,000 epochs of the config")
    asked, notes = lesson_experiment(CONFIGS / "xor.yaml", ("training.epochs=9000",))
    assert asked.spec.training.epochs == 9000
    assert notes == []


def test_the_matrix_of_an_optimizer_counts_as_work() -> None:
    experiment, _ = lesson_experiment(CONFIGS / "two_spirals.yaml", ("training.epochs=7",))
    assert preparing._affordable(experiment) < 1000


def test_restarts_become_one_training_with_a_note() -> None:
    experiment, notes = lesson_experiment(CONFIGS / "xor.yaml", ("training.restarts=4",))
    assert experiment.spec.training.all_restarts.count == 1
    assert notes == ["a lesson is about one training: the first of 4 restarts"]


def test_all_folds_are_no_lesson() -> None:
    with pytest.raises(ConfigError, match=r"--set data\.split\.fold=1"):
        lesson_experiment(CONFIGS / "moons.yaml", ("data.split={folds: 3, val: 0.1}",))
