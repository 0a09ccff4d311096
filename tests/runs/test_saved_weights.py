"""The description of weights: its parts fit together, or what does not is named."""

from __future__ import annotations

from copy import deepcopy
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from bpcli.errors import RunError
from bpcli.nn.activations import Identity, LeakyRelu, Sigmoid
from bpcli.nn.network import Layer
from bpcli.runs.saved import check
from bpcli.runs.saved_weights import WeightsMeta

AGE = {"name": "age", "kind": "number", "categories": [], "fill": 38.5, "indicator": False}
JOB = {
    "name": "job", "kind": "category", "categories": ["clerk", "smith"], "fill": "smith",
    "indicator": False,
}  # fmt: skip
META: dict[str, Any] = {
    "best_epoch": 3,
    "class_names": ["no", "yes"],
    "input_names": ["age", "job=clerk", "job=smith"],
    "target_names": [],
    "columns": {
        "inputs": [AGE, JOB],
        "targets": ["married"],
        "class_names": ["no", "yes"],
        "file_columns": ["age", "job", "married"],
    },
    "layers": [
        {"inputs": 3, "units": 2, "activation": {"name": "leaky_relu", "slope": 0.1},
         "bias": "trained"},
        {"inputs": 2, "units": 1, "activation": {"name": "sigmoid"}, "bias": "none"},
    ],
    "params": 10,
}  # fmt: skip


def checked(way: tuple[Any, ...] = (), value: Any = None) -> WeightsMeta:
    """The description with another value at the end of a way through it."""
    tree = deepcopy(META)
    if way:
        reduce(lambda found, step: found[step], way[:-1], tree)[way[-1]] = value
    return check(WeightsMeta, tree, Path("a file"))


def test_saved_layers_are_those_of_a_network() -> None:
    assert [saved.layer for saved in checked().layers] == [
        Layer(3, 2, LeakyRelu(slope=0.1)),
        Layer(2, 1, Sigmoid(), "none"),
    ]


def test_of_other_data_than_tables_there_are_no_columns() -> None:
    assert checked(("columns",), None).columns is None


def test_classes_fit_one_output_each_or_two_of_them_a_single_one() -> None:
    layer = {"inputs": 3, "units": 3, "activation": "identity", "bias": "none"}
    tree = META | {"columns": None, "layers": [layer], "params": 9}
    for classes in ([], ["a", "b", "c"]):
        found = check(WeightsMeta, tree | {"class_names": classes}, Path("a file"))
        assert found.layers[0].layer == Layer(3, 3, Identity(), "none")
    with pytest.raises(RunError, match="2 `class_names` do not fit 3 outputs"):
        check(WeightsMeta, tree | {"class_names": ["a", "b"]}, Path("a file"))


OF_LABELS = META | {
    "class_names": [],
    "target_names": ["ill", "old"],
    "columns": None,
    "layers": [
        {"inputs": 3, "units": 2, "activation": {"name": "sigmoid"}, "bias": "none"},
    ],
    "params": 6,
    "words": [["no", "yes"], ["0", "1"]],
}


def test_labels_have_two_words_each() -> None:
    found = check(WeightsMeta, OF_LABELS, Path("a file"))
    assert found.words_of_labels == {"ill": ("no", "yes"), "old": ("0", "1")}
    assert checked().words_of_labels == {}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("words", [["no", "yes"]], "`words` do not fit the `target_names` and the outputs"),
        ("words", [["no", "yes"]] * 3, "`words` do not fit the `target_names` and the outputs"),
        ("words", [["no", "no"], ["0", "1"]], "a name is repeated"),
        ("words", [["no"], ["0", "1"]], "`words.0`"),
        ("words", [["no", "yes", "maybe"], ["0", "1"]], "`words.0`"),
        ("words", [["no", "yes\x1b[2J"], ["0", "1"]], "must not have control characters"),
        ("words", [["no", 1], ["0", "1"]], "`words.0.1`"),
        ("target_names", ["ill"], "`words` do not fit the `target_names` and the outputs"),
        ("class_names", ["a", "b"], "`words` do not fit the `target_names` and the outputs"),
    ],
)
def test_words_that_do_not_fit_are_named(key: str, value: Any, message: str) -> None:
    with pytest.raises(RunError) as caught:
        check(WeightsMeta, OF_LABELS | {key: value}, Path("a file"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("way", "value", "message"),
    [
        (("columns", "inputs", 0, "kind"), "exec", "`columns.inputs.0.kind`"),
        (("columns", "inputs", 0, "categories"), ["a"], "a number must have no `categor"),
        (("columns", "inputs", 0, "fill"), "a", "and a number as `fill`"),
        (("columns", "inputs", 0, "fill"), float("inf"), "`columns.inputs.0.fill`"),
        (("columns", "inputs", 0, "name"), "job", "a name is repeated"),
        (("columns", "inputs", 0, "name"), "a\x1b[2J", "must not have control characters"),
        (("columns", "inputs", 1, "fill"), "nobody", "not one of the `categories`"),
        (("columns", "inputs", 1, "categories"), ["smith"] * 2, "is repeated"),
        (("columns", "inputs"), [], "should have at least 1 item"),
        (("columns", "file_columns"), ["age", "age"], "is repeated"),
        (("layers", 0, "units"), 4, "differ from the units of the layer below"),
        (("layers", 0, "activation"), {"name": "exec"}, "`layers.0.activation`"),
        (("layers", 0, "bias"), "maybe", "`layers.0.bias`"),
        (("params",), 3, "`params` differs from the number of parameters"),
        (("class_names",), ["a", "b", "c"], "3 `class_names` do not fit 1 outputs"),
        (("class_names",), ["yes", "no"], "differ from those of the `columns`"),
        (("input_names",), ["a"], "differs from the first layer's"),
    ],
)
def test_what_does_not_fit_is_named(way: tuple[Any, ...], value: Any, message: str) -> None:
    with pytest.raises(RunError) as caught:
        checked(way, value)
    assert message in str(caught.value)
