"""Intervals and sets contain the targets of new rows as often as they promise.

Tables with known noise, each drawn, split and trained anew many times; coverage is counted on a
test set that nothing else has seen. The tolerances are those that the handbook states.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pytest

from bpcli.config.load import Config, validate
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.experiment import build
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained, load_trained, load_without_rows
from bpcli.sweeps.restarts import train_restarts
from bpcli.terminal.progress import SilentView
from bpcli.terminal.sweep import SilentProgress
from bpcli.workflows.folds import train_folds
from bpcli.workflows.intervals import Method, coverage, cross_coverage
from bpcli.workflows.other_data import with_other_data
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.train import train

pytestmark = pytest.mark.slow
FULL = bool(os.environ.get("BPNET_FULL"))
DRAWS = 100 if FULL else 6
FEW_DRAWS = 100 if FULL else 3
"""Of runs that are several trainings each."""

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
VALUES = [name for name in TABLES if "classes" not in name]

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


def regions(rng: np.random.Generator) -> pd.DataFrame:
    """A curve whose noise is five times as large in one of two regions."""
    x, is_rough = rng.uniform(-3, 3, ROWS), rng.random(ROWS) < 0.4
    noise = rng.normal(0, np.where(is_rough, 0.5, 0.1))
    region = np.where(is_rough, "rough", "calm")
    return pd.DataFrame({"x": x, "region": region, "y": np.tanh(1.5 * x) + noise})


def fan(rng: np.random.Generator) -> pd.DataFrame:
    """A curve whose noise grows from left to right, from 0.1 to 1.9."""
    x = rng.uniform(-3, 3, ROWS)
    return pd.DataFrame({"x": x, "y": np.tanh(1.5 * x) + rng.normal(0, 1 + 0.3 * x)})


TABLES |= {"regions": regions, "fan": fan}


def draws(
    name: str, optimizer: str, folder: Path, *overrides: str, count: int = DRAWS
) -> Iterator[Trained]:
    """The run of each draw of a table; of runs of folds, the first one."""
    for seed in range(count):
        path = folder / f"{seed}.csv"
        TABLES[name](np.random.default_rng(seed)).to_csv(path, index=False)
        yield trained(name, path, optimizer, seed, folder, *overrides)


def trained(
    name: str, path: Path, optimizer: str, seed: int, folder: Path, *overrides: str
) -> Trained:
    if "classes" in name:
        two = name == "two classes"
        text = OF_CLASSES.format(
            file=path, seed=seed, output="sigmoid" if two else "softmax",
            loss="binary_cross_entropy" if two else "cross_entropy",
        )  # fmt: skip
    else:
        columns = path.read_text().split("\n", 1)[0].split(",")
        targets = [each for each in columns if each in ("y", "heat", "cold")]
        text = OF_VALUES.format(
            file=path, targets=f"[{', '.join(targets)}]", seed=seed, optimizer=optimizer,
            hidden=1 if name.startswith("curve") else 4,
        )  # fmt: skip
    source = Source.parse(text, "t.yaml")
    for each in overrides:
        override(source, each)
    config = validate(source)
    if config.spec.training.all_restarts.count > 1:
        return load_trained(train_restarts(config, folder, SilentProgress()).run)
    if not config.spec.data.split.has_all_folds:
        return load_trained(train(build(config), folder, SilentView()).run)

    def train_fold(fold: Config, group: str | None) -> Outcome:
        return train(build(fold), folder, SilentView(), group=group)

    return load_trained(train_folds(config, train_fold, lambda _: None).outcomes[0].run)


def mean_coverage(name: str, method: Method, optimizer: str, folder: Path) -> float:
    """The share of test targets inside, over all draws of a table."""
    with repeatable_numerics():
        runs = draws(name, optimizer, folder)
        return float(np.mean([coverage(run, "test", LEVEL, method).covered.mean() for run in runs]))


def tolerance(own: float, count: int = DRAWS) -> float:
    """`own` for 100 draws; more for fewer draws of 150 rows, three standard errors.

    With n = 150 calibration rows, too, the variance of a coverage is p(1 - p)(1/150 + 1/(n + 2)).
    """
    return own if FULL else 3 * float(np.sqrt(LEVEL * (1 - LEVEL) * (2 / 150) / count))


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


@pytest.mark.parametrize("name", [*VALUES, "fan"] if FULL else ["fan"])
def test_normalized_intervals_cover_and_are_narrower_where_noise_grows(
    name: str, tmp_path: Path
) -> None:
    found, widths = [], []
    with repeatable_numerics():
        for run in draws(name, "levenberg_marquardt", tmp_path):
            plain = coverage(run, "test", LEVEL)
            scaled = coverage(run, "test", LEVEL, "normalized")
            found.append(scaled.covered.mean())
            widths.append(scaled.sizes.mean() / plain.sizes.mean())
    assert abs(np.mean(found) - LEVEL) <= tolerance(0.015), np.mean(found)
    if name == "fan":
        assert np.mean(widths) < 0.9, np.mean(widths)


@pytest.mark.parametrize(
    "name", ["curve, growing", "surface, skewed"] if FULL else ["curve, growing"]
)
def test_intervals_scaled_by_an_ensemble_cover(name: str, tmp_path: Path) -> None:
    average = "training.restarts={count: 3, combine: mean}"
    with repeatable_numerics():
        runs = draws(name, "levenberg_marquardt", tmp_path, average, count=FEW_DRAWS)
        found = np.mean([coverage(run, "test", LEVEL, "ensemble").covered.mean() for run in runs])
    assert abs(found - LEVEL) <= tolerance(0.015, FEW_DRAWS), found


@pytest.mark.parametrize("method", ["conformal", "normalized"] if FULL else ["conformal"])
def test_intervals_by_a_column_cover_in_each_category(method: Method, tmp_path: Path) -> None:
    """Those of all rows together do not."""
    own, pooled = list[list[float]](), list[list[float]]()
    with repeatable_numerics():
        for run in draws("regions", "levenberg_marquardt", tmp_path):
            found = coverage(run, "test", LEVEL, method, by="region")
            codes = found.codes
            own.append([found.covered[codes == k].mean() for k in range(2)])
            every = coverage(run, "test", LEVEL).covered
            pooled.append([every[codes == k].mean() for k in range(2)])
    assert np.abs(np.mean(own, axis=0) - LEVEL).max() <= tolerance(0.015) * (1 if FULL else 1.6)
    assert np.abs(np.mean(pooled, axis=0) - LEVEL).min() > 0.05


@pytest.mark.parametrize("name", ["ten classes", "two classes"] if FULL else ["two classes"])
def test_sets_by_the_true_class_cover_each_class(name: str, tmp_path: Path) -> None:
    shares = list[list[float]]()
    with repeatable_numerics():
        for run in draws(name, "rprop", tmp_path):
            found = coverage(run, "test", LEVEL, by="class")
            classes = range(len(found.calibrated.columns.categories))
            shares.append([found.covered[found.codes == k].mean() for k in classes])
    # With few rows in a class, the rank is rounded up: at most 1/(n + 1) more.
    n = ROWS / 4 / len(shares[0])
    found_mean = np.mean(shares, axis=0)
    assert found_mean.min() >= LEVEL - tolerance(0.015) * (1 if FULL else 1.6)
    assert found_mean.mean() <= LEVEL + 1 / (n + 1) + tolerance(0.015)


@pytest.mark.parametrize(
    "name", ["curve, growing", "surface, skewed", "ten classes"] if FULL else ["curve, growing"]
)
def test_cross_intervals_cover(name: str, tmp_path: Path) -> None:
    """On rows of another file, as all rows of the table are in a fold."""
    shares = []
    with repeatable_numerics():
        folds = "data.split={folds: 5, val: 0.2}"
        runs = draws(name, "levenberg_marquardt", tmp_path, folds, count=FEW_DRAWS)
        for seed, run in enumerate(runs):
            TABLES[name](np.random.default_rng(1000 + seed)).to_csv(tmp_path / "new.csv")

            def other_rows(fold: Run) -> Trained:
                return with_other_data(load_without_rows(fold), tmp_path / "new.csv", {})[0]

            own = other_rows(run.run)
            shares.append(cross_coverage(own, LEVEL, None, other_rows).covered.mean())
    assert abs(np.mean(shares) - LEVEL) <= tolerance(0.015, FEW_DRAWS), np.mean(shares)
