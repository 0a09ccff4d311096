"""Networks drawn at random: every activation, kind of output and kind of column."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from models import VARIANTS

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.files.dialect import Dialect
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.scaler import Scaler
from bpcli.data.spellings import Spelling
from bpcli.export.model import Model
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Layer, Network

OUTPUTS = [
    ("identity", 1, 0), ("identity", 3, 0), ("exponential", 2, 0), ("sigmoid", 1, 2),
    ("softmax", 2, 2), ("softmax", 4, 4), ("sigmoid", 3, 3), ("tanh", 3, 3), ("sigmoid", 2, -2),
    ("softplus", 1, 0), ("maxout", 2, 0), ("softsign", 3, 3),
]  # fmt: skip
"""An activation, the outputs, and the classes of the targets (labels, if negative)."""

CLOCK = "%H:%M"
ODD = ["a b", "=1+1", 'say "hi"', "it's", "Über", "1", "2.5", "{x}", "中文", "-", "A", "@x", "%"]


def drawn_model(seed: int, *, dates: bool = True) -> Model:
    """The network of a seed; seeds from 0 go through all activations and outputs."""
    rng, numbers = Random(seed), np.random.default_rng(seed)
    encoder = FeatureEncoder(tuple(_column(rng, f"c{i}", dates) for i in range(rng.randint(1, 4))))
    output, outputs, targets = OUTPUTS[seed % len(OUTPUTS)]
    widths = [len(encoder.names), *(rng.randint(1, 5) for _ in range(rng.randint(1, 3))), outputs]
    used = [VARIANTS[(seed + i) % len(VARIANTS)] for i in range(len(widths) - 2)]
    layers = tuple(
        Layer(before, after, activation, rng.choice(["trained", "trained", "none"]))
        for before, after, activation in zip(
            widths[:-1], widths[1:], [*used, ACTIVATIONS[output]()], strict=True
        )
    )
    network = Network(layers, LOSSES["mse"]())
    params = numbers.normal(size=network.n_params) * rng.choice([0.3, 1.0])
    names = tuple(f"{rng.choice(ODD)} {i}" for i in range(abs(targets) or outputs))
    words = {name: ("no", f"yes {name}") for name in names} if targets < 0 else {}
    preprocessor = Preprocessor(
        _scale_of_inputs(rng, numbers, encoder),
        Scaler.fixed("none", outputs) if targets else _scale(rng, numbers, outputs),
        names if targets > 0 else (),
        outputs,
        words,
    )
    kept = params.astype(rng.choice(["float64", "float64", "float32"]))
    return Model(f"m{seed}", network, kept, preprocessor, encoder, names, Dialect())


def _scale_of_inputs(rng: Random, numbers: np.random.Generator, encoder: FeatureEncoder) -> Scaler:
    scale = _scale(rng, numbers, len(encoder.names))
    shift, factor = scale.shift.copy(), scale.factor.copy()
    for column, start in encoder.starts:
        if column.kind == "date" and column.date_format != CLOCK:
            shift[start], factor[start] = 15_000.5, 9_000.25
    return Scaler(shift, factor)


def _scale(rng: Random, numbers: np.random.Generator, width: int) -> Scaler:
    if rng.random() < 0.3:
        return Scaler.fixed("none", width)
    return Scaler(numbers.normal(0, 9, width), numbers.uniform(0.5, 9, width))


def _column(rng: Random, name: str, dates: bool) -> InputColumn:
    name = f"{name} {rng.choice(ODD)}"
    has_gaps = rng.random() < 0.5
    gaps: dict[str, Any] = {"indicator": has_gaps and rng.random() < 0.5}
    kind = rng.choice(["number", "number", "boolean", "category", "category", "date"])
    if kind == "category":
        return _category(rng, name, has_gaps, gaps)
    if kind == "date" and dates:
        style = rng.choice(["%Y-%m-%d", "%d.%m.%Y %H:%M", CLOCK, None])
        parts = ["hour"] if style == CLOCK else ["month", "weekday", "hour"]
        calendar = tuple(part for part in parts if rng.random() < 0.5)
        fill = 0.25 if style == CLOCK else 19000.5
        return InputColumn(name, "date", (), style, calendar, fill if has_gaps else None, **gaps)
    kind = "boolean" if kind == "boolean" else "number"
    fill = 1.0 if kind == "boolean" else rng.gauss(30, 9)
    return InputColumn(name, kind, fill=fill if has_gaps else None, **gaps)


def _category(rng: Random, name: str, has_gaps: bool, gaps: dict[str, Any]) -> InputColumn:
    categories = tuple(rng.sample(ODD, rng.randint(2, 4)))
    is_merged = rng.random() < 0.3
    rename = {"old": categories[0], "lost": "elsewhere"} if rng.random() < 0.3 else {}
    fill = rng.choice(categories) if has_gaps else None
    spelling = Spelling(is_merged, rename)
    return InputColumn(name, "category", categories, fill=fill, spelling=spelling, **gaps)
