"""Problems with inputs that tell nothing, and runs to prune."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.config.load import config_of
from bpcli.experiment import build
from bpcli.runs.trained import Trained, load_trained
from bpcli.terminal.progress import SilentView
from bpcli.workflows.prune import How, with_overrides
from bpcli.workflows.train import train


@dataclass(frozen=True)
class Problem:
    """A table, the columns that tell nothing about its target, and how it is learned."""

    names: list[str]
    noise: set[str]
    rows: list[list[Any]]
    config: Mapping[str, Any]

    def write(self, path: Path) -> Path:
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([self.names, *self.rows])
        return path

    def config_for(self, path: Path, seed: int) -> dict[str, Any]:
        data = {"file": str(path), "split": {"val": 0.25, "test": 0.25}, **self.config["data"]}
        return {**self.config, "name": "t", "seed": seed, "data": data}


def friedman(seed: int) -> Problem:
    """10 sin(π x1 x2) + 20 (x3 - ½)² + 10 x4 + 5 x5 and noise of deviation 1; x6 to x10 are none.

    Friedman 1991, Multivariate adaptive regression splines, eq. 61.
    """
    from sklearn.datasets import make_friedman1

    X, y = make_friedman1(400, n_features=10, noise=1.0, random_state=seed)
    names = [f"x{number}" for number in range(1, 11)]
    return Problem(
        [*names, "y"], {*names[5:]}, np.column_stack([X, y]).tolist(),
        {
            "data": {"scale": {"inputs": "standard", "targets": "standard"}},
            "network": {"layers": ["auto", 10, "auto"], "activations": ["tanh", "identity"]},
            "loss": "mse",
            "training": {
                "optimizer": "levenberg_marquardt", "epochs": 100, "l2": 1.0,
                "stop": {"max_fail": 10},
            },
        },
    )  # fmt: skip


def monk(seed: int) -> Problem:
    """The first MONK's problem, (a1 = a2) or (a5 = 1), with three more attributes of noise.

    a3, a4 and a6 tell nothing either. Thrun et al. 1991, The MONK's problems.
    """
    rng = np.random.default_rng(seed)
    names = [*(f"a{number}" for number in range(1, 7)), "n1", "n2", "n3"]
    A = np.column_stack([rng.integers(1, k + 1, 432) for k in (3, 3, 2, 3, 4, 2, 3, 3, 3)])
    is_monk = (A[:, 0] == A[:, 1]) | (A[:, 4] == 1)
    words = [
        [*(f"v{value}" for value in row), "yes" if one else "no"]
        for row, one in zip(A.tolist(), is_monk, strict=True)
    ]
    return Problem(
        [*names, "monk"], {*names} - {"a1", "a2", "a5"}, words,
        {
            "data": {"task": "classification"},
            "network": {"layers": ["auto", 6, "auto"], "activations": ["tanh", "sigmoid"]},
            "loss": "binary_cross_entropy",
            "training": {
                "optimizer": "lbfgs", "epochs": 300, "l2": 0.3, "stop": {"max_fail": 20},
            },
        },
    )  # fmt: skip


def run_of(config: Mapping[str, Any], runs_dir: Path, how: How) -> Trained:
    """A run, ready to be pruned."""
    outcome = train(build(config_of(config)), runs_dir, SilentView())
    assert outcome.failure is None
    return with_overrides(load_trained(outcome.run), how)


def mixed_rows(count: int = 120) -> Iterator[list[Any]]:
    """Rows of `MIXED`: y = age/10 + 2 (sex = m) + odd, with gaps in `age` and in `sex`."""
    rng = np.random.default_rng(1)
    for number in range(count):
        age, sex, odd, star = rng.normal(40, 10), rng.choice(["m", "f", "x"]), *rng.normal(size=2)
        y = age / 10 + 2 * (sex == "m") + odd
        yield [
            "" if number % 11 == 5 else age, "" if number % 19 == 3 else sex, odd, star,
            f"2024-{1 + number % 12:02d}-{1 + number % 28:02d}", rng.uniform(0.5, 2), y, 2 * odd,
            "abc"[int(np.clip((y - 2) / 1.7, 0, 2))], int(y > 5), int(odd > 0),
        ]  # fmt: skip


MIXED = ["age", "sex", "!age", "*", "when", "w", "y", "z", "class", "is_high", "is_odd"]


def mixed(data: Mapping[str, Any], network: Mapping[str, Any], loss: str) -> Problem:
    """A table with categories, dates, missing values, and columns named like selectors."""
    columns = {"inputs": ["age", "sex", 3, 4, "when"], "fill": "median", "targets": "y"}
    return Problem(
        MIXED, {"*", "when"}, [*mixed_rows()],
        {
            "data": {**columns, "scale": {"inputs": "standard"}, **data},
            "network": {"layers": ["auto", 3, "auto"], **network},
            "loss": loss,
            "training": {
                "optimizer": "lbfgs", "epochs": 25, "l2": 0.3, "stop": {"max_fail": 10},
            },
        },
    )  # fmt: skip
