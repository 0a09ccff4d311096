"""What tests of imported networks share: their outputs, computed here, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bpcli.errors import ModelError
from bpcli.export.model import Model
from bpcli.imports.model import ImportedModel


def outputs_of(model: ImportedModel, X: np.ndarray) -> np.ndarray:
    """The outputs (n, outputs) for rows of inputs, computed layer by layer."""
    a = ((X - model.inputs.shift) / model.inputs.factor).T
    for layer in model.layers:
        z = layer.weights @ a + (0 if layer.bias is None else layer.bias[:, np.newaxis])
        a = np.empty((layer.units, len(X)))
        layer.activation.forward(z, a)
    return a.T * model.targets.factor + model.targets.shift


def is_close(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-12) -> bool:
    """Whether outputs are equal, relative to the largest of each column."""
    largest = np.abs(expected).max(axis=0)
    return bool((np.abs(found - expected).max(axis=0) <= tolerance * largest).all())


def refusal(read: Callable[[Any], ImportedModel], content: Any) -> str:
    """The sentence by which a file is refused."""
    with pytest.raises(ModelError) as raised:
        read(content)
    said = str(raised.value)
    assert "\n" not in said
    return said


def assert_same_bits(found: ImportedModel, model: Model) -> None:
    """Layers, scales and names of an imported model are those of a model, to the last bit."""
    matrices = model.network.matrices(model.params.astype(np.float64))
    for given, layer, matrix in zip(found.layers, model.network.layers, matrices, strict=True):
        assert given.activation == layer.activation
        assert np.array_equal(given.weights, matrix[:, : layer.inputs])
        if layer.has_bias:
            assert np.array_equal(given.bias, matrix[:, -1])
        else:
            assert given.bias is None
    for one, other in (
        (found.inputs, model.preprocessor.inputs),
        (found.targets, model.preprocessor.targets),
    ):
        assert np.array_equal(one.shift, other.shift)
        assert np.array_equal(one.factor, other.factor)
    assert found.classes == model.class_names
