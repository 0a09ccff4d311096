"""The exported function of MATLAB and Octave, run in Octave."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_models import drawn_models
from models import MIXED, MIXED_ROWS, NAMES, a_model, a_model_of_names
from pandas import DataFrame
from strangers import CANARY

from bpcli.data.columns import InputColumn
from bpcli.data.scaler import Scaler
from bpcli.data.spellings import Spelling
from bpcli.errors import GateFailed
from bpcli.export.export import FORMATS
from bpcli.export.matlab_child import matlab_predictions
from bpcli.export.matlab_file import matlab_text
from bpcli.export.model import Model
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, Maxout
from bpcli.nn.arrays import Array

pytestmark = pytest.mark.skipif(shutil.which("octave-cli") is None, reason="there is no Octave")
TANH = ACTIVATIONS["tanh"]()
DRAWN = 200 if os.environ.get("BPNET_FULL") else 10


def outputs_of(model: Model, *tables: dict[str, list[Any]]) -> list[float]:
    """The first output of each row of tables, by the function."""
    found = matlab_predictions(matlab_text(model).encode(), model, tables)
    return [value for table in found for value in table[model.output_names[0]]]


def test_drawn_networks_compute_what_we_do() -> None:
    """Every activation, kind of output, column and scale; verified as before a file is written."""
    format_ = FORMATS["matlab"]
    with np.errstate(all="ignore"):
        for model in drawn_models(DRAWN):
            format_.verify(format_.content(model), model)


def test_a_network_of_numbers_has_the_form_of_genfunction(tmp_path: Path) -> None:
    """Called with a matrix of samples as columns, as MATLAB's documentation of genFunction says."""
    layer = Maxout(3)
    model = replace(a_model(layer, outputs=2), name="my_net")
    text = matlab_text(model)
    (tmp_path / "my_net.m").write_text(text)
    X = np.random.default_rng(0).normal(30, 9, (5, 3))
    numbers = ";".join(" ".join(map(repr, row.tolist())) for row in X.T)
    printed = subprocess.run(
        ["octave-cli", "--no-init-file", "--eval", f"printf('%.17g ', my_net([{numbers}]))"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    outputs = np.array(printed.split(), float).reshape(5, 2)
    np.testing.assert_allclose(outputs, model.outputs(X), rtol=1e-12)
    assert "a1 = maxout_apply(repmat(b1,1,Q) + IW1_1*xp1,3.0);" in text
    assert "a2 = repmat(b2,1,Q) + LW2_1*a1;" in text
    assert text.startswith(
        "function [y1] = my_net(x1)\n%MY_NET neural network simulation function."
    )


@pytest.mark.parametrize(
    ("name", "function"),
    [("My-net.v2", "My_net_v2"), ("1", "network_1"), ("中文", "network_1"), ("end", "end_")],
)
def test_the_function_is_called_as_its_file_if_matlab_allows_it(name: str, function: str) -> None:
    model = replace(a_model(TANH), name=name)
    assert matlab_text(model).startswith(f"function [y1] = {function}(x1)\n")
    FORMATS["matlab"].verify(matlab_text(model).encode(), model)


def test_the_sigmoids_of_matlab_have_its_names_and_forms() -> None:
    """MATLAB writes logsig so, and a reader of its files knows it by this form."""
    text = matlab_text(a_model(ACTIVATIONS["sigmoid"](), output="tanh", outputs=2))
    assert "a1 = logsig_apply(repmat(b1,1,Q) + IW1_1*xp1);" in text
    assert "function a = logsig_apply(n)\n  a = 1 ./ (1 + exp(-n));\nend" in text
    assert "a2 = tansig_apply(repmat(b2,1,Q) + LW2_1*a1);" in text


@pytest.mark.parametrize(
    ("factor", "permits"), [(0.5, True), (4.0, True), (3.0, True), (1.9, False), (1e-310, False)]
)
def test_a_scale_is_a_gain_if_that_keeps_its_digits(factor: float, permits: bool) -> None:
    model = a_model(TANH)
    scale = Scaler(np.array([1.5, 2, 3]), np.array([1, factor, 2]))
    text = matlab_text(replace(model, preprocessor=replace(model.preprocessor, inputs=scale)))
    assert ("x1_step1.gain" in text) is permits
    assert ("x1_step1.divisor" in text) is not permits
    assert "x1_step1.xoffset = [1.5;2.0;3.0];" in text


def test_rows_of_any_column_are_encoded_as_we_do() -> None:
    model = a_model(TANH, columns=MIXED)
    rows = MIXED_ROWS | {"age": [20, None, 40.5, None]}
    expected = model.predict(DataFrame(MIXED_ROWS))[:, 0]
    np.testing.assert_allclose(outputs_of(model, rows), expected, rtol=1e-12)


def test_a_matrix_may_have_gaps_booleans_and_dates() -> None:
    columns = (
        InputColumn("age", fill=38.5, indicator=True),
        InputColumn("married", "boolean", fill=1.0),
        InputColumn("seen", "date", fill=19000.5, calendar=("month", "weekday", "hour")),
    )
    model = a_model(TANH, columns=columns)
    rows = {
        "age": [1.5, None, 3], "married": [True, False, None],
        "seen": ["2024-02-29", None, "1969-12-31"],
    }  # fmt: skip
    expected = model.predict(DataFrame(rows))[:, 0]
    np.testing.assert_allclose(outputs_of(model, rows), expected, rtol=1e-12)


SPELLED = Spelling(casefold=True, rename={"N": "no", "Straße 7": "home", "H": "home", "h": "new"})


def test_other_spellings_are_the_same_category() -> None:
    texts = ["no", " NO ", "No", "n", "HOME", "STRASSE 7", "straße   7", "Straße 7", "ÉTÉ", "été",
             "e\u0301te\u0301", "elsewhere", "nope", "h", "H", "1.0", "TRUE", "-"]  # fmt: skip
    column = InputColumn("x", "category", ("no", "home", "Été"), fill="no", spelling=SPELLED)
    plain = InputColumn("y", "category", ("1", "true", "a b"), fill="1", indicator=True)
    model = a_model(TANH, columns=(column, plain), scaled=False)
    table = {"x": texts, "y": texts}
    expected = model.predict(DataFrame(table))[:, 0]
    np.testing.assert_allclose(outputs_of(model, table), expected, rtol=1e-12, atol=1e-14)


@dataclass(frozen=True)
class Bent(Activation):
    """A throw-away activation that uses every kind of step."""

    source = (
        "low = np.where(z > 0.1, -z, alpha * np.log1p(np.abs(z)))\n"
        "near = low - low.min(axis=0) / (1 + np.sqrt(np.abs(low).sum(axis=0)))\n"
        "return np.where(near <= 1, near - (1 - alpha), np.expm1(-near) - -2)"
    )
    alpha: float = 0.25

    def forward(self, z: Array, out: Array) -> None:
        scope: dict[str, Any] = {"np": np}
        lines = self.source.replace("\n", "\n    ")
        exec(f"def f(z, {', '.join(vars(self))}):\n    {lines}", scope)
        np.copyto(out, scope["f"](z, **vars(self)))


@dataclass(frozen=True)
class Pooled(Bent):
    """One whose reductions are over rows, over pieces, and over units."""

    source = (
        "near = z - z.max(axis=0)\n"
        "pooled = near.reshape(-1, pieces, z.shape[1]).sum(axis=1)\n"
        "return alpha * pooled / (1 - pooled.min(axis=0))"
    )
    pieces: int = 3

    @property
    def rows_per_unit(self) -> int:
        return self.pieces


@pytest.mark.parametrize("kind", [Bent, Pooled])
@pytest.mark.parametrize("to", ["c", "javascript", "matlab", "onnx"])
def test_each_language_writes_every_kind_of_step(
    to: str, kind: type[Bent], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setitem(ACTIVATIONS, "bent", kind)
    model = a_model(kind(), outputs=2)
    FORMATS[to].verify(FORMATS[to].content(model), model)


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("town", None, "column 4: a value is missing"),
        ("married", 2, "column 2: a value is neither true nor false"),
        ("age", 1e400, "column 1: a value is missing or infinite"),
    ],
)
def test_a_value_that_does_not_fit_is_said(column: str, value: Any, complaint: str) -> None:
    columns = [each if each.name != "age" else InputColumn("age") for each in MIXED]
    model = a_model(TANH, columns=tuple(columns))
    rows = MIXED_ROWS | {"age": [1.0] * 4} | {column: [value] * 4}
    text = matlab_text(model)
    if value == 1e400:
        rows["age"], text = [1.0] * 4, text.replace("number_input(x1.age", "number_input(1/0")
    with pytest.raises(GateFailed, match=f"MATLAB file failed .*{complaint}"):
        matlab_predictions(text.encode(), model, [rows])


# A stranger's run.

HOSTILE = (*NAMES, "%{", "...", "a % b", "''", "#{", "%}", "ünï")


def test_names_are_literals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = a_model_of_names(HOSTILE)
    text = matlab_text(model)
    assert text.replace("\n", "").isprintable()
    table = {column.name: [column.categories[0], None, "c"] for column in model.encoder.inputs}
    (found,) = matlab_predictions(text.encode(), model, [table])
    outputs = model.predict(DataFrame(table))
    np.testing.assert_allclose([found[name] for name in model.output_names], outputs.T, rtol=1e-12)
    assert found["class"] == model.preprocessor.in_words(outputs)["class"]
    assert not Path(CANARY).exists()
