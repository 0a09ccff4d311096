"""Small models to export and to predict with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.stats import gmean
from strangers import CANARY

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.files.dialect import Dialect
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.scaler import Scaler
from bpcli.data.types import Words
from bpcli.export.model import Intervals, Model
from bpcli.intervals.conformal import AbsoluteErrors
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, Elu, LeakyRelu, Maxout
from bpcli.nn.arrays import Array
from bpcli.nn.averaging import averaged_network, averaged_params
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
    words: Mapping[str, Words] = MappingProxyType({}),
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
    if scaled and not classes and not words:
        targets = Scaler(rng.normal(size=outputs), rng.uniform(1, 50, outputs))
    preprocessor = Preprocessor(inputs, targets, classes, outputs, words)
    params = rng.normal(size=network.n_params).astype(dtype)
    targets_named = tuple(f"t{number}" for number in range(outputs)) if not classes else ()
    targets_named = tuple(words) or targets_named
    return Model("a-model", network, params, preprocessor, encoding, targets_named, Dialect())


def with_half_widths(model: Model, *half: float) -> Model:
    """The model with 90 % intervals of these half widths."""
    return replace(model, intervals=Intervals(0.9, AbsoluteErrors(np.array(half))))


AVERAGED = [("identity", ()), ("softmax", ("a", "b", "c"))]
"""The outputs, with their classes, of models that can be averaged in two ways."""


def average_of_three(output: str, classes: tuple[str, ...]) -> tuple[Model, list[Model]]:
    """The average of three models with two hidden layers, and these models."""
    model = a_model(ACTIVATIONS["tanh"](), output=output, outputs=3, classes=classes)
    first, last = model.network.layers
    network = replace(model.network, layers=(first, Layer(4, 4, Maxout(2)), last))
    params = np.random.default_rng(12).normal(size=(3, network.n_params))
    members = [replace(model, network=network, params=each) for each in params]
    average = averaged_network(network, 3), averaged_params(network, [*params])
    return replace(model, network=average[0], params=average[1]), members


def mean_of_outputs(members: Sequence[Model], X: Array) -> Array:
    """The mean of the models' outputs; of probabilities, the geometric one, scaled to sum to 1."""
    outputs = np.array([member.outputs(X) for member in members])
    if not members[0].class_names:
        return outputs.mean(axis=0)
    means = gmean(outputs, axis=0)
    return means / means.sum(axis=1, keepdims=True)


def rows_of(model: Model, count: int = 20) -> Array:
    """Rows of numbers near those of the training."""
    normal = np.random.default_rng(6).normal(size=(count, model.network.inputs))
    return model.preprocessor.inputs.invert(normal)


def as_columns(model: Model, X: Array) -> dict[str, list[float]]:
    names = [column.name for column in model.encoder.inputs]
    return {name: column.tolist() for name, column in zip(names, X.T, strict=True)}


MIXED = (
    InputColumn("age", fill=38.5, indicator=True),
    InputColumn("married", "boolean"),
    InputColumn("job", "category", ("clerk", "smith", "1"), fill="smith", indicator=True),
    InputColumn("town", "category", ("a b", "c\"d'e")),
    InputColumn(
        "seen", "date", date_format="%d.%m.%y %H:%M", calendar=("month", "weekday"), fill=19000.5
    ),
    InputColumn("clock", "date", date_format="%H:%M", calendar=("hour",)),
    InputColumn("stored", "date"),
)
"""Columns of every kind, with fills and indicators."""
MIXED_ROWS: dict[str, list[Any]] = {
    "town": ["a b", "c\"d'e", "elsewhere", "a b"],
    "job": ["smith", None, " clerk", "1.0"],
    "married": [True, False, False, True],
    "age": [20, None, 40.5, float("nan")],
    "seen": ["31.01.24 08:05", None, "1.12.69 23:59", "29.02.68 00:00"],
    "clock": ["08:00", "23:59", "0:01", "12:30"],
    "stored": ["2024-01-31", "1969-12-31", "1970-01-01", "2100-02-28"],
}

TOUCH = f"__import__('pathlib').Path('{CANARY}').touch()"
"""Code that a stranger may have put in the place of a name."""
NAMES = [
    f"' + {TOUCH} + '", f'" + {TOUCH} + "', f'"""\n{TOUCH}\n"""', f"\\' + {TOUCH} #", "\\", "'\"",
    "a\nb", "{x} {0} %s", "\u202e\u2066", "\x1b[31m\x9b", "中文 🙂", f"]\n{TOUCH}\n[", "\0",
]  # fmt: skip


def named_model(name: str) -> Model:
    """A model in which everything that can have a name has this one."""
    columns = (
        InputColumn(name, "category", (name, f"{name}2"), fill=name, indicator=True),
        InputColumn("y"),
    )
    model = a_model(
        ACTIVATIONS["tanh"](), output="softmax", outputs=2, classes=(name, "b"), columns=columns
    )
    return replace(model, name=name)


def a_model_of_names(names: tuple[str, ...]) -> Model:
    """A model with a column, two categories and a class of each name."""
    columns = tuple(
        InputColumn(name, "category", (name.strip(), f"{name}2"), fill=name.strip())
        for name in names
    )
    model = a_model(
        ACTIVATIONS["tanh"](), output="softmax", outputs=len(names), classes=names, columns=columns
    )
    return replace(model, name=names[0])


def run_python(text: str) -> dict[str, Any]:
    """What an exported Python file defines, run in this process."""
    namespace: dict[str, Any] = {}
    exec(compile(text, "exported.py", "exec"), namespace)
    return namespace
