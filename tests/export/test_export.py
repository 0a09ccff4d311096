"""Files for use elsewhere: what computes something else than bpnet is never written."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import MIXED, VARIANTS, a_model, run_python

from bpcli.errors import ConfigError, GateFailed, RunError
from bpcli.export import export as exporting
from bpcli.export.child import NotVerified
from bpcli.export.export import FORMATS, export, variant_of
from bpcli.export.model import Model
from bpcli.export.python_file import python_text
from bpcli.export.verify import Columns, probes
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, LeakyRelu

TANH = ACTIVATIONS["tanh"]()
QUICK = [to for to in FORMATS if to not in ("xlsx", "latex")]
"""LibreOffice and TeX start slowly: test_xlsx_file.py and test_latex_file.py run them."""


def in_this_process(content: bytes, tables: Sequence[Columns]) -> list[dict[str, Any]]:
    """As the process in which a Python file is tried, but quicker."""
    predict = run_python(content.decode())["predict"]
    return [{name: column.tolist() for name, column in predict(table).items()} for table in tables]


@pytest.mark.parametrize("to", QUICK)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("hidden", VARIANTS, ids=str)
def test_a_file_of_every_activation_is_verified(
    to: str, hidden: Activation, dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(exporting, "predictions", in_this_process)
    model = a_model(hidden, outputs=2, dtype=dtype)
    exported = export(model, to, tmp_path / "model")
    assert exported.path.read_bytes() == FORMATS[to].content(model)
    if exported.not_verified is not None:
        pytest.skip(exported.not_verified)


@pytest.mark.parametrize("to", QUICK)
def test_a_file_of_classes_and_of_any_columns_is_verified(to: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = a_model(TANH, output="softmax", outputs=2, classes=("a", "b"), columns=MIXED)
    assert export(model, to, tmp_path / "model").path.is_file()


WORDS = {"smoker": ("no", "yes"), "is old": ("0", "1"), "ill": ("false", "true")}


@pytest.mark.parametrize("to", QUICK)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_file_of_labels_is_verified(to: str, dtype: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = a_model(TANH, output="sigmoid", outputs=3, words=WORDS, columns=MIXED, dtype=dtype)
    assert export(model, to, tmp_path / "model").path.is_file()


@pytest.mark.parametrize("to", ["python", "onnx"])
def test_a_file_that_names_other_labels_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(exporting, "predictions", in_this_process)
    model = a_model(TANH, output="sigmoid", outputs=3, words=WORDS)
    swapped = {name: (one, zero) for name, (zero, one) in WORDS.items()}
    other = replace(model, preprocessor=replace(model.preprocessor, words=swapped))
    kind = FORMATS[to]
    wrong = replace(kind, content=lambda _: kind.content(other))
    monkeypatch.setattr(exporting, "FORMATS", {to: wrong})
    with pytest.raises(GateFailed, match=r"labels of the .* do not match its outputs: it was not"):
        export(model, to, tmp_path / "model")


def test_a_json_file_has_the_words_of_labels() -> None:
    model = a_model(TANH, output="sigmoid", outputs=3, words=WORDS)
    found = json.loads(FORMATS["json"].content(model))
    assert found["labels"] == {name: list(pair) for name, pair in WORDS.items()}
    assert found["outputs"] == ["P(smoker)", "P(is old)", "P(ill)"]
    assert "labels" not in json.loads(FORMATS["json"].content(a_model(TANH)))


@pytest.mark.parametrize("hidden", ["sigmoid", "relu"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_large_weights_are_no_reason_to_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: str, dtype: str
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(exporting, "predictions", in_this_process)
    model = a_model(ACTIVATIONS[hidden](), output="sigmoid", classes=("a", "b"), dtype=dtype)
    for factor in (30, 1000):  # probabilities of 1e-7, which a sigmoid knows to an ulp of 1
        large = replace(model, params=model.params * np.dtype(dtype).type(factor))
        for to in ("python", "onnx"):
            assert export(large, to, tmp_path / f"{to}{factor}").path.is_file()


@pytest.mark.parametrize("to", ["python", "onnx"])
def test_a_file_that_computes_something_else_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    pytest.importorskip("onnxruntime")
    model = a_model(TANH)
    other = replace(model, params=model.params * (1 + 1e-9))
    kind = FORMATS[to]
    wrong = replace(kind, content=lambda _: kind.content(other))
    monkeypatch.setattr(exporting, "FORMATS", {to: wrong})
    with pytest.raises(GateFailed, match=r"gives .* where bpnet gives .* was not written"):
        export(model, to, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_json_file_that_does_not_read_back_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = a_model(TANH)
    kind = FORMATS["json"]
    wrong = replace(kind, content=lambda _: kind.content(replace(model, name="other")))
    monkeypatch.setattr(exporting, "FORMATS", {"json": wrong})
    with pytest.raises(GateFailed, match="The JSON file differs from the model when read"):
        export(model, "json", tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_wrong_classes_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = a_model(TANH, output="softmax", outputs=2, classes=("a", "b"))
    swapped = python_text(model).replace("Y.argmax", "Y.argmin")
    exported_by(monkeypatch, swapped)
    with pytest.raises(GateFailed, match="do not match its outputs"):
        export(model, "python", tmp_path / "model.py")


def test_a_file_in_the_way_is_overwritten_only_by_force(tmp_path: Path) -> None:
    model, path = a_model(TANH), tmp_path / "model.json"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="already exists: use --force"):
        export(model, "json", path)
    assert path.read_text() == "mine"
    export(model, "json", path, force=True)
    assert path.read_text() != "mine"
    with pytest.raises(ConfigError, match="name another file"):
        export(model, "json", tmp_path, force=True)


@pytest.mark.parametrize(
    ("name", "file"), [("a-model", "a_model.json"), ("v1.2", "v1_2.json"), ("1", "_1.json")]
)
def test_without_a_path_the_file_has_a_name_that_python_can_import(
    name: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert export(replace(a_model(TANH), name=name), "json", None).path == Path(file)
    assert Path(file).is_file()


def test_test_rows_are_near_those_of_the_training_and_far_outside() -> None:
    model = a_model(TANH)
    near, edges = (model.encoder.encode(_frame(table)) for table in probes(model))
    scale = model.preprocessor.inputs
    assert len(near) == 64
    assert (abs(scale.apply(near)) < 6).all()
    assert (edges[0] == 0).all()
    np.testing.assert_allclose(scale.apply(edges[1]), 0, atol=1e-12)
    assert abs(scale.apply(edges[2:])).max() == pytest.approx(10)


def test_test_rows_have_gaps_and_unknown_categories_where_a_run_allows_them() -> None:
    table, _ = probes(a_model(TANH, columns=MIXED))
    assert None in table["age"]
    assert {*table["married"]} == {True, False}
    assert {*table["job"]} == {"clerk", "smith", "1", "an unknown category", None}
    assert {*table["town"]} == {"a b", "c\"d'e", "an unknown category"}


def _frame(table: Columns) -> Any:
    from pandas import DataFrame

    return DataFrame(table)


def not_here(content: bytes, model: Model) -> None:
    raise NotVerified("no C compiler found")


def test_a_file_that_cannot_be_run_is_written_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(FORMATS["python"], verify=not_here)
    monkeypatch.setattr(exporting, "FORMATS", {"python": other})
    exported = export(a_model(TANH), "python", tmp_path / "model.py")
    assert exported.not_verified == "no C compiler found"
    assert exported.path.read_text() == python_text(a_model(TANH))


def test_a_variant_of_a_format_is_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = replace(FORMATS["json"], suffix=".txt", content=lambda _: b"{}", verify=not_here)
    monkeypatch.setattr(
        exporting, "FORMATS", {"json": replace(FORMATS["json"], variants={"short": short})}
    )
    monkeypatch.chdir(tmp_path)
    assert export(a_model(TANH), "json", None, variant="short").path == Path("a_model.txt")
    with pytest.raises(
        ConfigError, match="Format json does not support `long`; supported by no format"
    ):
        export(a_model(TANH), "json", None, variant="long")


def test_a_variant_is_said_with_its_format(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Format json does not support `float`; supported by c"):
        export(a_model(TANH), "json", tmp_path / "m", variant=variant_of("float", html=False))
    with pytest.raises(ConfigError, match="There is no precision `half`; allowed: double, float"):
        variant_of("half", html=False)
    with pytest.raises(ConfigError, match="is for C, html for JavaScript, and digits for LaTeX"):
        variant_of("float", html=True)


def test_outputs_that_overflow_as_ours_do_are_no_difference(tmp_path: Path) -> None:
    model = a_model(TANH, output="exponential", scaled=False)
    large = replace(model, params=model.params * 1200)
    with np.errstate(over="ignore"):
        assert np.isinf(large.outputs(np.array([[1e3, 1e3, 1e3], [-1e3, -1e3, -1e3]]))).any()
        assert export(large, "python", tmp_path / "m.py").path.is_file()


def test_a_damaged_run_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="a finite number"):
        export(a_model(LeakyRelu(float("inf"))), "python", tmp_path / "model.py")
    assert not list(tmp_path.iterdir())


# What an exported Python file gives.


def exported_by(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have the export to Python write this text, whatever the model."""
    other = replace(FORMATS["python"], content=lambda _: text.encode())
    monkeypatch.setattr(exporting, "FORMATS", {"python": other})


OTHER = """\
class predict(dict):
    def __init__(self, rows):
        self.rows = rows
        self["predicted t0"] = self
    def tolist(self):
        return {}
"""
"""A file that gives something else than the outputs."""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("raise SystemExit(3)", "failed in a test run and was not written: exit code 3"),
        (f"print('hello')\n{python_text(a_model(TANH))}", "printed something other"),
        ("predict = lambda rows: {}", "have a wrong shape"),
        (OTHER.format("[1, 2, 3]"), "have a wrong shape"),
        (OTHER.format("['a'] * len(self.rows['x'])"), "have a wrong shape"),
        (OTHER.format("3"), "printed something other than its predictions"),
        (OTHER.format("[float('nan')] * len(self.rows['x'])"), "gives nan where bpnet gives"),
    ],
)
def test_a_file_that_fails_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, complaint: str
) -> None:
    exported_by(monkeypatch, text)
    with pytest.raises(GateFailed, match=complaint) as caught:
        export(a_model(TANH), "python", tmp_path / "model.py")
    assert "written" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not [*tmp_path.iterdir()]


def test_one_process_tries_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started, begin = [], subprocess.Popen

    def counted(*arguments: Any, **options: Any) -> Any:
        started.append(arguments)
        return begin(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", counted)
    export(a_model(TANH), "python", tmp_path / "model.py")
    assert len(started) == 1
