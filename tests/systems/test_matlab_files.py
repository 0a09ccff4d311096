"""MATLAB's files as its users have them: from the file to predictions, without a config by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_array

Bpnet = Callable[..., Any]
RNG = np.random.default_rng(5)
X = RNG.normal(size=(90, 3)).round(3)
KINDS = np.where(X[:, 0] > 0.3, 0, np.where(X[:, 1] > 0, 1, 2))
VALUES = X @ [1.0, -2, 0.5]
WORDS = np.array(["setosa", "versicolor", "virginica"], object)[KINDS][:, np.newaxis]
FILES: dict[str, tuple[dict[str, Any], str]] = {
    "rows": ({"X": X, "y": VALUES}, "regression"),
    "columns": ({"x": X.T, "t": VALUES[np.newaxis]}, "regression"),
    "sample_set": ({"houseInputs": X.T, "houseTargets": VALUES[np.newaxis]}, "regression"),
    "words": ({"meas": X, "species": WORDS}, "classification"),
    "one_hot": ({"irisInputs": X.T, "irisTargets": np.eye(3)[KINDS].T}, "classification"),
    "vector": ({"spectra": X, "octane": VALUES[:, np.newaxis]}, "regression"),
    "big_endian": ({"X": X.astype(">f8"), "y": VALUES.astype(">f8")}, "regression"),
    "sparse": ({"X": csc_array(X), "y": VALUES}, "regression"),
    "gaps": ({"X": X, "y": np.where(np.arange(90) == 4, np.nan, VALUES)}, "regression"),
}


def trained(bpnet: Bpnet, *options: str) -> None:
    assert bpnet("init", "f.mat", *options).code == 0
    done = bpnet("train", "f.yaml", "--set", "training.epochs=30", "--quiet")
    assert done.code == 0, done.err


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_described_trained_on_and_predicted(name: str, bpnet: Bpnet) -> None:
    arrays, task = FILES[name]
    savemat("f.mat", arrays)
    described = bpnet("data", "f.mat", "--json")
    assert described.code == 0, described.err
    about = json.loads(described.out)
    assert (about["task"], len(about["columns"])) == (task, 4)
    assert about["rows"] == 90 - (name == "gaps")
    trained(bpnet)
    predicted = bpnet("predict", "latest", "f.mat")
    assert predicted.code == 0, predicted.err
    assert len(predicted.out.splitlines()) == 91
    savemat("new.mat", {"only": X})
    assert bpnet("predict", "latest", "new.mat").out == predicted.out


def test_what_was_guessed_of_arrays_is_said(bpnet: Bpnet) -> None:
    savemat("f.mat", FILES["sample_set"][0])
    said = bpnet("data", "f.mat").err
    assert "f.mat: inputs are `houseInputs`, targets are `houseTargets`" in said
    assert "f.mat: each sample is a column, as in MATLAB's networks" in said


def test_arrays_named_in_a_config_are_met_again_in_new_rows(bpnet: Bpnet) -> None:
    savemat("f.mat", {"meas": X, "extra": X[:, :2], "species": WORDS})
    refused = bpnet("data", "f.mat")
    assert refused.code == 2
    assert "set `inputs` in a config to `meas` (90 x 3 float64)" in refused.err.replace("×", "x")
    Path("f.yaml").write_text(
        "data: {file: f.mat, inputs: meas, targets: species}\n"
        "network: {layers: [auto, 3, auto], activations: [tanh, softmax]}\nloss: cross_entropy\n"
        "training: {epochs: 5, optimizer: rprop}\n"
    )
    assert bpnet("train", "f.yaml", "--quiet").code == 0
    assert len(bpnet("predict", "latest", "f.mat").out.splitlines()) == 91


def test_samples_as_columns_can_be_told_where_sizes_do_not_tell(
    bpnet: Bpnet, rng: np.random.Generator
) -> None:
    square = rng.normal(size=(30, 30))
    savemat("f.mat", {"x": square, "t": square[0][np.newaxis]})
    trained(bpnet, "--layout", "columns")
    assert "layout: columns" in Path("f.yaml").read_text()
    outputs = bpnet("predict", "latest", "f.mat").out
    savemat("f.mat", {"x": square.T, "t": square[0][:, np.newaxis]})
    assert bpnet("predict", "latest", "f.mat", "--layout", "rows").out == outputs
    Path("t.csv").write_text("a,b\n1,2\n3,4\n")
    refused = bpnet("data", "t.csv", "--layout", "columns")
    assert refused.code == 2
    assert "is for arrays (.npy, .npz, .mat): transpose the table" in refused.err
