"""An activation's Python source and the nodes of an ONNX graph made from it are one function."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.errors import ConfigError
from bpcli.export.onnx_graph import OnnxGraph
from bpcli.nn.arrays import Array

OPTIONS = {"alpha": 0.5, "beta": 3.0}


def computed(graph: OnnxGraph, output: str, z: Array) -> Array:
    import onnx
    import onnxruntime

    kind = onnx.TensorProto.DOUBLE
    ends = [[onnx.helper.make_tensor_value_info(name, kind, ["N"])] for name in ("z", output)]
    whole = onnx.helper.make_graph(graph.nodes, "f", *ends, graph.constants)
    opset = [onnx.helper.make_opsetid("", 13)]
    model = onnx.helper.make_model(whole, opset_imports=opset, ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found: Array = session.run(None, {"z": z})[0]
    return found


@pytest.mark.parametrize(
    "expression",
    [
        "z - 2.5 * z",
        "2.5 - z",
        "alpha / (beta + np.abs(z))",
        "-np.exp(-z * z)",
        "np.minimum(np.maximum(z, -alpha), beta)",
        "np.maximum(z, 0) + np.minimum(alpha, z)",
        "np.log1p(np.exp(z)) - np.expm1(alpha * z)",
        "np.sqrt(1 + z * z) * np.tanh(beta * np.log(1 + np.abs(z)))",
        "np.where(z > 0, z, alpha * z) + np.where(z <= -1, 1, 0)",
    ],
)
def test_nodes_compute_what_the_source_does(expression: str) -> None:
    pytest.importorskip("onnxruntime")
    z = np.linspace(-3, 3, 13)
    graph = OnnxGraph(np.dtype(np.float64))
    output = graph.nodes_of(f"return {expression}", "z", OPTIONS)
    expected = eval(expression, {"np": np, "z": z, **OPTIONS})  # one of those above
    np.testing.assert_allclose(computed(graph, output, z), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("expression", ["np.arcsinh(z)", "z % 2", "z if z else 0", "not z", "'a'"])
def test_what_has_no_translation_is_said(expression: str) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(ConfigError, match="override `onnx` of the activation"):
        OnnxGraph(np.dtype(np.float64)).nodes_of(f"return {expression}", "z", OPTIONS)
