"""A training in memory is the training of a run, without its files."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.config.load import config_of
from bpcli.errors import Diverged, Interrupted
from bpcli.experiment import Experiment, build
from bpcli.training.epoch import Epoch
from bpcli.workflows.in_memory import fit
from bpcli.workflows.train import train


def _experiment(**training: Any) -> Experiment:
    tree = {
        "data": {"generator": "moons", "n_samples": 60, "split": {"val": 0.3}},
        "network": {"layers": [2, 5, 1], "activations": ["tanh", "sigmoid"]},
        "loss": "binary_cross_entropy",
        "training": {"optimizer": "rprop", "epochs": 12} | training,
    }
    return build(config_of(tree))


class _Silent:
    """A view that shows nothing."""

    def on_cluster(self, *_: object) -> None: ...

    def on_start(self, record: object, stopping: object) -> None: ...

    def next_due(self, number: int) -> int:
        return number + 1

    def on_epoch(self, epoch: object, scores: object, is_last: bool) -> None: ...


def test_the_weights_are_those_of_a_run(tmp_path: Path) -> None:
    from bpcli.runs.trained import load_weights

    experiment = _experiment()
    done = fit(experiment)
    run = train(experiment, tmp_path, _Silent()).run
    saved = load_weights(run)
    network = experiment.network
    assert np.array_equal(done.params, saved.params(network, "best", experiment.dtype))
    assert np.array_equal(done.state.params, saved.params(network, "last", experiment.dtype))
    assert done.ending.reason == "epochs"
    assert done.seconds > 0


def test_a_fit_goes_on_from_a_state() -> None:
    whole = fit(_experiment())
    half = fit(_experiment(epochs=5))
    rest = fit(_experiment(), start=half.state)
    assert np.array_equal(whole.state.params, rest.state.params)


def test_a_fit_begins_with_other_parameters() -> None:
    half = fit(_experiment(epochs=5))
    first: list[float] = []
    fit(_experiment(), [lambda epoch: first.append(epoch.loss)], start=half.state.params)
    assert first[0] == half.loss


def test_an_observer_ends_a_fit() -> None:
    done = fit(_experiment(), [lambda epoch: epoch.number == 4])
    assert (done.ending.reason, done.state.number) == ("callback", 4)


def test_a_divergence_is_in_the_ending() -> None:
    done = fit(_experiment(optimizer="sgd", learning_rate=1e300, l2=1))
    assert isinstance(done.ending.failure, Diverged)
    assert done.state.number == 0


def test_ctrl_c_ends_a_fit_after_the_epoch() -> None:
    def interrupt(epoch: Epoch) -> None:
        if epoch.number == 3:
            signal.raise_signal(signal.SIGINT)

    done = fit(_experiment(), [interrupt])
    assert isinstance(done.ending.failure, Interrupted)
    assert done.state.number <= 4


@pytest.fixture
def caught() -> Iterator[list[int]]:
    """The signals that a program's own handler of SIGTERM receives."""
    numbers: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot raise SIGTERM")
def test_any_other_signal_reaches_the_program(caught: list[int]) -> None:
    def interrupt(epoch: Epoch) -> None:
        if epoch.number == 3:
            signal.raise_signal(signal.SIGTERM)

    done = fit(_experiment(), [interrupt])
    assert caught == [signal.SIGTERM]
    assert done.state.number <= 4
