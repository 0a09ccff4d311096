"""The exported Python file: it computes what bpnet does, and holds literals alone."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from models import (
    AVERAGED,
    MIXED,
    MIXED_ROWS,
    NAMES,
    VARIANTS,
    a_model,
    as_columns,
    average_of_three,
    mean_of_outputs,
    named_model,
    rows_of,
    run_python,
)
from pandas import DataFrame, Series
from strangers import CANARY

from bpcli.data.columns import InputColumn
from bpcli.data.spellings import PLAIN, Spelling
from bpcli.data.values import Kind
from bpcli.errors import DataError
from bpcli.export.python_file import python_text
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.network import Bias


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("hidden", VARIANTS, ids=str)
def test_every_activation_is_computed_as_we_do(hidden: Activation, dtype: str) -> None:
    model = a_model(hidden, outputs=2, dtype=dtype)
    X = rows_of(model)
    found = run_python(python_text(model))["predict"](as_columns(model, X))
    outputs = np.column_stack([found["predicted t0"], found["predicted t1"]])
    np.testing.assert_allclose(outputs, model.in_double().outputs(X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("output", "outputs", "classes"),
    [
        ("sigmoid", 1, ("no", "ÿes 'or \"so")),
        ("softmax", 3, ("a", "b", "c")),
        ("tanh", 2, ("x", "y")),
    ],
)
@pytest.mark.parametrize("bias", ["trained", "none"])
@pytest.mark.parametrize("scaled", [True, False])
def test_classes_are_those_we_say(
    output: str, outputs: int, classes: tuple[str, ...], bias: Bias, scaled: bool
) -> None:
    model = a_model(
        ACTIVATIONS["tanh"](), output=output, outputs=outputs, classes=classes, bias=bias,
        scaled=scaled,
    )  # fmt: skip
    X = rows_of(model, 40)
    labels = model.labels(model.outputs(X))
    assert labels is not None
    expected = [classes[label] for label in labels]
    assert len(set(expected)) > 1
    predict = run_python(python_text(model))["predict"]
    found = predict(as_columns(model, X))
    assert found["class"].tolist() == expected
    assert list(found) == [*model.output_names, "class"]
    rows = [dict(zip(["x", "the y", "z"], row, strict=True)) for row in X.tolist()]
    first = model.output_names[0]
    np.testing.assert_array_equal(predict(rows)[first], found[first])


@pytest.mark.parametrize(("output", "classes"), AVERAGED)
def test_an_average_of_networks_is_the_mean_of_their_outputs(
    output: str, classes: tuple[str, ...]
) -> None:
    average, members = average_of_three(output, classes)
    X = rows_of(average)
    found = run_python(python_text(average))["predict"](as_columns(average, X))
    outputs = np.column_stack([found[name] for name in average.output_names])
    np.testing.assert_allclose(outputs, mean_of_outputs(members, X), rtol=1e-12, atol=1e-12)


def test_columns_are_encoded_as_we_do() -> None:
    model = a_model(ACTIVATIONS["tanh"](), columns=MIXED)
    expected = model.predict(DataFrame(MIXED_ROWS))
    predict = run_python(python_text(model))["predict"]
    np.testing.assert_allclose(predict(MIXED_ROWS)["predicted t0"], expected[:, 0], rtol=1e-12)


@pytest.mark.parametrize("married", [["TRUE", "false", " False", "true"], ["1", 0, "0", 1]])
def test_booleans_are_read_as_we_do_however_they_are_written(married: list[Any]) -> None:
    model = a_model(ACTIVATIONS["tanh"](), columns=MIXED)
    predict = run_python(python_text(model))["predict"]
    rows, expected = MIXED_ROWS | {"married": married}, predict(MIXED_ROWS)["predicted t0"]
    np.testing.assert_array_equal(predict(rows)["predicted t0"], expected)
    np.testing.assert_allclose(model.predict(DataFrame(rows))[:, 0], expected, rtol=1e-12)


STRANGE: list[Any] = [
    True, False, np.True_, 1, 0, 2, 1.0, 2.5, np.float32(1), np.int8(1), -0.0, 2**60, 1e-7,
    Decimal(1), Decimal("NaN"), None, float("nan"), pd.NA, pd.NaT, "1", " 1", "1.0", "01", "+1",
    "1e0", "1_0", "１", "0x10", "1e-7", "inf", "nan", "NA", "", " ", "-", " - ", "None", "TRUE",
    " tRue ", "false", "a", "A", "ａ", "b  c", "B C", "old", "OLD", "x", dt.date(2024, 1, 31),
    np.datetime64("2024-01-31"),
]  # fmt: skip
"""Values of many types for categories, booleans and numbers."""
FOLDING = Spelling(casefold=True, rename={"old": "a", "x": "nowhere"})
RENAMING = Spelling(rename={"old": "a", "1": "2", "10": "1"})


@pytest.mark.parametrize(
    ("categories", "spelling"),
    [
        (("1", "2.5", "a"), PLAIN),
        (("0", "1"), PLAIN),
        (("false", "true"), PLAIN),
        (("False", "True"), PLAIN),
        (("-", "None", "a"), PLAIN),
        ((str(2**60), "1e-07"), PLAIN),
        (("a", "b c", "1", "True"), FOLDING),
        (("a", "b c", "1"), RENAMING),
    ],
)
def test_strange_values_are_the_categories_that_we_say(
    categories: tuple[str, ...], spelling: Spelling
) -> None:
    column = InputColumn(
        "x", "category", categories, fill=categories[-1], indicator=True, spelling=spelling
    )
    model = a_model(ACTIVATIONS["tanh"](), columns=(column, InputColumn("y", fill=0.0)))
    encode = run_python(python_text(model))["encode"]
    for value in STRANGE:
        rows = DataFrame({"x": Series([value], dtype=object), "y": [1.0]})
        assert encode(rows).tolist() == model.encoder.encode(rows).tolist(), repr(value)


@pytest.mark.parametrize("kind", ["number", "boolean"])
@pytest.mark.parametrize("fill", [None, 1.0])
def test_strange_values_are_the_numbers_that_we_say_or_refused(
    kind: Kind, fill: float | None
) -> None:
    column = InputColumn("x", kind, fill=fill)
    model = a_model(ACTIVATIONS["tanh"](), columns=(column,))
    encode = run_python(python_text(model))["encode"]
    for value in STRANGE:
        rows = DataFrame({"x": Series([value], dtype=object)})
        with suppress(DataError):
            assert model.encoder.encode(rows).tolist() == encode(rows).tolist()
            continue
        with pytest.raises(ValueError, match="column 'x'"):
            encode(rows)


def test_dates_may_be_objects_and_gaps_may_be_texts() -> None:
    column = InputColumn("x", "date", date_format="%d.%m.%y", calendar=("hour",), fill=7.5)
    model = a_model(ACTIVATIONS["tanh"](), columns=(column,))
    encode = run_python(python_text(model))["encode"]
    stamp = dt.datetime(2024, 1, 31, 12)
    same = ["31.01.24", stamp, pd.Timestamp(stamp), np.datetime64(stamp), "-", " None", None]
    days = encode({"x": same})[:, 0]
    np.testing.assert_array_equal(days, [19753, 19753.5, 19753.5, 19753.5, 7.5, 7.5, 7.5])
    iso = {"x": ["2024-01-31", "-", "1970-01-02"]}
    np.testing.assert_array_equal(encode(iso), model.encoder.encode(DataFrame(iso)))
    with pytest.raises(ValueError, match="column 'x'"):
        encode({"x": ["2024-01-31", "31.01.24"]})


def test_the_time_of_a_date_is_a_clock_time() -> None:
    column = InputColumn("x", "date", date_format="%H:%M")
    model = a_model(ACTIVATIONS["tanh"](), columns=(column,))
    rows = DataFrame({"x": [dt.datetime(2024, 1, 31, 12), dt.datetime(1969, 1, 1, 18)]})
    np.testing.assert_array_equal(run_python(python_text(model))["encode"](rows)[:, 0], [0.5, 0.75])
    np.testing.assert_array_equal(model.encoder.encode(rows)[:, 0], [0.5, 0.75])
    with pytest.raises(DataError, match="`2024-01-31` is not a date like 08:05"):
        model.encoder.encode(DataFrame({"x": ["2024-01-31", "2024-02-01"]}))


@pytest.mark.parametrize(
    ("column", "value", "error", "message"),
    [
        ("town", None, ValueError, "column 'town': "),
        ("married", 2, ValueError, "column 'married': a value is neither true nor false"),
        ("married", "yes", ValueError, "column 'married': a value is neither true nor false"),
        ("age", float("inf"), ValueError, "column 'age': a number is infinite"),
    ],
)
def test_a_value_that_does_not_fit_is_said_with_its_column(
    column: str, value: Any, error: type[Exception], message: str
) -> None:
    predict = run_python(python_text(a_model(ACTIVATIONS["tanh"](), columns=MIXED)))["predict"]
    with pytest.raises(error, match=message):
        predict(MIXED_ROWS | {column: [value] * 4})


def test_a_column_that_is_missing_is_named() -> None:
    predict = run_python(python_text(a_model(ACTIVATIONS["tanh"](), columns=MIXED)))["predict"]
    with pytest.raises(KeyError, match="age"):
        predict({name: values for name, values in MIXED_ROWS.items() if name != "age"})


def test_the_file_imports_numpy_alone_and_holds_only_what_it_uses() -> None:
    text = python_text(a_model(ACTIVATIONS["relu"](), scaled=False))
    assert [line for line in text.splitlines() if "import" in line] == ["import numpy as np"]
    assert "def relu(z)" in text
    assert not any(
        f"def {name}(" in text for name in ("tanh", "softmax", "category", "boolean", "waves")
    )
    assert "SHIFT" not in text
    assert "a1 = relu(W1 @ a0 + b1)" in text


def test_the_file_says_what_it_was_trained_in() -> None:
    assert "float32" not in python_text(a_model(ACTIVATIONS["relu"]()))
    single = python_text(a_model(ACTIVATIONS["relu"](), dtype="float32"))
    assert single.startswith('"""A network of 3 - 4 relu - 1 identity, trained by bpnet.\n')
    assert "It was trained in float32." in single


# A stranger's run.


@pytest.mark.parametrize("name", NAMES)
def test_names_are_literals_wherever_they_stand(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = python_text(named_model(name))
    assert text.replace("\n", "").isprintable()
    exported = run_python(text)
    found = exported["predict"]({name: [name, None, "c"], "y": [0.5, 1, 2]})
    assert [*found] == [f"P({name})", "P(b)", "class"]
    assert {*found["class"].tolist()} <= {name, "b"}
    assert exported["NAME"] == name
    assert not Path(CANARY).exists()


@pytest.mark.parametrize("name", NAMES)
def test_labels_and_their_words_are_literals(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = {name: (name, f"{name}2"), "b": ("no", "yes")}
    model = a_model(ACTIVATIONS["tanh"](), output="sigmoid", outputs=2, words=words)
    text = python_text(model)
    assert text.replace("\n", "").isprintable()
    X = rows_of(model)
    found = run_python(text)["predict"](as_columns(model, X))
    assert [*found] == [f"P({name})", "P(b)", name, "b"]
    expected = model.preprocessor.in_words(model.outputs(X))
    assert {label: found[label].tolist() for label in words} == expected
    assert not Path(CANARY).exists()
