"""Our own JSON comes back to the last bit."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from imported import assert_same_bits, refusal
from models import MIXED, NAMES, VARIANTS, a_model, named_model

from bpcli.errors import ModelError
from bpcli.export.json_file import json_text
from bpcli.imports.json_file import json_model
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS


@pytest.mark.parametrize("hidden", VARIANTS, ids=str)
def test_an_export_comes_back_to_the_last_bit(hidden: Activation) -> None:
    model = a_model(hidden, outputs=2, bias="none", columns=MIXED)
    found = json_model(json_text(model))
    assert_same_bits(found, model)
    assert found.columns == model.encoder.inputs
    assert found.target_names == model.target_names


def test_classes_and_labels_come_back() -> None:
    classes = a_model(ACTIVATIONS["tanh"](), output="softmax", outputs=3, classes=("a", "b", "c"))
    assert json_model(json_text(classes)).classes == ("a", "b", "c")
    words = {"red": ("no", "yes"), "blue": ("0", "1")}
    labels = a_model(ACTIVATIONS["tanh"](), output="sigmoid", outputs=2, words=words)
    found = json_model(json_text(labels))
    assert dict(zip(found.target_names, found.labels, strict=True)) == words


@pytest.mark.parametrize("name", NAMES)
def test_names_of_strangers_come_back_or_are_refused(name: str) -> None:
    content = json_text(named_model(name))
    if name.isprintable():
        assert json_model(content).classes == (name, "b")
    else:
        assert "control characters" in refusal(json_model, content)


def changed(**changes: Any) -> str:
    tree = json.loads(json_text(a_model(ACTIVATIONS["tanh"]())))
    return json.dumps(tree | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "other"}, "`format`"),
        ({"more": 1}, "`more`"),
        ({"layers": []}, "`layers`"),
        ({"inputs": ["a", "b", "c"]}, "`columns`"),
        ({"input_scale": {"shift": [0, 0, 0], "factor": [1, 0, 1]}}, "factor of 0"),
        ({"input_scale": {"shift": [0, 0], "factor": [1, 1]}}, "scale of the inputs"),
        ({"classes": ["a", "b", "c"]}, "3 classes"),
        ({"outputs": ["y", "y2"]}, "2 targets"),
    ],
)
def test_a_document_that_does_not_fit_is_refused(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(json_model, changed(**changes))


@pytest.mark.parametrize(
    ("old", "new"),
    [('"tanh"', '"sinh"'), ('"number"', '"category"'), ("[[", "[[NaN,"), ("[[", "[[1e999,"),
     ("]]", "],[1]]"), ("{", "[" * 100_000)],
)  # fmt: skip
def test_a_damaged_document_is_refused(old: str, new: str) -> None:
    refusal(json_model, json_text(a_model(ACTIVATIONS["tanh"]())).replace(old, new, 1))


def test_truncated_and_edited_files_are_refused_or_read() -> None:
    content, rng = (
        json_text(a_model(ACTIVATIONS["tanh"](), columns=MIXED)),
        np.random.default_rng(1),
    )
    for _ in range(150):
        letters = list(content[: rng.integers(len(content))] if rng.random() < 0.3 else content)
        for place in rng.integers(len(letters) or 1, size=3):
            letters[place : place + 1] = str(rng.choice(list('[]{},:"0-e')))
        with suppress(ModelError):  # and nothing else
            json_model("".join(letters))
