"""The JSON file, read by its documentation alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from models import MIXED, NAMES, VARIANTS, a_model, named_model, rows_of
from scipy.special import expit, softmax

from bpcli.export.json_file import document, json_text
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array

JSON_ACTIVATIONS: dict[str, Callable[..., Array]] = {
    "identity": lambda z: z,
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda z: z.clip(0),
    "leaky_relu": lambda z, slope: np.where(z > 0, z, slope * z),
    "elu": lambda z, alpha: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
    "softplus": lambda z: np.logaddexp(0, z),
    "exponential": np.exp,
    "softsign": lambda z: z / (1 + abs(z)),
    "maxout": lambda z, pieces: np.stack([z[k::pieces] for k in range(pieces)]).max(axis=0),
    "softmax": lambda z: softmax(z, axis=0),
}


def by_json(text: str, X: Array) -> Array:
    saved = json.loads(text)
    scale = saved["input_scale"]
    a = ((X - scale["shift"]) / scale["factor"]).T
    for layer in saved["layers"]:
        z = np.array(layer["weights"]) @ a
        if layer["bias"] is not None:
            z += np.array(layer["bias"])[:, np.newaxis]
        options = layer["activation"]
        a = JSON_ACTIVATIONS[options.pop("name")](z, **options)
    scale = saved["output_scale"]
    outputs: Array = a.T * scale["factor"] + scale["shift"]
    return outputs


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("hidden", VARIANTS, ids=str)
def test_every_activation_is_computed_as_we_do(hidden: Activation, dtype: str) -> None:
    model = a_model(hidden, outputs=2, dtype=dtype)
    X = rows_of(model)
    expected = model.in_double().outputs(X)
    np.testing.assert_allclose(by_json(json_text(model), X), expected, rtol=1e-12, atol=1e-13)


def test_without_biases_and_scales_there_are_none() -> None:
    saved = document(a_model(ACTIVATIONS["tanh"](), bias="none", scaled=False))
    assert [layer["bias"] is None for layer in saved["layers"]] == [True, False]
    assert saved["input_scale"] == {"shift": [0.0] * 3, "factor": [1.0] * 3}


def test_columns_are_described_as_they_are_encoded() -> None:
    model = a_model(ACTIVATIONS["tanh"](), columns=MIXED)
    saved = json.loads(json_text(model))
    assert [column["name"] for column in saved["columns"]] == [
        "age",
        "married",
        "job",
        "town",
        "seen",
        "clock",
        "stored",
    ]
    assert saved["columns"][2] == {
        "name": "job", "kind": "category", "categories": ["clerk", "smith", "1"],
        "date_format": None, "calendar": [], "fill": "smith", "indicator": True,
    }  # fmt: skip
    assert saved["inputs"] == list(model.encoder.names)
    assert len(saved["inputs"]) == len(saved["layers"][0]["weights"][0])


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back_from_printable_text(name: str) -> None:
    text = json_text(named_model(name))
    assert text.replace("\n", "").isprintable()
    saved = json.loads(text)
    assert (saved["name"], saved["classes"]) == (name, [name, "b"])
    assert saved["columns"][0]["categories"] == [name, f"{name}2"]


def test_each_key_and_each_layer_has_a_line() -> None:
    model = a_model(ACTIVATIONS["relu"]())
    lines = json_text(model).splitlines()
    assert sum(line.startswith('  {"activation"') for line in lines) == 2
    keys = [line[2:].partition('"')[0] for line in lines if line.startswith(' "')]
    assert keys == list(document(model))


def test_what_json_cannot_hold_is_not_written() -> None:
    model = a_model(ACTIVATIONS["relu"]())
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(replace(model, params=model.params * np.inf))
