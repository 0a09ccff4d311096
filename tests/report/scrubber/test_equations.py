from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from plotted import subject_of

from bpcli.nn.propagation import Workspace, forward_rows
from bpcli.report.scrubber.equations import (
    MOST_BYTES,
    Equations,
    Slots,
    Stations,
    equations_of,
    stations_of,
)
from bpcli.report.scrubber.recording import Recording, recording_of
from bpcli.trace.row_equations import Quantity

SMALL = ["xor", "moons", "sine", "softmax_iris", "encoder_8_3_8"]


def recorded(tmp_path: Path, config: str, **overrides: object) -> Recording:
    changes = {"training__epochs": 6, "training__record_params": True, **overrides}
    found = recording_of(subject_of(tmp_path, config, **changes))
    assert found is not None
    return found


def stationed(recording: Recording) -> tuple[Equations, Stations]:
    has_weights = recording.experiment.splits["train"].weight is not None
    equations = equations_of(recording.subject.network, has_weights)
    return equations, stations_of(recording, equations)


def slot(equations: Equations, stations: Stations, quantity: Quantity) -> np.ndarray:
    """The numbers (S, R) of a quantity."""
    at = equations.quantities.index(quantity) - stations.shared.shape[1]
    if at < 0:
        return np.repeat(stations.shared[:, at, np.newaxis], len(stations.rows), axis=1)
    return stations.by_row[:, :, at]


@pytest.mark.parametrize("config", ["xor", "moons", "sine", "softmax_iris"])
def test_z_and_a_are_those_of_the_forward_pass(tmp_path: Path, config: str) -> None:
    recording = recorded(tmp_path, config)
    equations, stations = stationed(recording)
    experiment = recording.experiment
    X = experiment.preprocessor.inputs.apply(
        np.asarray(experiment.table.X[:], np.float64)[stations.rows]
    )
    for number, frame in enumerate(stations.frames):
        params = recording.params[frame]
        work = Workspace(experiment.network, params)
        forward_rows(work, X)
        for layer, passed in enumerate(work.layers, start=1):
            for unit in range(passed.layer.units):
                for kind, values in (("z", passed.z), ("a", passed.a)):
                    shown = slot(equations, stations, Quantity(kind, layer, unit))[number]
                    np.testing.assert_allclose(shown, values[unit], rtol=1e-12, atol=1e-15)


def test_the_first_slots_are_the_parameters_in_their_order(tmp_path: Path) -> None:
    recording = recorded(tmp_path, "moons")
    equations, stations = stationed(recording)
    names = {}
    for name, tensor in recording.subject.network.tensors(np.arange(193.0)):
        for index, position in np.ndenumerate(tensor):
            names[int(position)] = f"{name}[{','.join(str(each + 1) for each in index)}]"
    assert [*equations.params] == [names[position] for position in range(193)]
    for position, templates in enumerate(equations.params.values()):
        assert templates[0][1] == f"{{{position}}}"
    np.testing.assert_array_equal(stations.shared, recording.params[stations.frames])


def test_rows_with_weights_have_these_in_their_deltas(tmp_path: Path) -> None:
    recording = recorded(tmp_path, "moons", training__class_weights="{0: 1, 1: 3}")
    equations, stations = stationed(recording)
    weight = slot(equations, stations, Quantity("w", 0))
    assert weight.max() == 3 * weight.min()
    delta, a, y = (
        slot(equations, stations, quantity)
        for quantity in (Quantity("delta", 3), Quantity("a", 3), Quantity("y", 0))
    )
    np.testing.assert_allclose(delta, weight * (a - y), rtol=1e-12)


@pytest.mark.parametrize("config", SMALL)
def test_stations_fit_and_include_the_ends(tmp_path: Path, config: str) -> None:
    recording = recorded(tmp_path, config, training__epochs=40)
    _, stations = stationed(recording)
    assert {0, len(recording) - 1, recording.best} <= {*stations.frames.tolist()}
    size = stations.shared.nbytes + stations.by_row.nbytes
    assert size <= MOST_BYTES * 1.3
    assert [len(base64.b64decode(text)) for text in stations.encoded()] == [
        stations.shared.nbytes,
        stations.by_row.nbytes,
    ]


def test_the_row_with_the_largest_loss_is_among_the_choices(tmp_path: Path) -> None:
    recording = recorded(tmp_path, "moons")
    _, stations = stationed(recording)
    experiment = recording.experiment
    Z = experiment.objective().outputs(recording.params[recording.best])
    p = 1 / (1 + np.exp(-Z[0]))
    y = experiment.splits["train"].Y[:, 0]
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    worst = experiment.splits["train"].index[:][loss.argmax()]
    assert worst in stations.rows


def test_what_depends_on_numbers_is_no_template() -> None:
    with pytest.raises(NotImplementedError):
        Slots().is_largest(1, 0)
