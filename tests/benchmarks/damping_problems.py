"""Least-squares problems with random starts, on which damping rules are compared.

The NIST problems from perturbed starts, and regressions by small networks: curves and surfaces,
tables that come with scikit-learn, and others from the folder of real data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from optimizers.nist.problems import PROBLEMS, NistProblem

from benchmarks.estimator_data import DATA_SETS, proben1
from bpcli.data.generators.points import TwoSpirals
from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network
from bpcli.optimizers.base import Objective
from bpcli.training.objective import NetworkObjective

Start = Callable[[int], tuple[Objective, np.ndarray]]


@dataclass(frozen=True)
class Problem:
    """`start` gives the objective, and for each seed other parameters to start from."""

    name: str
    family: str
    start: Start


def nist() -> list[Problem]:
    return [Problem(each.name, "NIST", _perturbed(each)) for each in PROBLEMS]


def _perturbed(problem: NistProblem) -> Start:
    """Seeds 0 and 1 are NIST's starts; others lie between them, and each entry is ±10 % off."""

    def start(seed: int) -> tuple[Objective, np.ndarray]:
        if seed < 2:
            return problem.objective(), problem.starts[seed]
        rng = np.random.default_rng(seed)
        share = rng.uniform()
        between = share * problem.starts[0] + (1 - share) * problem.starts[1]
        return problem.objective(), between * rng.uniform(0.9, 1.1, between.shape)

    return start


Table = tuple[np.ndarray, np.ndarray]


def _sine() -> Table:
    x = np.linspace(-1, 1, 100)
    noise = np.random.default_rng(0).normal(0, 0.05, 100)
    return x[:, None], np.sin(2 * np.pi * x) + noise


def _chirp() -> Table:
    data = DATA_SETS["curve"](Path())
    return data.X, data.y


def _surface() -> Table:
    """Two bells and a wave over a square."""
    X = np.random.default_rng(0).uniform(-2, 2, (300, 2))
    x, y = X.T
    z = np.exp(-(x**2) - (y - 1) ** 2) - np.exp(-((x - 1) ** 2) - y**2) + 0.3 * np.sin(2 * x * y)
    return X, z


def _spirals() -> Table:
    table = TwoSpirals().table(np.random.default_rng(0))
    X, y = np.asarray(table.X), np.asarray(table.targets.labels)
    return X, 2.0 * y - 1


def _concrete_like() -> Table:
    """Eight inputs, as of a recipe: saturation in age, products, a ratio, and noise."""
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 1, (500, 8))
    cement, slag, ash, water, plasticizer, coarse, fine, age = X.T
    binder = 0.3 + cement + 0.6 * slag + 0.4 * ash
    strength = binder / (0.5 + water - 0.2 * plasticizer) * (1 - np.exp(-3 * age))
    return X, strength + 0.2 * coarse * fine + rng.normal(0, 0.05, 500)


def _bundled(name: str) -> Callable[[], Table]:
    def table() -> Table:
        data = DATA_SETS[name](Path())
        return data.X, data.y

    return table


_BUNDLED: dict[str, tuple[tuple[int, ...], Callable[[], Table]]] = {
    "sine": ((10,), _sine),
    "chirp": ((12,), _chirp),
    "surface": ((15,), _surface),
    "surface, two layers": ((8, 8), _surface),
    "spirals": ((20,), _spirals),
    "concrete-like": ((10,), _concrete_like),
    "diabetes": ((5,), _bundled("diabetes")),
    "friedman1": ((10,), _bundled("friedman1")),
}
"""Units of the hidden layers, and the table."""

_FROM_FOLDER: dict[str, tuple[tuple[int, ...], Callable[[Path], Table]]] = {
    "flare": ((4,), lambda folder: proben1(folder / "proben1/flare1.dt")),
    "hearta": ((4,), lambda folder: proben1(folder / "proben1/hearta1.dt")),
    "building": ((8,), lambda folder: proben1(folder / "proben1/building2.dt")),
    "power plant": ((10,), lambda folder: _uci(folder, "power plant")),
    "red wine": ((6,), lambda folder: _uci(folder, "red wine")),
}

_MOST_ROWS = 600


def _uci(folder: Path, name: str) -> Table:
    data = DATA_SETS[name](folder)
    return data.X, data.y


def networks(folder: Path) -> list[Problem]:
    """Regressions by networks; those from the folder only if it exists."""
    tables = {name: (hidden, read()) for name, (hidden, read) in _BUNDLED.items()}
    if folder.is_dir():
        tables |= {name: (hidden, read(folder)) for name, (hidden, read) in _FROM_FOLDER.items()}
    return [Problem(name, "network", _fit(*each)) for name, each in tables.items()]


def _fit(hidden: tuple[int, ...], table: Table) -> Start:
    """Standardised inputs and targets, tanh units, and weights as a training would draw them."""
    X, Y = (_standard(part.reshape(len(part), -1)) for part in table)
    sizes = [X.shape[1], *hidden, Y.shape[1]]
    activations = [Tanh() for _ in hidden] + [Identity()]
    layers = map(Layer, sizes[:-1], sizes[1:], activations)
    network = Network(tuple(layers), Mse())
    objective = NetworkObjective(network, Rows.of(network, X, Y, np.dtype("f8")))
    initializer = INITIALIZERS["xavier_uniform"]()

    def start(seed: int) -> tuple[Objective, np.ndarray]:
        return objective, network.initial_params(initializer, np.random.default_rng(seed))

    return start


def _standard(part: np.ndarray) -> np.ndarray:
    """The first rows, each column with mean 0 and deviation 1; a constant column is 0."""
    part = part[:_MOST_ROWS]
    deviation = part.std(axis=0)
    return (part - part.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
