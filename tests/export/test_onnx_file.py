"""The ONNX file, run by another program."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from models import (
    AVERAGED,
    MIXED,
    MIXED_ROWS,
    NAMES,
    VARIANTS,
    a_model,
    average_of_three,
    mean_of_outputs,
    named_model,
    rows_of,
)
from pandas import DataFrame

from bpcli.errors import ConfigError
from bpcli.export import onnx_file
from bpcli.export.onnx_file import onnx_bytes, onnx_outputs
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

DOUBLE = np.dtype("float64")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("hidden", VARIANTS, ids=str)
def test_every_activation_is_computed_as_we_do(hidden: Activation, dtype: str) -> None:
    model = a_model(hidden, outputs=2, dtype=dtype)
    X = rows_of(model)
    expected = model.in_double().outputs(X)
    outputs, classes = onnx_outputs(onnx_bytes(model), X, np.dtype(dtype))
    assert (outputs.dtype, classes) == (np.dtype(dtype), None)
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    assert (abs(outputs - expected) <= tolerance * abs(expected).max(axis=0)).all()


@pytest.mark.parametrize(
    ("output", "outputs", "classes"),
    [("sigmoid", 1, ("no", "ÿes")), ("softmax", 3, ("a", "b", "c")), ("tanh", 2, ("x", "y"))],
)
@pytest.mark.parametrize("scaled", [True, False])
def test_classes_are_those_we_say(
    output: str, outputs: int, classes: tuple[str, ...], scaled: bool
) -> None:
    model = a_model(
        ACTIVATIONS["tanh"](), output=output, outputs=outputs, classes=classes, scaled=scaled
    )
    X = rows_of(model, 40)
    labels = model.labels(model.outputs(X))
    assert labels is not None
    assert len({*labels.tolist()}) > 1
    _, found = onnx_outputs(onnx_bytes(model), X, DOUBLE)
    assert found is not None
    assert found.tolist() == [[classes[label]] for label in labels]


@pytest.mark.parametrize(("output", "classes"), AVERAGED)
def test_an_average_of_networks_is_the_mean_of_their_outputs(
    output: str, classes: tuple[str, ...]
) -> None:
    average, members = average_of_three(output, classes)
    X = rows_of(average)
    outputs, _ = onnx_outputs(onnx_bytes(average), X, DOUBLE)
    np.testing.assert_allclose(outputs, mean_of_outputs(members, X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("probability", "expected"), [(0.5, "yes"), (np.nextafter(0.5, 0), "no")])
def test_one_output_means_the_second_class_from_a_half(probability: float, expected: str) -> None:
    model = a_model(ACTIVATIONS["tanh"](), classes=("no", "yes"), scaled=False)
    params = np.zeros_like(model.params)
    params[-1] = probability  # the bias of the output, an identity
    _, classes = onnx_outputs(onnx_bytes(replace(model, params=params)), np.ones((1, 3)), DOUBLE)
    assert classes is not None
    assert classes.tolist() == [[expected]]


def test_labels_are_words_from_a_half_up_named_in_the_metadata() -> None:
    words = {"ill": ("no", "yes"), "old": ("0", "1")}
    model = a_model(ACTIVATIONS["tanh"](), outputs=2, words=words, scaled=False)
    params = np.zeros_like(model.params)
    matrix = model.network.matrices(params)[-1]
    matrix[:, -1] = [0.5, np.nextafter(0.5, 0)]  # the biases of the outputs
    content = onnx_bytes(replace(model, params=params))
    _, found = onnx_outputs(content, np.ones((1, 3)), DOUBLE)
    assert found is not None
    assert found.tolist() == [["yes", "0"]]
    properties = {each.key: each.value for each in onnx.load_from_string(content).metadata_props}
    assert json.loads(properties["labels"]) == ["ill", "old"]


def test_inputs_are_the_encoded_columns() -> None:
    model = a_model(ACTIVATIONS["tanh"](), columns=MIXED)
    frame = DataFrame(MIXED_ROWS)
    outputs, _ = onnx_outputs(onnx_bytes(model), model.encoder.encode(frame), DOUBLE)
    np.testing.assert_allclose(outputs, model.predict(frame), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_in_the_metadata_in_printable_text(name: str) -> None:
    model = named_model(name)
    content = onnx.load_from_string(onnx_bytes(model))
    metadata = {entry.key: entry.value for entry in content.metadata_props}
    assert all(value.isprintable() for value in metadata.values())
    assert json.loads(metadata["inputs"]) == list(model.encoder.names)
    assert json.loads(metadata["outputs"]) == list(model.output_names)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_a_package_it_says_what_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = a_model(ACTIVATIONS["tanh"]())
    content = onnx_bytes(model)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ConfigError, match=rf'needs the package {package}: pip install "bpcli\[onnx\]"'
    ):
        onnx_bytes(model) if package == "onnx" else onnx_outputs(content, rows_of(model), DOUBLE)


def test_what_a_file_has_no_room_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "_MOST_BYTES", 100)
    with pytest.raises(
        ConfigError,
        match=r"^The parameters take 168 bytes, but an ONNX file can have at most 2 GiB: train "
        r"in float32, or export to json\.$",
    ):
        onnx_bytes(a_model(ACTIVATIONS["tanh"]()))
