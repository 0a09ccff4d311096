from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from plotted import subject_of

from bpcli.nn.propagation import predict
from bpcli.report.scrubber.pictures import (
    ACROSS,
    SHADES,
    Curves,
    Field,
    picture_of,
    points_of,
)
from bpcli.report.scrubber.recording import Recording, recording_of


def recorded(tmp_path: Path, config: str, **overrides: object) -> Recording:
    changes = {"training__epochs": 6, "training__record_params": True, **overrides}
    found = recording_of(subject_of(tmp_path, config, **changes))
    assert found is not None
    return found


def centres(picture: Field) -> np.ndarray:
    left, right, bottom, top = picture.window
    shares = (np.arange(ACROSS) + 0.5) / ACROSS
    grid = np.meshgrid(left + shares * (right - left), top - shares * (top - bottom))
    return np.stack([axis.ravel() for axis in grid], axis=1)


@pytest.mark.parametrize("config", ["moons", "xor", "maxout_moons"])
def test_each_frame_has_the_outputs_of_its_own_parameters(tmp_path: Path, config: str) -> None:
    recording = recorded(tmp_path, config)
    picture = picture_of(recording.subject, recording.params)
    assert isinstance(picture, Field)
    experiment = recording.experiment
    X = experiment.preprocessor.inputs.apply(centres(picture))
    for params, tile in zip(recording.params, picture.tiles, strict=True):
        score = predict(experiment.network, params, X)[:, 0]
        shade = np.clip(score * SHADES, 0, SHADES - 1).astype(int)
        assert np.abs(tile.ravel() - shade).max() <= 1, "single precision may round to the next"
        sure = np.abs(score - 0.5) > 1e-4
        assert ((tile.ravel() >= SHADES // 2) == (score > 0.5))[sure].all()
    assert len(np.unique(picture.tiles, axis=0)) > 1


def test_several_classes_have_their_own_colours(tmp_path: Path) -> None:
    overrides = {"data": "{generator: blobs, n_samples: 90, centers: 3}"}
    recording = recorded(
        tmp_path, "softmax_iris", **overrides, network__layers=[2, 3], training__epochs=40
    )
    picture = picture_of(recording.subject, recording.params)
    assert isinstance(picture, Field)
    experiment = recording.experiment
    X = experiment.preprocessor.inputs.apply(centres(picture))
    outputs = predict(experiment.network, recording.params[-1], X)
    steps = len(picture.palette) // 3
    assert (picture.tiles[-1].ravel() // steps == outputs.argmax(axis=1)).mean() > 0.999


def test_pictures_of_many_classes_and_frames_take_little_memory(tmp_path: Path) -> None:
    X = [[k % 16, k // 16] for k in range(200)]
    overrides = {"data": f"{{inputs: {X}, targets: {[f'c{k}' for k in range(200)]}}}"}
    recording = recorded(
        tmp_path, "softmax_iris", **overrides, network__layers=[2, 200], training__epochs=60
    )
    tracemalloc.start()
    picture = picture_of(recording.subject, recording.params)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(picture, Field)
    one_frame = ACROSS**2 * 200 * 8
    assert peak < 8 * one_frame < len(recording) * one_frame / 4


def test_more_classes_than_colours_have_no_picture(tmp_path: Path) -> None:
    X, names = [[k, k * k] for k in range(257)], [f"c{k}" for k in range(257)]
    overrides = {"data": f"{{inputs: {X}, targets: {names}}}", "network__layers": [2, 257]}
    recording = recorded(tmp_path, "softmax_iris", **overrides, training__epochs=2)
    assert picture_of(recording.subject, recording.params) is None


def test_curves_are_the_outputs_over_the_input(tmp_path: Path) -> None:
    recording = recorded(tmp_path, "sine")
    picture = picture_of(recording.subject, recording.params)
    assert isinstance(picture, Curves)
    x = np.linspace(*picture.window[:2], picture.values.shape[2])[:, np.newaxis]
    for params, curves in zip(recording.params, picture.values, strict=True):
        expected = predict(recording.experiment.network, params, x)
        np.testing.assert_allclose(curves.T, expected, rtol=1e-4, atol=1e-5)


def test_other_networks_have_no_picture(tmp_path: Path) -> None:
    recording = recorded(tmp_path, "softmax_iris")
    assert picture_of(recording.subject, recording.params) is None


def test_rows_keep_their_classes_and_are_counted(tmp_path: Path) -> None:
    recording = recorded(tmp_path, "moons")
    picture = picture_of(recording.subject, recording.params)
    assert isinstance(picture, Field)
    points = points_of(recording.subject, picture)
    split = recording.experiment.splits["train"]
    assert points.total == len(split) == 420
    assert len(points.places) == 240
    rows = {tuple(place): label for place, label in zip(points.places, points.labels, strict=True)}
    assert split.labels is not None
    X = np.asarray(recording.experiment.table.X[:])[split.index[:]]
    known = {tuple(x): label for x, label in zip(X, split.labels, strict=True)}
    assert all(known[place] == label for place, label in rows.items())


def test_a_surface_has_one_shade_for_one_value(tmp_path: Path) -> None:
    recording = recorded(tmp_path, "plane")
    picture = picture_of(recording.subject, recording.params)
    assert isinstance(picture, Field)
    assert len(picture.palette) == SHADES
