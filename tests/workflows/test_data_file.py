"""The file of a program's arrays, which a run's config can name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from systems import CONFIGS

from bpcli.config.load import config_of, load_config, validate
from bpcli.config.source import Source
from bpcli.data.files.array_files import load_arrays
from bpcli.errors import ConfigError, RunError
from bpcli.experiment import Experiment, build
from bpcli.runs.provenance import data_digest
from bpcli.workflows.data_file import with_data_file

X = np.arange(24.0).reshape(8, 3) % 7


def experiment(**data: Any) -> Experiment:
    targets = ["b", "a"] * 4
    return build(
        config_of(
            {
                "data": {"inputs": X, "targets": np.array(targets), **data},
                "network": {"layers": ["auto", 2, "auto"], "activations": ["tanh", "sigmoid"]},
                "loss": "binary_cross_entropy",
                "training": {"epochs": 3},
            },
            ["seed=4"],
            name="mine",
        )
    )


def test_the_config_of_the_file_is_the_same_training(tmp_path: Path) -> None:
    given = experiment(weight=np.arange(1, 9), split={"train": 0.5, "val": 0.5})
    saved = with_data_file(given, tmp_path)
    assert saved.config.overrides == ("seed=4",)
    again = build(validate(Source.parse(saved.config.resolved(), "resolved.yaml")))
    assert data_digest(again.table) == data_digest(given.table)
    assert again.table.class_names == ("a", "b")
    for name, split in given.splits.items():
        assert again.splits[name].index.tolist() == split.index.tolist()
        assert again.splits[name].weight.tolist() == split.weight.tolist()
    assert again.initial_params.tolist() == given.initial_params.tolist()
    assert (again.spec.seed, again.spec.training) == (4, given.spec.training)


def test_other_configs_stay_as_they_are(tmp_path: Path) -> None:
    xor = build(load_config(CONFIGS / "xor.yaml"))
    assert with_data_file(xor, tmp_path) is xor
    assert not list(tmp_path.iterdir())


def test_the_file_has_plain_arrays_named_by_its_content(tmp_path: Path) -> None:
    first, _ = (with_data_file(experiment(), tmp_path / name) for name in ("a", "b"))
    (one,), (other,) = ((tmp_path / name).iterdir() for name in ("a", "b"))
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()
    assert first.spec.data.files == (one.absolute(),)
    arrays = load_arrays(one)
    assert arrays["classes"].tolist() == ["a", "b"]
    assert arrays["targets"].tolist() == [1, 0] * 4


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        with_data_file(experiment(), tmp_path / "file")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bpnet": np.array("rows 2")}, "its array `bpnet` is not 'rows 1'"),
        ({"inputs": None}, "its array `bpnet` is not 'rows 1'"),
        ({"targets": np.array([1, 2] * 4)}, "the targets are 1 to 2, but the indices of the 2"),
        ({"targets": np.array([0.5, 1] * 4)}, "with `classes`, targets are their indices"),
        ({"targets": np.zeros((8, 3), int)}, "expected 2 columns of targets"),
        ({"split.val": np.array([8])}, "the rows of `val` are 8 to 8, but the data have the rows"),
        ({"split.val": np.array([[0.5]])}, "the rows of `val` are not a list of row numbers"),
        ({"weight": np.zeros(8)}, "the weight 0 of row 1 is not a finite number above 0"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(
    changed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    saved = with_data_file(experiment(), tmp_path)
    (file,) = tmp_path.iterdir()
    arrays = load_arrays(file) | changed
    np.savez(file, **{name: array for name, array in arrays.items() if array is not None})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=message):
        build(saved.config)
