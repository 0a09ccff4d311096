"""Intervals and sets contain the targets of new rows as often as they promise.

Tables with known noise, each drawn, split and trained anew many times; coverage is counted on a
test set that nothing else has seen. The tolerances are those that the handbook states.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pytest

from bpcli.config.load import validate
from bpcli.config.source import Source
from bpcli.experiment import build
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.trained import load_trained
from bpcli.terminal.progress import SilentView
from bpcli.workflows.intervals import Method, coverage
from bpcli.workflows.train import train

pytestmark = pytest.mark.slow
FULL = bool(os.environ.get("BPNET_FULL"))
DRAWS = 100 if FULL else 6
LEVEL = 0.9

Noise: TypeAlias = Callable[[np.random.Generator, np.ndarray], np.ndarray]
"""Noise for the mean targets (n,)."""

NOISES: dict[str, Noise] = {
    "constant": lambda rng, y: rng.normal(0, 0.3, len(y)),
    "growing": lambda rng, y: rng.normal(0, 0.1 + 0.3 * np.abs(y)),
    "skewed": lambda rng, y: rng.exponential(0.4, len(y)),
    "heavy tails": lambda rng, y: 0.3 * rng.standard_t(3, len(y)),
}


def curve(rng: np.random.Generator, noise: Noise) -> pd.DataFrame:
    """One that a single hidden unit draws."""
    x = rng.uniform(-3, 3, ROWS)
    y = 2 * np.tanh(1.5 * x)
    return pd.DataFrame({"x": x, "y": y + noise(rng, y)})


def surface(rng: np.random.Generator, noise: Noise) -> pd.DataFrame:
    """The first problem of Friedman 1991, with fewer inputs, in units of its noise."""
    X = rng.uniform(0, 1, (ROWS, 4))
    y = 2 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 4 * (X[:, 2] - 0.5) ** 2 + 2 * X[:, 3]
    return pd.DataFrame({**dict(zip("abcd", X.T, strict=True)), "y": y + noise(rng, y)})


def loads(rng: np.random.Generator) -> pd.DataFrame:
    """Like a table of energy: inputs of few levels, and two targets that depend on all of them."""
    X = rng.integers(0, 4, (ROWS, 3)) / 3
    heat = 10 + 8 * X[:, 0] * X[:, 1] - 3 * X[:, 2] + rng.normal(0, 0.5, ROWS)
    cold = 12 + 5 * X[:, 0] + 2 * np.sin(3 * X[:, 1]) + rng.normal(0, 1, ROWS)
    return pd.DataFrame({**dict(zip("abc", X.T, strict=True)), "heat": heat, "cold": cold})


def classes(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Classes that overlap."""
    label = rng.integers(count, size=ROWS)
    angle = 2 * np.pi * label / count
    spread = rng.normal(0, 0.5, (2, ROWS))
    names = [f"class {each}" for each in label]
    return pd.DataFrame(
        {"p": np.cos(angle) + spread[0], "q": np.sin(angle) + spread[1], "y": names}
    )


ROWS = 600
TABLES: dict[str, Callable[[np.random.Generator], pd.DataFrame]] = {
    **{f"curve, {name}": lambda rng, n=noise: curve(rng, n) for name, noise in NOISES.items()},
    **{f"surface, {name}": lambda rng, n=noise: surface(rng, n) for name, noise in NOISES.items()},
    "loads": loads,
    "two classes": lambda rng: classes(2, rng),
    "ten classes": lambda rng: classes(10, rng),
}
NORMAL = ["curve, constant", "surface, constant", "loads"]
"""Tables for which the linearized network's assumptions hold."""

OF_VALUES = """\
name: t
data:
  file: {file}
  targets: {targets}
  split: {{val: 0.25, test: 0.25}}
  scale: {{inputs: standard, targets: standard}}
network: {{layers: [auto, {hidden}, auto], activations: [tanh, identity]}}
loss: mse
seed: {seed}
training: {{optimizer: {optimizer}, epochs: 60}}
"""
OF_CLASSES = """\
name: t
data: {{file: {file}, targets: y, split: {{val: 0.25, test: 0.25}}}}
network: {{layers: [auto, 6, auto], activations: [tanh, {output}]}}
loss: {loss}
seed: {seed}
training: {{optimizer: rprop, epochs: 60}}
"""


def mean_coverage(name: str, method: Method, optimizer: str, folder: Path) -> float:
    """The share of test targets inside, over all draws of a table."""
    shares = []
    for seed in range(DRAWS):
        table = TABLES[name](np.random.default_rng(seed))
        path = folder / f"{seed}.csv"
        table.to_csv(path, index=False)
        if "classes" in name:
            two = name == "two classes"
            text = OF_CLASSES.format(
                file=path, seed=seed, output="sigmoid" if two else "softmax",
                loss="binary_cross_entropy" if two else "cross_entropy",
            )  # fmt: skip
        else:
            targets = [each for each in table.columns if len(each) > 1 or each == "y"]
            text = OF_VALUES.format(
                file=path, targets=f"[{', '.join(targets)}]", seed=seed, optimizer=optimizer,
                hidden=1 if name.startswith("curve") else 4,
            )  # fmt: skip
        outcome = train(build(validate(Source.parse(text, "t.yaml"))), folder, SilentView())
        with repeatable_numerics():
            shares.append(coverage(load_trained(outcome.run), "test", LEVEL, method).covered.mean())
    return float(np.mean(shares))


def tolerance(own: float) -> float:
    """`own` for 100 draws; more for fewer draws of 150 rows, three standard errors.

    With n = 150 calibration rows, too, the variance of a coverage is p(1 - p)(1/150 + 1/(n + 2)).
    """
    return own if FULL else 3 * float(np.sqrt(LEVEL * (1 - LEVEL) * (2 / 150) / DRAWS))


@pytest.mark.parametrize("name", TABLES if FULL else ["surface, skewed", "ten classes"])
def test_conformal_intervals_cover_whatever_the_noise(name: str, tmp_path: Path) -> None:
    found = mean_coverage(name, "conformal", "levenberg_marquardt", tmp_path)
    assert abs(found - LEVEL) <= tolerance(0.015), found


@pytest.mark.parametrize("name", NORMAL if FULL else NORMAL[:1])
@pytest.mark.parametrize(
    ("method", "optimizer"),
    [("delta", "levenberg_marquardt"), ("posterior", "bayesian_regularization")],
)
def test_linearized_intervals_cover_if_the_noise_is_normal(
    method: Method, optimizer: str, name: str, tmp_path: Path
) -> None:
    found = mean_coverage(name, method, optimizer, tmp_path)
    assert abs(found - LEVEL) <= tolerance(0.03), found
