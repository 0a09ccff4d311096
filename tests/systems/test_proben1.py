"""Networks on five data sets of PROBEN1 (Prechelt, TR 21/94, 1994), as published there.

The layered ones: RPROP without weight backtracking, softsign hidden units, linear outputs; stopped
by GL5, by P5 or after 3,000 epochs; the network of the lowest validation loss is tested. Errors are
100 times the mean squared error, over rows and outputs.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from courses import SumOfZ

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Softsign
from bpcli.nn.initializers import Uniform
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.rprop import Rprop
from bpcli.training.batches import Batches
from bpcli.training.loop import train_epochs
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training
from bpcli.training.stopping import Best, Stopping, StopRules
from bpcli.training.validation import Validation

HIDDEN = {
    "cancer1": (4, 2),
    "glass1": (16, 8),
    "flare1": (32,),
    "hearta1": (32,),
    "building2": (16, 8),
}
RPROP = Rprop("rprop_minus", initial_step=0.0125)  # there each parameter has one in [0.005, 0.02]
RULES = StopRules(epochs=3000, generalization_loss=5, progress=0.1, strip=5)
SEEDS = range(30)
FEW_SEEDS = range(30 if os.environ.get("BPNET_FULL") else 3)


class Problem(NamedTuple):
    """Inputs and targets of the training, the validation and the test part."""

    train: tuple[np.ndarray, np.ndarray]
    val: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]

    @classmethod
    def read(cls, folder: Path, name: str) -> Problem:
        """A .dt file: seven lines of sizes, then the rows of the three parts in turn."""
        lines = (folder / "proben1" / f"{name}.dt").read_text().splitlines()
        size = {key: int(value) for key, value in (line.split("=") for line in lines[:7])}
        table = np.loadtxt(lines[7:])
        inputs = size["bool_in"] + size["real_in"]
        ends = np.cumsum([size["training_examples"], size["validation_examples"]])
        assert len(table) == ends[-1] + size["test_examples"]
        return cls(*((part[:, :inputs], part[:, inputs:]) for part in np.split(table, ends)))

    def network(self, *hidden: int) -> Network:
        """Softsign layers and linear outputs; without hidden units, linear regression."""
        sizes = [self.train[0].shape[1], *hidden, self.train[1].shape[1]]
        activations = [*(Softsign() for _ in hidden), Identity()]
        layers = zip(sizes[:-1], sizes[1:], activations, strict=True)
        return Network(tuple(Layer(*layer) for layer in layers), Mse())


def objective(network: Network, part: tuple[np.ndarray, np.ndarray]) -> NetworkObjective:
    return NetworkObjective(network, Rows.of(network, *part, np.dtype(float)))


def error_of_test_part(problem: Problem, network: Network, seed: int) -> float:
    """E on the test part of the network of the lowest validation loss."""
    rng = np.random.default_rng(seed)
    training = Training(
        objective(network, problem.train),
        RPROP,
        network.initial_params(Uniform(-0.01, 0.01), rng),
        learning_rate=None,
        batches=Batches(),
        rng=rng,
    )
    best = Best()
    stopping = Stopping(RULES, best)
    validation = Validation(objective(network, problem.val), SumOfZ())  # nobody reads the scores
    for epoch in train_epochs(training, RULES.epochs, validation=validation):
        best.update(epoch)
        if stopping.update(epoch):
            break
    assert best.params is not None
    return 100 * objective(network, problem.test).mean_loss(best.params)


def errors(folder: Path, name: str, seeds: range) -> np.ndarray:
    problem = Problem.read(folder, name)
    network = problem.network(*HIDDEN[name])
    found = np.array([error_of_test_part(problem, network, seed) for seed in seeds])
    print(f"{name}: {found.mean():.3f}, standard deviation {found.std(ddof=1):.3f}")
    return found


def published(folder: Path, name: str) -> tuple[float, float]:
    """Mean and standard deviation of the test errors of layered networks: tables 10 and 11."""
    with (folder / "proben1" / "published.csv").open() as file:
        (row,) = (
            row
            for row in csv.DictReader(file)
            if row["problem"] == name and row["table"] in ("10", "11")
        )
    return float(row["test"]), float(row["test_sd"])


@pytest.mark.parametrize("name", ["cancer1", "glass1", "flare1"])
def test_the_mean_test_error_is_the_published_one(name: str, shared_data: Path) -> None:
    mean, deviation = published(shared_data, name)
    found = errors(shared_data, name, SEEDS)
    assert abs(found.mean() - mean) <= 1.5 * deviation


def test_the_mean_test_error_on_hearta1_is_near_a_linear_networks(shared_data: Path) -> None:
    # The published 4.55 ± 0.41 would let much pass; the linear network's 4.47 ± 0.06 is closer.
    found = errors(shared_data, "hearta1", SEEDS)
    assert abs(found.mean() - 4.45) <= 0.2


@pytest.mark.slow
def test_building2_is_at_least_as_good_as_published(shared_data: Path) -> None:
    mean, _ = published(shared_data, "building2")  # its standard deviation of 0.2 is no measure
    assert errors(shared_data, "building2", FEW_SEEDS).mean() <= mean


@pytest.mark.parametrize(
    ("name", "error"),
    [("cancer1", 4.244), ("glass1", 8.420), ("flare1", 0.369), ("hearta1", 3.815),
     ("building2", 0.334)],
)  # fmt: skip
def test_a_linear_network_comes_to_least_squares(
    name: str, error: float, shared_data: Path
) -> None:
    problem = Problem.read(shared_data, name)
    network = problem.network()
    X, Y = problem.train
    design = np.column_stack([X, np.ones(len(X))])
    solution = np.linalg.lstsq(design, Y, rcond=None)[0]
    least = 100 * np.mean((design @ solution - Y) ** 2)
    assert least == pytest.approx(error, abs=5e-4)

    training = Training(
        objective(network, problem.train),
        OPTIMIZERS["lbfgs"](),
        np.zeros(network.n_params),
        learning_rate=None,
        batches=Batches(),
        rng=np.random.default_rng(0),
    )
    *_, last = train_epochs(training, 200)
    assert 100 * last.mean_loss == pytest.approx(least, rel=1e-4)
