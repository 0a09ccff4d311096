from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plotted import subject_of

from bpcli.report.scrubber.recording import chosen_epochs, recording_of
from bpcli.training.objective import NetworkObjective


def test_a_run_without_a_path_has_no_recording(tmp_path: Path) -> None:
    assert recording_of(subject_of(tmp_path, "xor", training__epochs=3)) is None


def test_losses_are_the_objective_and_right_rows_are_counted(tmp_path: Path) -> None:
    subject = subject_of(
        tmp_path, "moons", training__epochs=9, training__l2=0.1, training__record_params=True
    )
    recording = recording_of(subject)
    assert recording is not None
    assert recording.epochs.tolist() == [*range(10)]
    assert recording.shows_every_epoch
    logged = {line["epoch"]: line for line in (each.numbers() for each in subject.lines)}
    for frame, epoch in enumerate(recording.epochs.tolist()):
        line = logged[epoch]
        assert recording.losses[frame] == pytest.approx(line["loss"], rel=1e-12)
        assert recording.val_losses is not None
        assert recording.val_losses[frame] == pytest.approx(line["val.loss"], rel=1e-12)
        assert recording.right is not None
        assert recording.right[frame] / 420 == pytest.approx(line["train.accuracy"])


def test_a_diverged_end_is_left_out_and_said(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "sine", training__epochs=8, training__record_params=True)
    path = np.array(subject.path)
    path[6:] = np.nan
    recording = recording_of(replace(subject, path=path))
    assert recording is not None
    assert recording.is_cut
    assert recording.epochs.tolist() == [*range(6)]
    assert np.isfinite(recording.losses).all()


def test_nothing_finite_is_no_recording(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=3, training__record_params=True)
    path = np.full_like(np.array(subject.path), np.inf)
    assert recording_of(replace(subject, path=path)) is None


def test_few_epochs_are_all_chosen() -> None:
    assert chosen_epochs(7, 8, None).tolist() == [*range(8)]


def test_many_epochs_are_denser_where_the_loss_changes() -> None:
    epochs = np.arange(1001)
    losses = np.where(epochs < 100, np.exp(-epochs / 20.0), np.exp(-5.0))
    chosen = chosen_epochs(1000, 101, (epochs, losses))
    assert len(chosen) <= 101
    assert (chosen[0], chosen[-1]) == (0, 1000)
    assert (chosen <= 100).sum() >= 50
    assert np.diff(chosen).max() <= 25
    even = chosen_epochs(1000, 101, None)
    assert np.diff(even).max() == np.diff(even).min() == 10


def test_milestones_are_the_start_the_way_the_best_and_the_end(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "moons", training__epochs=60, training__record_params=True)
    recording = recording_of(subject)
    assert recording is not None
    early = replace(
        recording, subject=replace(subject, record=replace(subject.record, best_epoch=20))
    )
    assert {0, 20, 60} < {*early.milestones}
    late = replace(
        recording, subject=replace(subject, record=replace(subject.record, best_epoch=60))
    )
    frames = late.milestones
    assert (frames[0], frames[-1], len(frames)) == (0, 60, 4)
    fall = recording.losses[0] - recording.losses.min()
    quarter = recording.losses[0] - recording.losses[frames[1]]
    assert quarter >= 0.25 * fall


def test_losses_of_the_validation_set_are_without_l2(tmp_path: Path) -> None:
    subject = subject_of(
        tmp_path, "moons", training__epochs=2, training__l2=1, training__record_params=True
    )
    recording = recording_of(subject)
    assert recording is not None
    assert recording.val_losses is not None
    rows = subject.experiment.rows("val")
    expected = NetworkObjective(subject.network, rows).value(np.array(subject.path)[2])
    assert recording.val_losses[2] == expected
