"""Encoders: patterns through fewer hidden units, and back.

10-5-10 is a benchmark of S. Fahlman 1988, CMU-CS-88-162, with its learning rate for
back-propagation without momentum, its start and its criterion: each output below 0.4 where it
should be 0, and above 0.6 where it should be 1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from systems import trained

from bpcli.data.generators.patterns import Encoder
from bpcli.engine.rows import Rows
from bpcli.nn.activations import Sigmoid
from bpcli.nn.initializers import Uniform
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import predict
from bpcli.optimizers import GradientDescent
from bpcli.training.batches import Batches
from bpcli.training.loop import train_epochs
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training

PATTERNS = Encoder(n_patterns=10).table(np.random.default_rng(0)).X[:]
NETWORK = Network((Layer(10, 5, Sigmoid()), Layer(5, 10, Sigmoid())), HalfSquaredError())
FAR = np.log(0.6 / 0.4)  # the z of an output of 0.6; that of 0.4 is its opposite


def epochs_until_solved(seed: int) -> float:
    rng = np.random.default_rng(seed)
    rows = Rows.of(NETWORK, PATTERNS, PATTERNS, np.dtype(float))
    fit = NetworkObjective(NETWORK, rows, reduction="sum")
    start = NETWORK.initial_params(Uniform(-1, 1), rng)
    training = Training(
        fit, GradientDescent(), start, learning_rate=1.7, batches=Batches(), rng=rng
    )
    for epoch in train_epochs(training, 1000):
        z = fit.outputs(epoch.params)
        if np.where(PATTERNS == 1, z > FAR, z < -FAR).all():
            return epoch.number
    return np.inf


def test_nearly_every_start_leads_to_a_solution_in_about_a_hundred_epochs() -> None:
    epochs = [epochs_until_solved(seed) for seed in range(20)]
    assert np.isfinite(epochs).sum() >= 18
    assert 70 <= np.median(epochs) <= 200


def test_three_hidden_units_find_the_binary_code_of_eight_patterns(tmp_path: Path) -> None:
    tensors = trained(tmp_path, "encoder_8_3_8").tensors
    z = tensors["W1"] + tensors["b1"][:, np.newaxis]  # of a hidden unit in each row, for a pattern
    numbers = np.array([4, 2, 1]) @ (z > 0)
    assert sorted(numbers.tolist()) == list(range(8))
    assert (np.abs(z) > 1).all()  # none is in between


def test_eight_patterns_come_back_from_any_start(tmp_path: Path) -> None:
    for seed in range(3):
        system = trained(tmp_path, "encoder_8_3_8", seed=seed)
        outputs = predict(system.experiment.network, system.params, np.eye(8))
        np.testing.assert_allclose(outputs, np.eye(8), atol=0.1)
