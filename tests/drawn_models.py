"""Networks drawn at random: activations, kinds of outputs, columns and scales of every kind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.files.dialect import Dialect
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.scaler import Scaler
from bpcli.data.spellings import Spelling
from bpcli.data.types import Words
from bpcli.export.model import Model
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, Elu, LeakyRelu, Maxout
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Layer, Network

HIDDEN = [kind() for kind in ACTIVATIONS.values()] + [LeakyRelu(0.3), Elu(0.5), Maxout(3)]
KINDS = ("values", "two classes", "classes", "classes of tanh", "labels")
CASEFOLD = Spelling(casefold=True, rename={"n": "no", "Oui": "yes"})
COLUMNS = [
    InputColumn("x"),
    InputColumn("age", fill=38.5, indicator=True),
    InputColumn("height (cm)", fill=170.0),
    InputColumn("married", "boolean"),
    InputColumn("smokes", "boolean", fill=0.0, indicator=True),
    InputColumn("job", "category", ("clerk", "smith", "1"), fill="smith", indicator=True),
    InputColumn("town", "category", ("a b", "c\"d'e", "Ünter ? ??/", "中文")),
    InputColumn("flag", "category", ("false", "true"), fill="true"),
    InputColumn("answer", "category", ("no", "yes", "peut-être"), fill="no", spelling=CASEFOLD),
    InputColumn("size", "category", ("s", "m"), spelling=Spelling(rename={"small": "s", "m": "s"})),
    InputColumn("seen", "date", date_format="%d.%m.%y %H:%M", calendar=("month", "weekday")),
    InputColumn("clock", "date", date_format="%H:%M", calendar=("hour",)),
    InputColumn("stored", "date", fill=19000.25, indicator=True, calendar=("weekday", "hour")),
]


def drawn_models(number: int, dtypes: tuple[str, ...] = ("float64", "float32")) -> Iterator[Model]:
    """As many models; the first ones have every activation and every kind of output."""
    for seed in range(number):
        rng = np.random.default_rng(seed)
        yield _model(rng, HIDDEN[seed % len(HIDDEN)], KINDS[seed % len(KINDS)], rng.choice(dtypes))


def _model(rng: np.random.Generator, hidden: Activation, kind: str, dtype: str) -> Model:
    chosen = rng.choice(len(COLUMNS), rng.integers(1, len(COLUMNS)), replace=False)
    encoder = FeatureEncoder(tuple(COLUMNS[index] for index in chosen))
    classes, words, outputs = _targets(rng, kind)
    last = {"values": HIDDEN[rng.integers(len(HIDDEN))], "classes of tanh": ACTIVATIONS["tanh"]()}
    by_kind = ACTIVATIONS["softmax" if kind == "classes" else "sigmoid"]()
    network = _network(rng, len(encoder.names), hidden, outputs, last.get(kind, by_kind))
    inputs = _scale(rng, network.inputs)
    targets = _scale(rng, outputs) if kind == "values" else Scaler.fixed("none", outputs)
    params = (rng.choice([0.2, 0.7, 2.0]) * rng.normal(size=network.n_params)).astype(dtype)
    names = tuple(words) or (() if classes else tuple(f"t{k}" for k in range(outputs)))
    preprocessor = Preprocessor(inputs, targets, classes, outputs, words)
    return Model("drawn", network, params, preprocessor, encoder, names, Dialect())


def _targets(rng: np.random.Generator, kind: str) -> tuple[tuple[str, ...], dict[str, Words], int]:
    """The classes, labels and the number of outputs."""
    if kind == "values":
        return (), {}, int(rng.integers(1, 4))
    if kind == "labels":
        return (), {"ill": ("no", "yes"), 'is "old"': ("0", "1"), "c\\d": ("a\tb", "日本")}, 3
    if kind == "two classes":
        return ("no", "ÿes 'or \"so"), {}, 1
    names = tuple(f"class {k}\n%d" for k in range(int(rng.integers(2, 5))))
    return names, {}, len(names)


def _network(
    rng: np.random.Generator, inputs: int, hidden: Activation, outputs: int, last: Activation
) -> Network:
    below, layers = inputs, []
    for depth in range(int(rng.integers(0, 3))):
        activation = hidden if depth == 0 else HIDDEN[rng.integers(len(HIDDEN))]
        layers.append(Layer(below, int(rng.integers(1, 7)), activation, _bias(rng)))
        below = layers[-1].units
    if not layers and last == ACTIVATIONS["identity"]():
        last = hidden
    return Network((*layers, Layer(below, outputs, last, _bias(rng))), LOSSES["mse"]())


def _bias(rng: np.random.Generator) -> str:
    return str(rng.choice(["trained", "frozen", "none"], p=[0.7, 0.1, 0.2]))


def _scale(rng: np.random.Generator, width: int) -> Scaler:
    kind = rng.integers(4)
    if kind == 0:
        return Scaler.fixed("none", width)
    if kind == 1:
        return Scaler.fixed(float(rng.uniform(2, 300)), width)
    return Scaler(rng.normal(scale=30, size=width), 10 ** rng.uniform(-2, 4, width))
