"""ONNX files of PyTorch's and scikit-learn's exporters, and our own.

The files in `data` are those of PyTorch 2.14.1 (both exporters) and skl2onnx 1.20.0, without
comments; `onnx.json` has what PyTorch and scikit-learn 1.9.1 predicted. Others are written here
with the nodes and names that those exporters write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imported import assert_same_bits, is_close, outputs_of, refusal
from models import VARIANTS, a_model, rows_of
from sklearn.neural_network import MLPClassifier, MLPRegressor

from bpcli.errors import ModelError
from bpcli.export.onnx_file import onnx_bytes, onnx_outputs
from bpcli.imports.onnx_file import onnx_model
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

DATA = Path(__file__).parent / "data"
GOLDEN = json.loads((DATA / "onnx.json").read_text())
FLOAT, DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE


class Graph:
    """Nodes and constants of a graph with one input `x`."""

    def __init__(self, dtype: Any = np.float64) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.dtype = dtype

    def node(self, operator: str, *inputs: str, to: Sequence[str] = (), **options: Any) -> str:
        output = [*to] or [f"/{len(self.nodes)}/{operator}_output_0"]
        self.nodes.append(
            onnx.helper.make_node(operator, inputs, output, f"/{len(self.nodes)}", **options)
        )
        return output[0]

    def constant(self, name: str, value: Any, dtype: Any = None) -> str:
        array = np.asarray(value, dtype or self.dtype)
        self.constants.append(onnx.numpy_helper.from_array(array, name))
        return name

    def content(self, width: int, outputs: Sequence[str]) -> bytes:
        kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        value = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            self.nodes,
            "main_graph",
            [value("x", kind, ["N", width])],
            [value(name, kind, None) for name in outputs],
            self.constants,
        )
        opsets = [onnx.helper.make_opsetid("", 13), onnx.helper.make_opsetid("ai.onnx.ml", 1)]
        model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
        return bytes(model.SerializeToString())


def run(content: bytes, X: np.ndarray, dtype: Any = np.float64) -> list[Any]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return list(session.run(None, {"x": X.astype(dtype)}))


# Our own.


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("hidden", VARIANTS, ids=str)
def test_our_own_export_comes_back_to_the_last_bit(hidden: Activation, dtype: str) -> None:
    model = a_model(hidden, outputs=2, dtype=dtype)
    found = onnx_model(onnx_bytes(model))
    assert_same_bits(found, model)
    assert (found.input_names, found.target_names) == (model.encoder.names, model.target_names)


@pytest.mark.parametrize(
    ("output", "outputs", "classes"),
    [("sigmoid", 1, ("no", "ÿes")), ("softmax", 3, ("a", "b", "c")), ("tanh", 2, ("x", "y"))],
)
def test_the_classes_of_our_own_export_come_back(
    output: str, outputs: int, classes: tuple[str, ...]
) -> None:
    model = a_model(ACTIVATIONS["relu"](), output=output, outputs=outputs, classes=classes)
    assert_same_bits(onnx_model(onnx_bytes(model)), model)


def test_the_labels_of_our_own_export_come_back() -> None:
    words = {"red": ("no", "yes"), "blue": ("0", "1")}
    model = a_model(ACTIVATIONS["tanh"](), output="sigmoid", outputs=2, words=words)
    found = onnx_model(onnx_bytes(model))
    assert dict(zip(found.target_names, found.labels, strict=True)) == words


# Files that PyTorch and skl2onnx wrote.


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_file_of_another_program_gives_its_outputs(name: str) -> None:
    case = GOLDEN[name]
    found = onnx_model((DATA / f"{name}.onnx").read_bytes())
    outputs = outputs_of(found, np.array(case["X"]))
    is_single = name in ("torch_selu", "torch_softplus")
    expected = np.array(case["Y"])[:, -outputs.shape[1] :]  # of two classes, that of the second
    assert is_close(outputs, expected, 1e-6 if is_single else 1e-12)
    assert [*found.classes] == case["classes"]


@pytest.mark.parametrize(
    ("name", "note"),
    [("torch_softplus", "without PyTorch's threshold"), ("sklearn_two_outputs", "the 2 outputs")],
)
def test_what_is_not_taken_literally_is_said(name: str, note: str) -> None:
    assert note in onnx_model((DATA / f"{name}.onnx").read_bytes()).notes[0]


# PyTorch's.

_OF_TORCH: dict[str, Callable[[Graph, str], str]] = {
    "tanh": lambda graph, z: graph.node("Tanh", z),
    "sigmoid": lambda graph, z: graph.node("Sigmoid", z),
    "relu": lambda graph, z: graph.node("Relu", z),
    "softplus": lambda graph, z: graph.node("Softplus", z),
    "leaky_relu": lambda graph, z: graph.node("LeakyRelu", z, alpha=0.25),
    "elu": lambda graph, z: graph.node("Elu", z, alpha=1.0),
    "softsign": lambda graph, z: graph.node(
        "Div", z, graph.node("Add", graph.node("Abs", z), graph.constant("one", 1.0))
    ),
}


def torch_file(activation: str, *, is_gemm: bool, dtype: Any) -> bytes:
    """An `nn.Sequential(Linear(3, 4), activation, Linear(4, 2))`, after a fixed scale."""
    graph, rng = Graph(dtype), np.random.default_rng(5)
    at = graph.node("Sub", "x", graph.constant("mean", [1.0, 2.0, 3.0]))
    at = graph.node("Div", at, graph.constant("std", [2.0, 0.5, 4.0]))
    for number, (width, units) in enumerate(((3, 4), (4, 2))):
        W, b = rng.normal(size=(units, width)), rng.normal(size=units)
        bias = graph.constant(f"net.{2 * number}.bias", b)
        if is_gemm:
            weight = graph.constant(f"net.{2 * number}.weight", W)
            at = graph.node("Gemm", at, weight, bias, alpha=1.0, beta=1.0, transB=1)
        else:
            weight = graph.constant(f"onnx::MatMul_{number}", W.T)
            at = graph.node("Add", bias, graph.node("MatMul", at, weight))
        if number == 0:
            at = _OF_TORCH[activation](graph, at)
    return graph.content(3, [at])


@pytest.mark.parametrize("is_gemm", [True, False])
@pytest.mark.parametrize("activation", _OF_TORCH)
def test_a_file_of_pytorch_gives_the_outputs_of_onnxruntime(activation: str, is_gemm: bool) -> None:
    dtype = np.float32 if activation in ("softplus", "elu", "leaky_relu") else np.float64
    content = torch_file(activation, is_gemm=is_gemm, dtype=dtype)
    found = onnx_model(content)
    X = np.random.default_rng(6).normal(size=(20, 3)) * 4
    expected = run(content, X, dtype)[0]
    assert is_close(outputs_of(found, X), expected, 1e-12 if dtype == np.float64 else 1e-5)
    assert found.sizes == [3, 4, 2]
    np.testing.assert_allclose(found.inputs.factor, [2.0, 0.5, 4.0], rtol=1e-15)


# scikit-learn's.


def sklearn_file(mlp: Any, dtype: Any, *, zipmap: bool = False) -> bytes:
    """What skl2onnx writes for a multilayer perceptron."""
    graph = Graph(dtype)
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    operator = {"identity": "Identity", "logistic": "Sigmoid", "softmax": "Softmax",
                "tanh": "Tanh", "relu": "Relu"}  # fmt: skip
    graph.nodes.append(onnx.helper.make_node("Cast", ["x"], ["cast_input"], "Cast", to=kind))
    at = "cast_input"
    for number, (W, b) in enumerate(zip(mlp.coefs_, mlp.intercepts_, strict=True)):
        weight = graph.constant(f"coefficient{number}", W)
        bias = graph.constant(f"intercepts{number}", b[None])
        at = graph.node("Add", graph.node("MatMul", at, weight), bias)
        is_last = number == len(mlp.coefs_) - 1
        at = graph.node(operator[mlp.out_activation_ if is_last else mlp.activation], at)
    if not hasattr(mlp, "classes_"):
        graph.constant("shape", [-1, 1], np.int64)
        return graph.content(mlp.n_features_in_, [graph.node("Reshape", at, "shape", to=["y"])])
    if len(mlp.classes_) == 2:
        other = graph.node("Sub", graph.constant("unity", 1.0), at)
        probabilities = graph.node("Concat", other, at, to=["probabilities"], axis=1)
    else:
        probabilities = graph.node("Identity", at, to=["probabilities"])
    graph.constant(
        "classes",
        mlp.classes_.astype(object),
        object if mlp.classes_.dtype.kind == "U" else np.int32,
    )
    best = graph.node("ArgMax", probabilities, axis=1)
    label = graph.node("ArrayFeatureExtractor", "classes", best, domain="ai.onnx.ml")
    graph.constant("flat", [-1], np.int64)
    graph.node("Reshape", label, "flat", to=["output_label"])
    if zipmap:
        graph.node("ZipMap", probabilities, to=["output_probability"], domain="ai.onnx.ml",
                   classlabels_strings=[str(each) for each in mlp.classes_])  # fmt: skip
    return graph.content(mlp.n_features_in_, ["probabilities"])


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    X = rng.normal(size=(60, 3))
    return X, X @ [1.0, -2.0, 0.5]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu", "identity"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_a_regressor_of_scikit_learn_predicts_the_same(
    activation: str, dtype: Any, tolerance: float, rows: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = rows
    mlp = MLPRegressor(
        hidden_layer_sizes=(5, 4), activation=activation, max_iter=20, random_state=1
    ).fit(X, y)
    found = onnx_model(sklearn_file(mlp, dtype))
    assert is_close(outputs_of(found, X)[:, 0], mlp.predict(X), tolerance)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("names", [["no", "yes"], ["a", "b", "c"], [3, 7], [1, 2, 4]])
def test_a_classifier_of_scikit_learn_predicts_the_same(
    names: list[Any], zipmap: bool, rows: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = rows
    labels = np.array(names)[np.digitize(y, np.quantile(y, [0.4, 0.7][: len(names) - 1]))]
    mlp = MLPClassifier((4,), max_iter=20, random_state=1).fit(X, labels)
    found = onnx_model(sklearn_file(mlp, np.float64, zipmap=zipmap))
    assert found.classes == tuple(map(str, names))
    expected = mlp.predict_proba(X)[:, -found.layers[-1].units :]
    assert is_close(outputs_of(found, X), expected)


def test_a_scaler_of_ai_onnx_ml_is_a_scale() -> None:
    graph = Graph()
    at = graph.node("Scaler", "x", domain="ai.onnx.ml", offset=[1.0, 2.0], scale=[0.5, 4.0])
    at = graph.node("Gemm", at, graph.constant("W", [[1.0, 1.0]]), transB=1)
    found = onnx_model(graph.content(2, [at]))
    assert found.inputs.shift.tolist() == [1, 2]
    assert found.inputs.factor.tolist() == [2, 0.25]


# Refusals.


def _chain(*nodes: tuple[str, dict[str, Any]]) -> bytes:
    graph = Graph()
    at = graph.node("Gemm", "x", graph.constant("W", np.eye(3)), transB=1)
    for operator, options in nodes:
        at = graph.node(operator, at, **options)
    return graph.content(3, [at])


@pytest.mark.parametrize("operator", ["Sin", "Erf", "HardSigmoid", "GlobalAveragePool", "Conv"])
def test_a_node_that_is_no_part_of_a_network_is_named(operator: str) -> None:
    assert f"node {operator}" in refusal(onnx_model, _chain((operator, {})))


@pytest.mark.parametrize(
    ("operator", "options"),
    [("LeakyRelu", {"alpha": 2.0}), ("LeakyRelu", {"alpha": -0.5}), ("Elu", {"alpha": 0.0}),
     ("Elu", {"alpha": float("nan")}), ("Scaler", {"scale": [float("inf")]})],
)  # fmt: skip
def test_numbers_that_an_activation_or_a_scale_cannot_have_are_refused(
    operator: str, options: dict[str, Any]
) -> None:
    assert "expected" in refusal(onnx_model, _chain((operator, options)))


def test_a_skip_connection_is_refused_by_its_node() -> None:
    graph = Graph()
    a = graph.node("Tanh", graph.node("Gemm", "x", graph.constant("W", np.eye(3)), transB=1))
    at = graph.node("Add", a, graph.node("Gemm", a, "W", transB=1))
    assert "another node uses too" in refusal(onnx_model, graph.content(3, [at]))


def test_a_cast_to_whole_numbers_is_refused() -> None:
    graph = Graph()
    at = graph.node("Gemm", "x", graph.constant("W", np.eye(3)), transB=1)
    graph.nodes.append(onnx.helper.make_node("Cast", [at], ["y"], to=onnx.TensorProto.INT64))
    assert "rounds numbers" in refusal(onnx_model, graph.content(3, ["y"]))


def test_a_reshape_that_mixes_samples_is_refused() -> None:
    graph = Graph()
    at = graph.node("Gemm", "x", graph.constant("W", np.eye(3)), transB=1)
    at = graph.node("Reshape", at, graph.constant("shape", [-1, 1], np.int64))
    at = graph.node("Tanh", at)
    assert "changes the shape" in refusal(onnx_model, graph.content(3, [at]))


def test_a_single_output_may_be_squeezed_but_not_several() -> None:
    for units in (1, 3):
        graph = Graph()
        at = graph.node("Gemm", "x", graph.constant("W", np.ones((units, 3))), transB=1)
        at = graph.node("Squeeze", at, graph.constant("axes", [-1], np.int64))
        content = graph.content(3, [at])
        if units == 1:
            assert onnx_model(content).sizes == [3, 1]
        else:
            assert "node Squeeze" in refusal(onnx_model, content)


def test_a_part_of_the_outputs_is_refused() -> None:
    graph = Graph()
    at = graph.node("Gemm", "x", graph.constant("W", np.eye(3)), transB=1)
    for name, value in (("start", [0]), ("end", [2]), ("axis", [1])):
        graph.constant(name, value, np.int64)
    at = graph.node("Slice", at, "start", "end", "axis")
    assert "node Slice" in refusal(onnx_model, graph.content(3, [at]))


def test_batch_normalisation_of_a_training_and_slopes_that_differ_are_refused() -> None:
    for operator, constants, options in (
        ("BatchNormalization", [np.ones(3)] * 4, {"training_mode": 1}),
        ("PRelu", [np.array([0.1, 0.2, 0.3])], {}),
        ("PRelu", [np.array([1.5])], {}),
    ):
        graph = Graph()
        at = graph.node("Gemm", "x", graph.constant("W", np.eye(3)), transB=1)
        names = [graph.constant(f"c{k}", value) for k, value in enumerate(constants)]
        at = graph.node(operator, at, *names, **options)
        assert f"node {operator}" in refusal(onnx_model, graph.content(3, [at]))


def test_weights_in_another_file_are_not_read() -> None:
    model = onnx.load_from_string(_chain())
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    assert "another file" in refusal(onnx_model, model.SerializeToString())


def test_two_inputs_and_weights_that_are_not_finite_are_refused() -> None:
    model = onnx.load_from_string(_chain())
    model.graph.input.add().name = "second"
    assert "2 inputs" in refusal(onnx_model, model.SerializeToString())
    graph = Graph()
    at = graph.node("Gemm", "x", graph.constant("W", [[np.nan]]), transB=1)
    assert "NaN" in refusal(onnx_model, graph.content(1, [at]))


@pytest.mark.parametrize(
    ("operator", "constants", "options"),
    [
        ("Gemm", [np.eye(3)], {"alpha": [1.0, 2.0]}),
        ("Gemm", [np.zeros((0, 3))], {"transB": 1}),
        ("LeakyRelu", [], {"alpha": "s"}),
        ("Selu", [], {"alpha": "s"}),
        ("PRelu", [np.array(["a"], object)], {}),
        ("PRelu", [np.zeros(0)], {}),
        ("BatchNormalization", [np.ones(3), np.ones(3), np.ones(3), -np.ones(3)], {}),
        ("Reshape", [np.array(["a"], object)], {}),
        ("Squeeze", [], {}),
        ("Tanh", [], {"to": []}),
        ("Constant", [], {}),
    ],
)
def test_nodes_of_a_wrong_form_are_refused(
    operator: str, constants: list[Any], options: dict[str, Any]
) -> None:
    graph = Graph()
    at = graph.node("Gemm", "x", graph.constant("W", np.eye(3)), transB=1)
    names = [graph.constant(f"c{k}", each, each.dtype) for k, each in enumerate(constants)]
    graph.node(operator, at, *names, **options)
    if "to" in options:
        del graph.nodes[-1].output[:]
    assert refusal(onnx_model, graph.content(3, [at])).endswith(".")


@pytest.mark.parametrize(("count", "is_read"), [(99, True), (5000, False)])
def test_very_many_scales_are_refused_soon(count: int, is_read: bool) -> None:
    """Composed as fractions, 5000 of them would take minutes."""
    graph = Graph()
    at = graph.node("Gemm", "x", graph.constant("W", np.eye(3)), transB=1)
    graph.constant("factor", 1.0000001)
    for _ in range(count):
        at = graph.node("Mul", at, "factor")
    content = graph.content(3, [at])
    if is_read:
        assert onnx_model(content).sizes == [3, 3]
    else:
        assert "more than 100 scales" in refusal(onnx_model, content)


def test_damaged_files_are_refused_in_a_sentence_or_read() -> None:
    content, rng = torch_file("elu", is_gemm=True, dtype=np.float64), np.random.default_rng(2)
    for _ in range(200):
        cut = int(rng.integers(len(content))) if rng.random() < 0.3 else None
        damaged = bytearray(content[:cut])
        for place in rng.integers(max(1, len(damaged)), size=3):
            damaged[place : place + 1] = bytes([int(rng.integers(256))])
        with suppress(ModelError):  # and nothing else
            onnx_model(bytes(damaged))


def test_our_own_file_gives_the_outputs_of_onnxruntime() -> None:
    model = a_model(ACTIVATIONS["elu"](), outputs=2)
    X = rows_of(model)
    expected, _ = onnx_outputs(onnx_bytes(model), X, np.dtype("float64"))
    assert is_close(outputs_of(onnx_model(onnx_bytes(model)), X), expected)
