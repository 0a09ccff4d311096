"""Trainings with one planted fault each, by the kind of finding that tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from builds import built
from systems import CONFIGS

from bpcli.config.load import Config, load_config
from bpcli.diagnosis import Finding, findings
from bpcli.experiment import Experiment, build
from bpcli.runs.store import Run
from bpcli.terminal.progress import SilentView
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.subject import load_subject
from bpcli.workflows.train import train

Plant = Callable[[int], Experiment]


def shipped(config: str, *overrides: str) -> Plant:
    """A shipped config with other values, from any seed."""
    path = CONFIGS / f"{config}.yaml"
    return lambda seed: build(load_config(path, [f"seed={seed}", *overrides]))


def inline(X: np.ndarray, targets: np.ndarray, seed: int, *overrides: str) -> Experiment:
    """A table in the config: four tanh units, and a test set of a quarter of the rows."""
    text = f"""\
name: t
seed: {seed}
data: {{inputs: {X.tolist()}, targets: {targets.tolist()}, split: {{test: 0.25}}}}
network: {{layers: [auto, 4, auto], activations: [tanh, identity]}}
loss: mse
training: {{epochs: 200, optimizer: rprop}}
"""
    return built(text, *overrides)


CLASSES = ("network.activations.1=sigmoid", "loss=binary_cross_entropy")


def noise(seed: int) -> Experiment:
    """Targets that have nothing to do with the inputs, and enough units to learn them by heart."""
    rng = np.random.default_rng(seed)
    options = ("network.layers=[3, 40, 1]", "training.optimizer=levenberg_marquardt")
    return inline(rng.normal(size=(120, 3)), rng.normal(size=120), seed, *options)


def wide_enough(seed: int) -> Experiment:
    """Targets without noise, and more parameters than rows."""
    X = np.random.default_rng(seed).normal(size=(120, 3))
    return inline(X, X.sum(axis=1), seed, "network.layers=[3, 40, 1]", "training.epochs=100")


def wide(seed: int) -> Experiment:
    """Columns of very different ranges."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(100, 3))
    return inline(X * [1, 1000, 0.1] + [0, 5000, 0], X.sum(axis=1), seed)


def loud(seed: int) -> Experiment:
    """Steps that stay as long near the minimum as they are far from it."""
    X = np.random.default_rng(seed).normal(size=(100, 3))
    steps = ("training.optimizer=gradient_descent", "training.learning_rate=0.5", "loss=mae")
    return inline(X, X.sum(axis=1), seed, *steps)


def far(seed: int) -> Experiment:
    """Targets in the hundreds, and sigmoid outputs."""
    X = np.random.default_rng(seed).normal(size=(100, 3))
    return inline(X, 400 + 60 * X[:, 0], seed, "network.activations.1=sigmoid")


def rare(seed: int) -> Experiment:
    """A class of one row in 20, which no input tells well."""
    rng = np.random.default_rng(seed)
    x, is_rare = rng.normal(size=(600, 1)), np.arange(600) % 20 == 0
    labels = np.where(is_rare, "rare", "usual")
    return inline(x + is_rare[:, np.newaxis], labels, seed, *CLASSES)


def twice(seed: int) -> Experiment:
    """Every row stands twice in the table."""
    X = np.random.default_rng(seed).normal(size=(80, 3))
    return inline(np.tile(X, (2, 1)), np.tile(X.sum(axis=1), 2), seed)


def few(seed: int) -> Experiment:
    """Fifteen test rows of classes that overlap."""
    rng = np.random.default_rng(seed)
    labels = np.arange(150) % 2
    X = rng.normal(size=(150, 2)) + labels[:, np.newaxis]
    named = np.array(["no", "yes"])[labels]
    return inline(X, named, seed, *CLASSES, "data.split.test=0.1", "training.epochs=30")


def drift(seed: int) -> Experiment:
    """The later rows, which are the test set, obey the opposite rule."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 2))
    signs = np.where(np.arange(200) < 150, 1, -1)
    return inline(X, signs * X[:, 0], seed, "data.split.order=time")


def unlike(seed: int) -> Experiment:
    """The later rows, which are the validation set, obey the opposite rule."""
    X = np.random.default_rng(seed).normal(size=(200, 3))
    signs = np.where(np.arange(200) < 150, 1, -1)
    small = "network.init={name: uniform, low: -0.1, high: 0.1}"
    return inline(X, signs * X[:, 0], seed, "data.split={val: 0.25, order: time}", small)


def no_way_down(seed: int) -> Experiment:
    """Inputs in the millions, with which sigmoid units are flat, and an optimizer that notices."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(100, 3))
    y = X[:, 1] + 0.5 * rng.normal(size=100)
    return inline(X * [1e6, 1, 1e-3], y, seed, "training.optimizer=lbfgs")


def one_value(seed: int) -> Experiment:
    """A sensor that is always 7 in the training rows, and moves later."""
    X = np.random.default_rng(seed).normal(size=(100, 3))
    X[:75, 2] = 7
    return inline(X, X[:, 0] - X[:, 1], seed, "data.split.order=time")


DEAD = ("network.activations.0=relu", "network.init={name: uniform, low: -1, high: -0.5}")
SLOW = ("training.learning_rate=1e-4", "training.epochs=300", "training.stop={}")
SATURATED = ("network.init={name: normal, std: 50}", "training.epochs=100", "training.stop={}")
FLAT = ("loss=mse", "training.learning_rate=0.1")
CHAOTIC = (
    f"network.layers=[2{', 16' * 20}, 1]",
    f"network.activations=[{'tanh, ' * 20}sigmoid]",
    "network.init={name: normal, std: 2}",
    "training.epochs=20",
    "training.learning_rate=1e-6",
)
LINEAR = ("network.layers=[2, 1]", "network.activations=[sigmoid]")
ORIGIN = (
    "network.layers=[2, 8, 1]",
    "network.activations=[tanh, sigmoid]",
    "network.init={name: normal, std: 1e-6}",
    "training.optimizer=gradient_descent",
    "training.learning_rate=0.1",
    "training.epochs=450",
    "training.stop={}",
)
RESTARTS = ("network.layers=[2, 2, 1]", "training.epochs=300", "training.restarts=10")
FASTER = ("training.optimizer=rprop", "training.learning_rate=null")

BLOCKS = ("data.split={folds: 5, fold: 1, order: blocks}", "training.epochs=100")
ALL_DEAD = (DEAD[0], "network.init={name: uniform, low: -3, high: -2}")
CUT = ("training.optimizer=lbfgs", "training.epochs=20")

FAULTS: Mapping[str, Plant] = {
    "diverging": shipped("linear_regression", "training.learning_rate=3", "training.epochs=600"),
    "oscillating": loud,
    "oscillating batches": shipped("sine", "training.learning_rate=0.1", "training.epochs=200"),
    "rate_too_small": shipped("moons", *SLOW),
    "too_few_epochs": shipped("two_spirals", *CUT),
    "stuck": shipped("xor", *LINEAR, "training.epochs=200"),
    "plateau": shipped("moons", *ORIGIN),
    "never_fell": unlike,
    "no_step": no_way_down,
    "dead_units": shipped("parity", *DEAD, "training.epochs=200"),
    "saturated_units": shipped("moons", *SATURATED),
    "vanishing_gradients": shipped("ten_layers_sigmoid", "training.epochs=40"),
    "exploding_gradients": shipped("ten_layers_relu", *CHAOTIC),
    "vanished_gradient": shipped("parity", *ALL_DEAD, *FASTER),
    "saturated_outputs": shipped("parity", *FLAT, "network.init={name: normal, std: 100}"),
    "overfitting": noise,
    "underfitting": shipped("moons", *LINEAR, *FASTER, "training.epochs=100"),
    "few_rows": wide_enough,
    "unscaled": wide,
    "out_of_range": far,
    "constant_inputs": one_value,
    "imbalance": rare,
    "leak": twice,
    "few_test_rows": few,
    "worse_than_constant": drift,
    "disagreement": shipped("xor", *RESTARTS, *FASTER),
    "disagreement folds": shipped("softmax_iris", *BLOCKS),
}
"""One way to plant each kind of fault, which a seed varies; the first word is the kind."""


CONSEQUENCES: Mapping[str, str] = {
    "worse_than_constant": "that of a constant",
    "never_fell": "never fell below its initial value",
    "no_step": "no step was found",
    "vanished_gradient": "gradient has vanished",
}
"""What is said of kinds that mostly follow from another one, which names them."""


def is_found(kind: str, found: list[Finding]) -> bool:
    """Whether a kind is among the findings, or among what one of them explains."""
    return any(each.kind == kind or explains(each, kind) for each in found)


def explains(finding: Finding, kind: str) -> bool:
    said = CONSEQUENCES.get(kind)
    return said is not None and any(said in title.lower() for title in finding.explains)


def found_in(experiment: Experiment, folder: Path) -> list[Finding]:
    """Train, load the run again, and diagnose it."""
    return findings(load_subject(trained_on(experiment, folder), "best", None))


def trained_on(experiment: Experiment, folder: Path) -> Run:
    """Train, and with folds each of them, with restarts each of them; the run to diagnose."""
    if experiment.spec.data.split.folds is not None:
        from bpcli.workflows.folds import train_folds

        def train_fold(fold: Config, group: str | None) -> Outcome:
            return train(build(fold), folder, SilentView(), group)

        return train_folds(experiment.config, train_fold, lambda _: None).outcomes[0].run
    if experiment.spec.training.all_restarts.count == 1:
        return train(experiment, folder, SilentView()).run
    from bpcli.sweeps.restarts import train_restarts
    from bpcli.terminal.sweep import SilentProgress

    return train_restarts(experiment.config, folder, SilentProgress()).run
