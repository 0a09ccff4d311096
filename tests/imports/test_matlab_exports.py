"""What `export --to matlab` writes is read back to the last bit, or refused."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from drawn_models import drawn_models
from imported import assert_same_bits, refusal
from models import MIXED, VARIANTS, a_model

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.scaler import Scaler
from bpcli.export.matlab_file import matlab_text
from bpcli.export.model import Model
from bpcli.imports.matlab import matlab_model
from bpcli.nn.activations import ACTIVATIONS, Elu
from bpcli.registry import name_of

FULL = bool(os.environ.get("BPNET_FULL"))
OUTPUTS = list(ACTIVATIONS)
LEAST, EPSILON = np.finfo(float).tiny, np.finfo(float).eps
SCALES = [
    np.array([1.0, 2.0, 0.5]),
    np.array([3.0, 1.9, 1e-310]),
    np.array([1e300, LEAST, 1 + EPSILON]),
]
"""Factors that are exact as a gain, or are not, or whose gains are too large."""


@pytest.mark.parametrize("hidden", VARIANTS, ids=str)
def test_every_activation_returns_between_scales_of_every_kind(hidden: object) -> None:
    place = VARIANTS.index(hidden)  # type: ignore[arg-type]
    outputs = OUTPUTS if FULL else [OUTPUTS[place % len(OUTPUTS)]]
    for output in outputs:
        for number, factor in enumerate(SCALES):
            bias = "none" if number == 1 else "trained"
            model = a_model(hidden, output=output, outputs=3, bias=bias)  # type: ignore[arg-type]
            scale = Scaler(np.array([-0.1, 0.0, 1e17]), factor)
            outer = scale if output != "softmax" else model.preprocessor.targets
            scales = replace(model.preprocessor, inputs=scale, targets=outer)
            assert_same_bits(
                matlab_model(matlab_text(replace(model, preprocessor=scales))),
                replace(model, preprocessor=scales),
            )


def plain(model: Model) -> Model:
    """The model with columns of numbers alone."""
    names = (f"c{number}" for number in range(model.network.inputs))
    return replace(model, encoder=FeatureEncoder(tuple(map(InputColumn, names))))


def test_drawn_networks_return_or_are_refused() -> None:
    for model in drawn_models(200 if FULL else 20):
        found = matlab_model(matlab_text(plain(model)))
        assert_same_bits(replace(found, classes=model.class_names), model)
        if any(has_formulas(column) for column in model.encoder.inputs):
            assert "import the export to JSON" in refusal(matlab_model, matlab_text(model))


def has_formulas(column: InputColumn) -> bool:
    """Whether a column is not a single input of its own."""
    return column.kind == "category" or bool(column.calendar) or column.indicator


@pytest.mark.parametrize("fill", [None, 38.5])
def test_columns_of_numbers_and_booleans_keep_their_fills(fill: float | None) -> None:
    columns = (
        InputColumn("x1", fill=fill),
        InputColumn("x2", "boolean", fill=1.0),
        InputColumn("x3", "boolean"),
        InputColumn("x4", fill=-0.1),
    )
    model = a_model(ACTIVATIONS["tanh"](), columns=columns)
    found = matlab_model(matlab_text(model))
    assert_same_bits(found, model)
    assert found.columns == columns


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x(1,:) = number_input(x1(1,:)", "x(1,:) = number_input(x1(2,:)"),
        ("x(1,:) = number_input(x1(1,:)", "x(3,:) = number_input(x1(1,:)"),
        ("x(isnan(x)) = fill;", "x(isnan(x)) = -fill;"),
        ("~all(x == 0 | x == 1)", "false"),
    ],
)
def test_columns_that_are_read_in_another_way_are_refused(old: str, new: str) -> None:
    columns = (InputColumn("a", fill=2.0), InputColumn("b", "boolean"))
    text = matlab_text(a_model(ACTIVATIONS["tanh"](), columns=columns))
    assert old in text
    assert "import the export to JSON" in refusal(matlab_model, text.replace(old, new))


@pytest.mark.parametrize(
    ("output", "classes"),
    [
        ("softmax", ("a", "it's", "中文 'x' [1]")),
        ("tanh", ("ÿes", "'", "%")),
        ("sigmoid", ("no", "ÿ, es")),
    ],
)
def test_classes_keep_their_names(output: str, classes: tuple[str, ...]) -> None:
    count = 1 if output == "sigmoid" else len(classes)
    model = a_model(ACTIVATIONS["tanh"](), output=output, outputs=count, classes=classes)
    assert matlab_model(matlab_text(model)).classes == classes


def test_names_that_cannot_be_printed_are_not_taken() -> None:
    model = a_model(
        ACTIVATIONS["tanh"](), output="softmax", outputs=2, classes=("a\nb", "c\x1b[31m")
    )
    found = matlab_model(matlab_text(model))
    assert found.classes == ("1", "2")
    assert all("--classes" in note for note in found.notes)
    assert len(found.notes) == 2


def test_words_of_labels_are_not_taken_and_a_note_says_so() -> None:
    words = {"red": ("no", "yes"), "blue": ("0", "1")}
    model = a_model(ACTIVATIONS["tanh"](), output="sigmoid", outputs=2, words=words)
    found = matlab_model(matlab_text(model))
    assert (found.classes, found.target_names) == ((), ("y1", "y2"))
    assert "names in `answers` are not imported" in found.notes[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("alpha .* expm1", "2 * alpha .* expm1"),
        ("IW1_1*xp1,0.5)", "IW1_1*xp1,-0.5)"),
        ("IW1_1*xp1,0.5)", "IW1_1*xp1,0.5,1)"),
        ("IW1_1*xp1,0.5)", "IW1_1*xp1)"),
    ],
)
def test_an_activation_that_was_edited_is_not_taken_for_ours(old: str, new: str) -> None:
    text = matlab_text(a_model(Elu(0.5)))
    assert name_of(ACTIVATIONS, matlab_model(text).layers[0].activation) == "elu"
    assert old in text
    assert "`elu_apply` is not part of" in refusal(matlab_model, text.replace(old, new))


@pytest.mark.parametrize("kind", ["number", "category", "date"])
def test_columns_of_several_inputs_are_refused(kind: str) -> None:
    columns = tuple(column for column in MIXED if column.kind == kind)
    said = refusal(matlab_model, matlab_text(a_model(ACTIVATIONS["tanh"](), columns=columns)))
    assert "it encodes columns of a table" in said
