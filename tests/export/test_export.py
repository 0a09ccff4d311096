"""Files for use elsewhere: they compute what bpnet does, and what does not is never written."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax
from strangers import CANARY

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.files.delimited import FileFormat
from bpcli.data.preprocessing import Preprocessor, Scaler
from bpcli.errors import ConfigError, GateFailed, RunError
from bpcli.export import export as exporting
from bpcli.export import onnx_file, python_child, python_file
from bpcli.export.export import FORMATS, export
from bpcli.export.literals import identifier, number, python_string
from bpcli.export.model import Model
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, Elu, LeakyRelu, Maxout
from bpcli.nn.arrays import Array
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Bias, Layer, Network

VARIANTS = [kind() for kind in ACTIVATIONS.values()] + [LeakyRelu(0.3), Elu(0.5), Maxout(3)]


def a_model(
    hidden: Activation,
    *,
    output: str = "identity",
    outputs: int = 1,
    classes: tuple[str, ...] = (),
    dtype: str = "float64",
    scaled: bool = True,
    bias: Bias = "trained",
    columns: tuple[InputColumn, ...] = (InputColumn("x"), InputColumn("the y"), InputColumn("z")),
) -> Model:
    encoding = FeatureEncoder(columns)
    layers = (
        Layer(len(encoding.names), 4, hidden, bias),
        Layer(4, outputs, ACTIVATIONS[output]()),
    )
    network = Network(layers, LOSSES["mse"]())
    rng = np.random.default_rng(11)  # both classes occur in every case
    inputs = Scaler.fixed("none", network.inputs)
    targets = Scaler.fixed("none", outputs)
    if scaled:
        inputs = Scaler(rng.normal(30, 9, network.inputs), rng.uniform(0.1, 9, network.inputs))
    if scaled and not classes:
        targets = Scaler(rng.normal(size=outputs), rng.uniform(1, 50, outputs))
    preprocessor = Preprocessor(inputs, targets, classes, outputs)
    params = rng.normal(size=network.n_params).astype(dtype)
    targets_named = tuple(f"t{number}" for number in range(outputs)) if not classes else ()
    return Model("a-model", network, params, preprocessor, encoding, targets_named, FileFormat())


def rows_of(model: Model, count: int = 20) -> Array:
    """Rows of numbers near those of the training."""
    normal = np.random.default_rng(6).normal(size=(count, model.network.inputs))
    return model.preprocessor.inputs.invert(normal)


def as_columns(model: Model, X: Array) -> dict[str, list[float]]:
    names = [column.name for column in model.encoder.inputs]
    return {name: column.tolist() for name, column in zip(names, X.T, strict=True)}


# A reading of the JSON file by its documentation alone.


JSON_ACTIVATIONS: dict[str, Callable[..., Array]] = {
    "identity": lambda z: z,
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda z: z.clip(0),
    "leaky_relu": lambda z, slope: np.where(z > 0, z, slope * z),
    "elu": lambda z, alpha: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
    "softplus": lambda z: np.logaddexp(0, z),
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


def run_python(path: Path) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), namespace)
    return namespace


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("hidden", VARIANTS, ids=str)
def test_every_activation_is_computed_as_we_do(tmp_path: Path, hidden, dtype) -> None:
    pytest.importorskip("onnxruntime")
    model = a_model(hidden, outputs=2, dtype=dtype)
    X = rows_of(model)
    expected = model.in_double().outputs(X)
    as_json = export(model, "json", tmp_path / "model.json").read_text("utf-8")
    np.testing.assert_allclose(by_json(as_json, X), expected, rtol=1e-12, atol=1e-13)
    predict = run_python(export(model, "python", tmp_path / "model.py"))["predict"]
    found = predict(as_columns(model, X))
    np.testing.assert_allclose(
        np.column_stack([found["predicted t0"], found["predicted t1"]]),
        expected,
        rtol=1e-12,
        atol=1e-12,
    )
    content = export(model, "onnx", tmp_path / "model.onnx").read_bytes()
    outputs, _ = onnx_run(content, X.astype(dtype))
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    scale = abs(expected).max(axis=0)
    assert (abs(outputs - expected) <= tolerance * scale).all()


def onnx_run(content: bytes, X: Array) -> tuple[Array, list[str] | None]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    outputs, *classes = session.run(None, {"inputs": X})
    return outputs, classes[0].tolist() if classes else None


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
def test_classes_are_those_we_say(tmp_path, output, outputs, classes, bias, scaled) -> None:
    model = a_model(
        ACTIVATIONS["tanh"](),
        output=output,
        outputs=outputs,
        classes=classes,
        bias=bias,
        scaled=scaled,
    )
    X = rows_of(model, 40)
    expected = [classes[label] for label in model.labels(model.outputs(X))]  # type: ignore[union-attr]
    assert len(set(expected)) > 1
    predict = run_python(export(model, "python", tmp_path / "model.py"))["predict"]
    found = predict(as_columns(model, X))
    assert found["class"].tolist() == expected
    assert list(found) == [*model.output_names, "class"]
    rows = [dict(zip(["x", "the y", "z"], row, strict=True)) for row in X.tolist()]
    np.testing.assert_array_equal(
        predict(rows)[model.output_names[0]], found[model.output_names[0]]
    )
    pytest.importorskip("onnxruntime")
    content = export(model, "onnx", tmp_path / "model.onnx").read_bytes()
    assert onnx_run(content, X)[1] == expected


MIXED = (
    InputColumn("age", fill=38.5, indicator=True),
    InputColumn("married", "boolean"),
    InputColumn("job", "category", ("clerk", "smith", "1"), fill="smith", indicator=True),
    InputColumn("town", "category", ("a b", "c\"d'e")),
)


def test_columns_are_encoded_as_we_do(tmp_path: Path) -> None:
    from pandas import DataFrame

    model = a_model(ACTIVATIONS["tanh"](), columns=MIXED)
    rows = {
        "town": ["a b", "c\"d'e", "elsewhere", "a b"],
        "job": ["smith", None, " clerk", "1.0"],
        "married": [True, False, False, True],
        "age": [20, None, 40.5, float("nan")],
    }
    expected = model.predict(DataFrame(rows))
    predict = run_python(export(model, "python", tmp_path / "model.py"))["predict"]
    np.testing.assert_allclose(predict(rows)["predicted t0"], expected[:, 0], rtol=1e-12)
    for column, value in [("town", None), ("married", 2), ("age", float("inf"))]:
        with pytest.raises(ValueError, match=column):
            predict(rows | {column: [value] * 4})
    with pytest.raises(KeyError, match="age"):
        predict({name: values for name, values in rows.items() if name != "age"})
    saved = json.loads(export(model, "json", tmp_path / "model.json").read_text("utf-8"))
    assert saved["columns"][2]["categories"] == ["clerk", "smith", "1"]
    assert saved["inputs"] == list(model.encoder.names)
    pytest.importorskip("onnxruntime")
    content = export(model, "onnx", tmp_path / "model.onnx").read_bytes()
    outputs, classes = onnx_run(content, model.encoder.encode(DataFrame(rows)))
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)
    assert classes is None


def test_the_python_file_imports_numpy_alone_and_holds_only_what_it_uses() -> None:
    text = python_file.python_text(a_model(ACTIVATIONS["relu"](), scaled=False))
    assert [line for line in text.splitlines() if "import" in line] == ["import numpy as np"]
    assert "def relu(z)" in text
    assert not any(f"def {name}(" in text for name in ("tanh", "softmax", "category", "boolean"))
    assert "SHIFT" not in text
    assert "a1 = relu(W1 @ a0 + b1)" in text


@pytest.mark.parametrize("hidden", ["sigmoid", "relu"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_large_weights_are_no_reason_to_refuse(tmp_path: Path, hidden, dtype) -> None:
    pytest.importorskip("onnxruntime")
    model = a_model(ACTIVATIONS[hidden](), output="sigmoid", classes=("a", "b"), dtype=dtype)
    for factor in (30, 1000):  # probabilities of 1e-7, which a sigmoid knows to an ulp of 1
        large = replace(model, params=model.params * np.dtype(dtype).type(factor))
        for to in ("python", "onnx"):
            assert export(large, to, tmp_path / f"{to}{factor}").is_file()


@pytest.mark.parametrize("to", ["python", "onnx"])
def test_a_file_that_computes_something_else_is_not_written(
    tmp_path: Path, monkeypatch, to
) -> None:
    pytest.importorskip("onnxruntime")
    model = a_model(ACTIVATIONS["tanh"]())
    other = replace(model, params=model.params * (1 + 1e-9))
    kind = FORMATS[to]
    wrong = replace(kind, content=lambda _: kind.content(other))
    monkeypatch.setattr(exporting, "FORMATS", {to: wrong})
    with pytest.raises(GateFailed, match=r"gives .* where bpnet gives .* was not written"):
        export(model, to, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_wrong_classes_are_not_written(tmp_path: Path, monkeypatch) -> None:
    model = a_model(ACTIVATIONS["tanh"](), output="softmax", outputs=2, classes=("a", "b"))
    swapped = replace(FORMATS["python"], content=lambda m: _swapped(FORMATS["python"].content(m)))
    monkeypatch.setattr(exporting, "FORMATS", {"python": swapped})
    with pytest.raises(GateFailed, match="do not match its outputs"):
        export(model, "python", tmp_path / "model.py")


def _swapped(content: bytes) -> bytes:
    return content.replace(b"Y.argmax", b"Y.argmin")


def test_a_file_in_the_way_is_overwritten_only_by_force(tmp_path: Path) -> None:
    model, path = a_model(ACTIVATIONS["tanh"]()), tmp_path / "model.json"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="exists already: --force"):
        export(model, "json", path)
    assert path.read_text() == "mine"
    export(model, "json", path, force=True)
    assert path.read_text() != "mine"
    with pytest.raises(ConfigError, match="name a file"):
        export(model, "json", tmp_path, force=True)


def test_without_the_packages_onnx_says_what_to_install(tmp_path: Path, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match=r"needs the package onnx: pip install 'bpcli\[onnx\]'"):
        export(a_model(ACTIVATIONS["tanh"]()), "onnx", tmp_path / "model.onnx")


# A stranger's run.

TOUCH = f"__import__('pathlib').Path('{CANARY}').touch()"


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there once the code of `TOUCH` was run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / CANARY


@pytest.mark.parametrize(
    ("column", "complaint"),
    [
        (InputColumn("x", f"{TOUCH} or str"), "expected number, boolean or category"),  # type: ignore[arg-type]
        (InputColumn("x", fill=TOUCH), "expected a finite number"),
        (InputColumn("x", "category", ("a",), fill=1.5), "expected a name"),
        (InputColumn("x", "category", (1,)), "expected a name"),  # type: ignore[arg-type]
        (InputColumn(["x"]), "expected a name"),  # type: ignore[arg-type]
    ],
)
def test_the_text_itself_is_made_of_literals_alone(column, complaint) -> None:
    model = a_model(ACTIVATIONS["tanh"](), columns=(column,))
    with pytest.raises(RunError, match=complaint):
        python_file.python_text(model)


@pytest.mark.parametrize("slope", [TOUCH, float("inf"), True, None])
def test_an_option_that_is_no_number_is_no_code(canary, slope) -> None:
    with pytest.raises(RunError, match="a finite number"):
        export(a_model(LeakyRelu(slope)), "python", canary.with_name("model.py"))
    assert not [*canary.parent.iterdir()]


NAMES = [
    f"' + {TOUCH} + '", f'" + {TOUCH} + "', f'"""\n{TOUCH}\n"""', f"\\' + {TOUCH} #", "\\", "'\"",
    "a\nb", "{x} {0} %s", "\u202e\u2066", "\x1b[31m\x9b", "中文 🙂", f"]\n{TOUCH}\n[", "\0",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_are_literals_wherever_they_stand(canary, name) -> None:
    columns = (
        InputColumn(name, "category", (name, f"{name}2"), fill=name, indicator=True),
        InputColumn("y"),
    )
    model = a_model(
        ACTIVATIONS["tanh"](), output="softmax", outputs=2, classes=(name, "b"), columns=columns
    )
    model = replace(model, name=name)
    path = export(model, "python", canary.with_name("model.py"))
    assert path.read_text("utf-8").replace("\n", "").isprintable()
    exported = run_python(path)
    found = exported["predict"]({name: [name, None, "c"], "y": [0.5, 1, 2]})
    assert [*found] == [f"P({name})", "P(b)", "class"]
    assert {*found["class"].tolist()} <= {name, "b"}
    assert exported["NAME"] == name
    assert not canary.exists()
    saved = json.loads(export(model, "json", canary.with_name("model.json")).read_text("utf-8"))
    assert saved["classes"] == [name, "b"]
    assert saved["columns"][0]["categories"] == [name, f"{name}2"]


@given(st.text())
def test_a_string_literal_is_the_string_on_one_line_of_printable_characters(text: str) -> None:
    literal = python_string(text)
    assert eval(literal, {"__builtins__": {}}) == text
    assert literal.isprintable()


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_literal_is_the_number_to_the_last_bit(value: float) -> None:
    assert eval(number(value), {"__builtins__": {}}) == value
    assert number(np.float64(value) if isinstance(value, float) else value) == repr(value)


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), True, None, "1", [1], 1j])
def test_what_is_no_finite_number_has_no_literal(value) -> None:
    with pytest.raises(RunError, match="expected a finite number"):
        number(value)


def test_an_identifier_is_one_of_ours() -> None:
    assert identifier("relu", ("tanh", "relu")) == "relu"
    for word in ("relu()", "", None, ["relu"]):
        with pytest.raises(RunError, match="expected tanh or relu"):
            identifier(word, ("tanh", "relu"))


# The process in which an exported Python file is tried.


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

RIGHT = python_file.python_text(a_model(ACTIVATIONS["tanh"]()))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("raise SystemExit(3)", "failed in a test run and was not written: exit code 3"),
        ("raise ValueError('too hot\\x1b[31m')", "not written: ValueError: too hot"),
        ("this is no Python", "not written: SyntaxError"),
        ("predict = None", "not written: TypeError"),
        ("", "not written: KeyError: 'predict'"),
        ("import os; os._exit(0)", "printed something else than its predictions"),
        (f"print('hello')\n{RIGHT}", "printed something else than its predictions"),
        ("predict = lambda rows: {}", "have a wrong shape"),
        (OTHER.format("[1, 2, 3]"), "have a wrong shape"),
        (OTHER.format("['a'] * len(self.rows['x'])"), "have a wrong shape"),
        (OTHER.format("3"), "printed something else than its predictions"),
        (OTHER.format("[float('nan')] * len(self.rows['x'])"), "gives nan where bpnet gives"),
    ],
)
def test_a_file_that_fails_is_not_written(canary, monkeypatch, text, complaint) -> None:
    exported_by(monkeypatch, text)
    with pytest.raises(GateFailed, match=complaint) as caught:
        export(a_model(ACTIVATIONS["tanh"]()), "python", canary.with_name("model.py"))
    assert "written" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not [*canary.parent.iterdir()]


def test_a_file_that_takes_too_long_is_ended_and_not_written(canary, monkeypatch) -> None:
    monkeypatch.setattr(python_child, "TIMEOUT", 0.5)
    exported_by(monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(GateFailed, match=r"computed nothing within 0\.5 s: it was not written"):
        export(a_model(ACTIVATIONS["tanh"]()), "python", canary.with_name("model.py"))
    assert not [*canary.parent.iterdir()]


@pytest.mark.parametrize("program", ["", "/no/such/python"])
def test_without_an_interpreter_nothing_is_written(canary, monkeypatch, program) -> None:
    monkeypatch.setattr(python_child.sys, "executable", program)
    with pytest.raises(GateFailed, match=r"could not be run: .* does not start"):
        export(a_model(ACTIVATIONS["tanh"]()), "python", canary.with_name("model.py"))
    assert not [*canary.parent.iterdir()]


def test_the_file_is_tried_alone_in_an_empty_folder(canary, monkeypatch, tmp_path) -> None:
    """In isolated mode, without the environment and without this process's modules."""
    monkeypatch.setenv("BPNET_SECRET", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "math.py").write_text("raise SystemExit('a planted module')")
    (tmp_path / "json.py").write_text("raise SystemExit('a planted module')")
    exported_by(
        monkeypatch,
        "import os, sys\n"
        "assert sys.flags.isolated and not sys.stdin.read()\n"
        "assert 'BPNET_SECRET' not in os.environ and 'HOME' not in os.environ, os.environ\n"
        "assert os.listdir() == ['exported.py'] and 'bpcli' not in sys.modules\n" + RIGHT,
    )
    export(a_model(ACTIVATIONS["tanh"]()), "python", tmp_path / "model.py")


@pytest.mark.skipif(os.name == "nt", reason="the script is for the shell of a POSIX system")
def test_numpy_is_found_where_the_interpreter_does_not_look(canary, monkeypatch, tmp_path) -> None:
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')  # without site-packages
    program.chmod(0o755)
    monkeypatch.setattr(python_child.sys, "executable", str(program))
    assert export(a_model(ACTIVATIONS["tanh"]()), "python", tmp_path / "model.py").is_file()


def test_one_process_tries_all_rows(canary, monkeypatch) -> None:
    import subprocess

    started, run = [], subprocess.run

    def counted(*arguments: Any, **options: Any) -> Any:
        started.append(arguments)
        return run(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", counted)
    export(a_model(ACTIVATIONS["tanh"]()), "python", canary.with_name("model.py"))
    assert len(started) == 1


def test_predictions_come_back_to_the_last_bit() -> None:
    values = [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3]
    text = b"import numpy\npredict = lambda rows: {'y': numpy.array(rows['x'], float)}"
    (found,) = python_child.predictions(text, [{"x": values}])
    assert [value.hex() for value in found["y"]] == [value.hex() for value in values]
    gaps = b"import numpy\npredict = lambda rows: {'y': numpy.array([str(v) for v in rows['x']])}"
    (found,) = python_child.predictions(gaps, [{"x": [None, float("nan"), True, 1.0, "a"]}])
    assert found["y"] == ["None", "nan", "True", "1.0", "a"]


def test_what_an_onnx_file_has_no_room_for_is_said(tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(onnx_file, "_MOST_BYTES", 100)
    with pytest.raises(ConfigError, match=r"take 168 bytes, but an ONNX file holds at most"):
        export(a_model(ACTIVATIONS["tanh"]()), "onnx", tmp_path / "model.onnx")
