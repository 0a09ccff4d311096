"""A model as an ONNX graph.

`inputs` (N, inputs) are the encoded columns in original units, in the training precision. The graph
scales them, computes the layers and scales the outputs back; classes are given by name.
"""

from __future__ import annotations

import json

import numpy as np

from bpcli.data.scaler import Scaler
from bpcli.errors import ConfigError
from bpcli.export.model import Model
from bpcli.export.onnx_graph import OnnxGraph, package
from bpcli.nn.arrays import Array
from bpcli.text import printable_json

OPSET = 13
"""The version of 2020, which all current runtimes read."""

_MOST_BYTES = 2**31 - 2**20
"""The limit for parameters: a protobuf message has at most 2 GiB, including names."""


def onnx_bytes(model: Model) -> bytes:
    """The content of the ONNX file.

    Raises `ConfigError` if a needed package is missing or the model is too large.
    """
    onnx = package("onnx")
    helper = onnx.helper
    size = model.params.nbytes
    if size > _MOST_BYTES:
        raise ConfigError(
            f"The parameters take {size:,} bytes, but an ONNX file can have at most 2 GiB: train "
            "in float32, or export to json."
        )
    graph = OnnxGraph(model.params.dtype)
    output = _pipeline(graph, model)
    dtype = helper.np_dtype_to_tensor_dtype(model.params.dtype)
    width = len(model.encoder.names)
    inputs = [helper.make_tensor_value_info("inputs", dtype, ["N", width])]
    outputs = [helper.make_tensor_value_info(output, dtype, ["N", model.network.outputs])]
    text = onnx.TensorProto.STRING
    if model.class_names:
        outputs.append(helper.make_tensor_value_info("class", text, ["N"]))
    elif words := model.preprocessor.words:
        outputs.append(helper.make_tensor_value_info("labels", text, ["N", len(words)]))
    made = helper.make_graph(graph.nodes, model.name, inputs, outputs, graph.constants)
    opset = helper.make_opsetid("", OPSET)
    whole = helper.make_model(
        made,
        opset_imports=[opset],
        ir_version=helper.find_min_ir_version_for([opset]),
        producer_name="bpnet",
    )
    names = {"inputs": model.encoder.names, "outputs": model.output_names}
    if model.preprocessor.words:
        names["labels"] = tuple(model.answers)
    helper.set_model_props(
        whole,
        {
            key: printable_json(json.dumps(value, ensure_ascii=False))
            for key, value in names.items()
        },
    )
    onnx.checker.check_model(whole)
    content: bytes = whole.SerializeToString()
    return content


def onnx_outputs(content: bytes, X: Array, dtype: np.dtype) -> tuple[Array, Array | None]:
    """Run an ONNX file on encoded inputs; return the outputs, and predicted words if there are any.

    The words (n, answers) are those of the class or of each label.
    """
    session = package("onnxruntime").InferenceSession(content, providers=["CPUExecutionProvider"])
    outputs, *words = session.run(None, {"inputs": X.astype(dtype)})
    return outputs, words[0].reshape(len(X), -1) if words else None


# The pipeline.


def _pipeline(graph: OnnxGraph, model: Model) -> str:
    """Add all nodes from `inputs` to the outputs, `class` or `labels`; return the outputs' name."""
    a = _scaled(graph, "inputs", model.preprocessor.inputs)
    tensors = dict(model.network.tensors(model.params))
    for number, layer in enumerate(model.network.layers, start=1):
        names = [name for name in (f"W{number}", f"b{number}") if name in tensors]
        operands = [graph.constant(name, tensors[name]) for name in names]
        z = graph.node("Gemm", a, *operands, name=f"z{number}", transB=1)
        a = layer.activation.onnx(graph, z)
    output = _unscaled(graph, a, model.preprocessor.targets)
    output = graph.node("Identity", output, name="outputs")
    if model.class_names:
        _class(graph, output, model)
    elif model.preprocessor.words:
        _labels(graph, output, model)
    return output


def _scaled(graph: OnnxGraph, x: str, scale: Scaler) -> str:
    """(x - shift) / factor, in double precision as in bpnet."""
    if scale.changes_nothing:
        return x
    shift = graph.constant("inputs.shift", scale.shift, np.float64)
    factor = graph.constant("inputs.factor", scale.factor, np.float64)
    shifted = graph.node("Sub", graph.cast(x, np.float64), shift)
    return graph.cast(graph.node("Div", shifted, factor), graph.dtype)


def _unscaled(graph: OnnxGraph, y: str, scale: Scaler) -> str:
    """The inverse, y · factor + shift, in double precision as in bpnet."""
    if scale.changes_nothing:
        return y
    factor = graph.constant("targets.factor", scale.factor, np.float64)
    shift = graph.constant("targets.shift", scale.shift, np.float64)
    stretched = graph.node("Mul", graph.cast(y, np.float64), factor)
    return graph.cast(graph.node("Add", stretched, shift), graph.dtype)


def _class(graph: OnnxGraph, outputs: str, model: Model) -> None:
    """Add the name of the class with the largest output; for one output, class 1 if it is ≥ ½."""
    if model.network.outputs > 1:
        label = graph.node("ArgMax", outputs, axis=1, keepdims=0)
    else:
        is_less = graph.node("Less", outputs, graph.constant("half", 0.5))
        label = graph.cast(graph.node("Not", is_less), np.int64)
        label = graph.node("Reshape", label, graph.constant("flat", [-1], np.int64))
    names = graph.constant("class_names", model.class_names, object)
    graph.node("Gather", names, label, name="class")


def _labels(graph: OnnxGraph, outputs: str, model: Model) -> None:
    """Add the word of each label (N, k): the second one if the output is at least ½."""
    zeros, ones = (
        graph.constant(name, list(words), object)
        for name, words in zip(
            ("words_of_0", "words_of_1"), zip(*model.answers.values(), strict=True), strict=True
        )
    )
    is_less = graph.node("Less", outputs, graph.constant("half", 0.5))
    graph.node("Where", is_less, zeros, ones, name="labels")
