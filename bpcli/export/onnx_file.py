"""A model as an ONNX graph, for the many runtimes that read it.

`inputs` (N, inputs) are the encoded columns in their own units, in the precision of the training;
scaling, layers and scaling back follow, and for classes their names. A runtime that lacks an
operator in double precision is spared it: such an activation is spelt out in simpler ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bpcli.data.preprocessing import Scaler
from bpcli.errors import ConfigError
from bpcli.export.model import Model
from bpcli.nn.activations import ACTIVATIONS, Activation, Elu, LeakyRelu, Maxout
from bpcli.nn.arrays import Array
from bpcli.registry import name_of
from bpcli.text import printable_json

OPSET = 13
"""Of 2020, which every runtime in use reads."""

_MOST_BYTES = 2**31 - 2**20
"""Of parameters: protobuf has no longer messages than 2 GiB, in which names stand too."""


def onnx_bytes(model: Model) -> bytes:
    """The graph.

    Raises `ConfigError` where the packages that write or verify it lack, or it is too large.
    """
    helper = _onnx().helper
    size = model.params.nbytes
    if size > _MOST_BYTES:
        raise ConfigError(
            f"An ONNX file holds at most 2 GiB, and these parameters take {size:,} bytes: train in "
            "float32, or export to json."
        )
    graph = _Graph(model.params.dtype)
    output = _pipeline(graph, model)
    kind = helper.np_dtype_to_tensor_dtype(model.params.dtype)
    width = len(model.encoder.names)
    inputs = [helper.make_tensor_value_info("inputs", kind, ["N", width])]
    outputs = [helper.make_tensor_value_info(output, kind, ["N", model.network.outputs])]
    if model.class_names:
        outputs.append(helper.make_tensor_value_info("class", _onnx().TensorProto.STRING, ["N"]))
    made = helper.make_graph(graph.nodes, model.name, inputs, outputs, graph.constants)
    opset = helper.make_opsetid("", OPSET)
    whole = helper.make_model(
        made,
        opset_imports=[opset],
        ir_version=helper.find_min_ir_version_for([opset]),
        producer_name="bpnet",
    )
    names = {"inputs": model.encoder.names, "outputs": model.output_names}
    helper.set_model_props(
        whole,
        {
            key: printable_json(json.dumps(value, ensure_ascii=False))
            for key, value in names.items()
        },
    )
    _onnx().checker.check_model(whole)
    content: bytes = whole.SerializeToString()
    return content


def onnx_outputs(content: bytes, X: Array, dtype: np.dtype) -> tuple[Array, list[str] | None]:
    """What an ONNX runtime computes for encoded inputs: outputs, and classes where there are."""
    session = _module("onnxruntime").InferenceSession(content, providers=["CPUExecutionProvider"])
    outputs, *classes = session.run(None, {"inputs": X.astype(dtype)})
    return outputs, classes[0].tolist() if classes else None


def _module(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        raise ConfigError(
            f"The export to ONNX needs the package {name}: pip install 'bpcli[onnx]'."
        ) from None


def _onnx() -> Any:
    return _module("onnx")


class _Graph:
    """Nodes and constants, as they are added."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node; its output's name."""
        output = name or f"{operator.lower()}_{len(self.nodes)}"
        made = _onnx().helper.make_node(operator, inputs, [output], name=output, **attributes)
        self.nodes.append(made)
        return output

    def constant(self, name: str, value: Any, dtype: Any = None) -> str:
        """Add a constant, in the precision of the network unless told; its name, made unique."""
        if any(known.name == name for known in self.constants):
            name = f"{name}_{len(self.constants)}"
        array = np.ascontiguousarray(np.asarray(value, dtype or self.dtype))
        self.constants.append(_onnx().numpy_helper.from_array(array, name))
        return name

    def cast(self, value: str, dtype: Any) -> str:
        kind = _onnx().helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.node("Cast", value, to=kind)


# The pipeline.


def _pipeline(graph: _Graph, model: Model) -> str:
    """All nodes from `inputs` to the outputs, whose name it gives, and to `class`."""
    a = _scaled(graph, "inputs", model.preprocessor.inputs)
    tensors = dict(model.network.tensors(model.params))
    for number, layer in enumerate(model.network.layers, start=1):
        names = [name for name in (f"W{number}", f"b{number}") if name in tensors]
        operands = [graph.constant(name, tensors[name]) for name in names]
        z = graph.node("Gemm", a, *operands, name=f"z{number}", transB=1)
        a = _activated(graph, z, layer.activation)
    output = _unscaled(graph, a, model.preprocessor.targets)
    output = graph.node("Identity", output, name="outputs")
    if model.class_names:
        _class(graph, output, model)
    return output


def _scaled(graph: _Graph, x: str, scale: Scaler) -> str:
    """(x - shift) / factor, in double as bpnet does it."""
    if scale.changes_nothing:
        return x
    shift = graph.constant("inputs.shift", scale.shift, np.float64)
    factor = graph.constant("inputs.factor", scale.factor, np.float64)
    shifted = graph.node("Sub", graph.cast(x, np.float64), shift)
    return graph.cast(graph.node("Div", shifted, factor), graph.dtype)


def _unscaled(graph: _Graph, y: str, scale: Scaler) -> str:
    """The inverse, y · factor + shift, in double as bpnet does it."""
    if scale.changes_nothing:
        return y
    factor = graph.constant("targets.factor", scale.factor, np.float64)
    shift = graph.constant("targets.shift", scale.shift, np.float64)
    stretched = graph.node("Mul", graph.cast(y, np.float64), factor)
    return graph.cast(graph.node("Add", stretched, shift), graph.dtype)


def _class(graph: _Graph, outputs: str, model: Model) -> None:
    """The name of the class with the largest output; of a single one, class 1 from ½ up."""
    if model.network.outputs > 1:
        label = graph.node("ArgMax", outputs, axis=1, keepdims=0)
    else:
        is_less = graph.node("Less", outputs, graph.constant("half", 0.5))
        label = graph.cast(graph.node("Not", is_less), np.int64)
        label = graph.node("Reshape", label, graph.constant("flat", [-1], np.int64))
    names = graph.constant("class_names", model.class_names, object)
    graph.node("Gather", names, label, name="class")


# Activations.


def _activated(graph: _Graph, z: str, activation: Activation) -> str:
    """The nodes of an activation; the name of its result."""
    return _ACTIVATIONS[name_of(ACTIVATIONS, activation)](graph, z, activation)


Write = Callable[[_Graph, str, Any], str]


def _operator(name: str, **attributes: Any) -> Write:
    """An activation that ONNX has as one operator."""
    return lambda graph, z, _: graph.node(name, z, **attributes)


def _leaky_relu(graph: _Graph, z: str, activation: LeakyRelu) -> str:
    slope = graph.constant("slope", activation.slope)
    return graph.node("Max", z, graph.node("Mul", z, slope))


def _elu(graph: _Graph, z: str, activation: Elu) -> str:
    """ELU is max(z, 0) + alpha (e^min(z, 0) - 1)."""
    zero, one = graph.constant("zero", 0), graph.constant("one", 1)
    power = graph.node("Exp", graph.node("Min", z, zero))
    bent = graph.node(
        "Mul", graph.node("Sub", power, one), graph.constant("alpha", activation.alpha)
    )
    return graph.node("Add", graph.node("Relu", z), bent)


def _softplus(graph: _Graph, z: str, _: Activation) -> str:
    """Softplus is max(z, 0) + ln(1 + e^-|z|)."""
    power = graph.node("Exp", graph.node("Neg", graph.node("Abs", z)))
    log = graph.node("Log", graph.node("Add", power, graph.constant("one", 1)))
    return graph.node("Add", graph.node("Relu", z), log)


def _softsign(graph: _Graph, z: str, _: Activation) -> str:
    """Softsign is z / (1 + |z|)."""
    divisor = graph.node("Add", graph.node("Abs", z), graph.constant("one", 1))
    return graph.node("Div", z, divisor)


def _maxout(graph: _Graph, z: str, activation: Maxout) -> str:
    """The largest of each unit's pieces, which stand side by side."""
    shape: Sequence[int] = (0, -1, activation.pieces)
    by_unit = graph.node("Reshape", z, graph.constant("by_unit", shape, np.int64))
    return graph.node("ReduceMax", by_unit, axes=[2], keepdims=0)


_ACTIVATIONS: dict[str, Write] = {
    "identity": _operator("Identity"),
    "sigmoid": _operator("Sigmoid"),
    "tanh": _operator("Tanh"),
    "relu": _operator("Relu"),
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "softplus": _softplus,
    "softsign": _softsign,
    "maxout": _maxout,
    "softmax": _operator("Softmax", axis=1),
}
