"""A run that is loaded again: its weights fit, its scales are the saved ones, its data the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from systems import System, trained
from tampered import change_arrays, change_record

from bpcli.errors import RunError
from bpcli.runs.layout import WEIGHTS
from bpcli.runs.trained import SavedWeights, load_trained, load_weights

SINGLE, DOUBLE = np.dtype("float32"), np.dtype("float64")


@pytest.fixture
def system(tmp_path: Path) -> System:
    """Iris, whose inputs are scaled."""
    return trained(tmp_path, "softmax_iris", training__epochs=3)


def changed(system: System, **arrays: Any) -> SavedWeights:
    """The weights with other arrays, by their names with __ for a dot; None takes one away."""
    saved = load_weights(system.run)
    named = {name.replace("__", "."): array for name, array in arrays.items()}
    together = dict(saved.arrays) | named
    return replace(saved, arrays={name: a for name, a in together.items() if a is not None})


def test_a_run_comes_back_as_it_was_trained(system: System) -> None:
    found = load_trained(system.run)
    assert found.run == system.run
    assert found.record == system.run.record()
    assert found.experiment.network == system.experiment.network
    for name, split in system.experiment.splits.items():
        np.testing.assert_array_equal(found.experiment.splits[name].X, split.X)


def test_the_best_and_the_last_weights_are_loaded_by_name(system: System) -> None:
    saved, network = load_weights(system.run), system.experiment.network
    arrays = {name: array + 1 for name, array in saved.arrays.items() if name.startswith("last.")}
    other = replace(saved, arrays=dict(saved.arrays) | arrays)
    best = other.params(network, "best", DOUBLE)
    np.testing.assert_array_equal(best, load_trained(system.run, "best").params)
    last = load_trained(system.run, "last").params
    np.testing.assert_array_equal(other.params(network, "last", DOUBLE), last + 1)


@pytest.mark.parametrize(
    ("array", "dtype", "message"),
    [
        (None, DOUBLE, r"best\.W1 is missing; the config implies float64 of shape \(3, 4\)\.$"),
        (np.ones((4, 3)), DOUBLE, r"best\.W1 is float64 of shape \(4, 3\); the config implies "),
        (np.ones((3, 4)), SINGLE, r"best\.W1 is float64 of shape \(3, 4\); .* implies float32 "),
        (np.full((3, 4), np.nan), DOUBLE, r"best\.W1 contains NaN or infinity\.$"),
        (np.full((3, 4), -np.inf), DOUBLE, r"best\.W1 contains NaN or infinity\.$"),
    ],
)
def test_weights_that_do_not_fit_are_said(
    array: Any, dtype: np.dtype, message: str, system: System
) -> None:
    saved = changed(system, best__W1=array)
    with pytest.raises(RunError, match=message):
        saved.params(system.experiment.network, "best", dtype)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("inputs__shift", None, r"has no inputs\.shift of shape \(4,\) in float64\.$"),
        ("inputs__shift", np.zeros(3), r"has no inputs\.shift of shape \(4,\) in float64\.$"),
        ("inputs__factor", np.ones(4, SINGLE), r"has no inputs\.factor of shape \(4,\) in float64"),
        ("inputs__factor", np.array([1.0, 0, 1, 1]), r"an invalid inputs\.factor: "),
        ("inputs__shift", np.array([1, np.inf, 1, 1]), r"an invalid inputs\.shift: "),
        ("targets__factor", np.ones(2), r"has no targets\.factor of shape \(3,\) in float64\.$"),
    ],
)
def test_scales_that_do_not_fit_are_said(
    name: str, array: Any, message: str, system: System
) -> None:
    saved = changed(system, **{name: array})
    fitted = system.experiment.preprocessor
    with pytest.raises(RunError, match=message):
        saved.preprocessor(system.experiment.network, fitted.class_names, fitted.words)


def test_scales_are_those_that_were_saved_not_fitted_again(system: System) -> None:
    def shift(arrays: dict[str, Any], _: Any) -> None:
        arrays["inputs.shift"] += 7

    change_arrays(system.run.path(WEIGHTS), shift)
    found = load_trained(system.run).experiment
    fitted = system.experiment.preprocessor.inputs
    np.testing.assert_array_equal(found.preprocessor.inputs.shift, fitted.shift + 7)
    moved = system.split("test").X - 7 / fitted.factor
    np.testing.assert_allclose(found.splits["test"].X, moved, rtol=1e-12, atol=1e-12)


def test_a_run_without_weights_says_how_far_it_came(system: System) -> None:
    system.run.path(WEIGHTS).unlink()
    with pytest.raises(RunError) as caught:
        load_weights(system.run)
    assert str(caught.value) == f"{system.run.run_id} has no weights: its status is `finished`."


def test_fewer_numbers_than_parameters_are_damage(system: System) -> None:
    def empty(arrays: dict[str, Any], _: Any) -> None:
        for name in [*arrays]:
            if not name.startswith("inputs."):
                del arrays[name]

    change_arrays(system.run.path(WEIGHTS), empty)
    with pytest.raises(RunError, match=r"is damaged: it has fewer than 15 parameters\.$"):
        load_weights(system.run)


def test_other_data_than_those_of_the_training_are_said(system: System) -> None:
    change_record(system.run, {"data_sha256": "1" * 64})
    with pytest.raises(RunError) as caught:
        load_trained(system.run)
    assert str(caught.value).startswith(
        f"The data of {system.run.run_id} have changed since its training: their rows differ. "
        "Restore the data files, or train again."
    )
