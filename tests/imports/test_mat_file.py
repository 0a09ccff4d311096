"""Networks in .mat files, as matrices and as cells."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from imported import assert_same_bits, is_close, outputs_of, refusal
from models import a_model
from scipy.io import savemat

from bpcli.errors import ModelError
from bpcli.imports.mat_file import mat_model
from bpcli.nn.activations import ACTIVATIONS
from bpcli.workflows.weights import mat_bytes

W1, B1 = np.array([[0.5, -1.0], [2.0, 3.0]]), np.array([[0.1], [0.2]])
W2, B2 = np.array([[1.0, -2.0]]), np.array([[0.3]])
SCALE = {"xoffset": np.array([[0.0], [10.0]]), "gain": np.array([[2.0], [0.1]]), "ymin": -1.0}


def saved(compressed: bool = True, **variables: Any) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, variables, do_compression=compressed)
    return buffer.getvalue()


def cells(rows: list[list[Any]]) -> np.ndarray:
    array = np.empty((len(rows), len(rows[0])), object)
    for row, column in np.ndindex(array.shape):
        array[row, column] = rows[row][column]
    return array


NONE = np.empty((0, 0))
FORMS: dict[str, dict[str, Any]] = {
    "matrices": {"IW": W1, "b1": B1, "LW": W2, "b2": B2, "x1_step1": SCALE},
    "numbered": {"IW1_1": W1, "b1": B1, "LW2_1": W2, "b2": 0.3, "x1_step1": SCALE},
    "cells": {
        "IW": cells([[W1], [NONE]]),
        "LW": cells([[NONE, NONE], [W2, NONE]]),
        "b": cells([[B1], [B2]]),
        "inputs": cells([[SCALE]]),
        "transferFcns": cells([["tansig"], ["purelin"]]),
    },
    "struct": {
        "net": {
            "IW": cells([[W1], [NONE]]),
            "LW": cells([[NONE, NONE], [W2, NONE]]),
            "b": cells([[B1], [B2]]),
        },
        "x1_step1": SCALE,
    },
}


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_a_network_is_read_from_matrices_and_cells(form: str, compressed: bool) -> None:
    model = mat_model(saved(compressed, **FORMS[form]))
    a = np.tanh(W1 @ [2 * 0.25 - 1, 0.1 * 2 - 1] + B1[:, 0])
    assert is_close(outputs_of(model, np.array([[0.25, 12.0]])), (W2 @ a + 0.3)[None])
    assert bool(model.notes) != (form == "cells")


def test_weights_of_a_run_come_back() -> None:
    model = a_model(ACTIVATIONS["tanh"](), outputs=2, scaled=False)
    assert mat_bytes(model) == mat_bytes(model)
    assert_same_bits(mat_model(mat_bytes(model)), model)
    scaled = a_model(ACTIVATIONS["sigmoid"](), outputs=2)
    X = np.random.default_rng(1).normal(size=(9, 3)) * 30
    assert is_close(outputs_of(mat_model(mat_bytes(scaled)), X), scaled.outputs(X), 1e-12)


def test_inputs_that_are_removed_are_counted() -> None:
    step = {"keep": np.array([[1, 3]]), "remove": np.array([[2, 5]])}
    assert mat_model(saved(IW=W1, x1_step1=step)).sizes[0] == 5


def test_settings_under_another_name_are_named_in_a_note() -> None:
    model = mat_model(saved(IW=W1, LWR=W1, ps=SCALE))
    assert "`ps.xoffset`" in model.notes[-1]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"x": W1}, "`x`, but no weights `IW`"),
        ({"IW": W1, "b1": np.ones((3, 1))}, "`b1` has 3 numbers"),
        ({"IW": W1 * np.nan}, "Inf or NaN"),
        ({"IW": cells([[W1, W1]])}, "second input"),
        ({"IW1_1": W1, "LW1_1": W1}, "feeds back"),
        ({"IW": W1, "LW": np.ones((1, 3))}, "3 columns"),
        ({"IW": W1, "transferFcn1": "compet"}, "`compet`"),
        ({"IW": W1, "x1_step1": SCALE | {"gain": np.zeros((2, 1))}}, "scale of an input is 0"),
    ],
)
def test_what_is_no_network_is_refused(variables: dict[str, Any], said: str) -> None:
    assert said in refusal(mat_model, saved(**variables))


def test_version_7_3_is_refused_with_a_way_on() -> None:
    content = bytearray(saved(IW=W1))
    content[124:126] = b"\x00\x02"
    assert "-v7" in refusal(mat_model, bytes(content))


def test_a_file_that_inflates_to_more_than_allowed_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bpcli.imports.mat_file._MOST_BYTES", 10_000)
    assert "more than 10,000 bytes" in refusal(mat_model, saved(IW=np.zeros((100, 100))))


def test_damaged_files_are_refused_in_a_sentence_or_read() -> None:
    rng = np.random.default_rng(2)
    for index in range(120):
        content = saved(index % 2 == 0, **FORMS["cells" if index % 3 else "numbered"])
        cut = int(rng.integers(len(content))) if rng.random() < 0.3 else None
        damaged = bytearray(content[:cut])
        for place in rng.integers(max(1, len(damaged)), size=2):
            damaged[place : place + 1] = bytes([int(rng.integers(256))])
        with suppress(ModelError):  # and nothing else
            mat_model(bytes(damaged))
