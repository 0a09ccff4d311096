from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from local_optimizers import Halving, Looking

from bpcli.engine.rows import Rows
from bpcli.engine.sums import RowSums
from bpcli.errors import Diverged
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.nn.numerics import repeatable_numerics
from bpcli.optimizers import GradientDescent, Optimizer
from bpcli.optimizers.base import Point
from bpcli.optimizers.levenberg_marquardt import LevenbergMarquardt
from bpcli.training import metered as metered_module
from bpcli.training.batches import Batches
from bpcli.training.epoch import Epoch
from bpcli.training.loop import train_epochs
from bpcli.training.metered import METERED, CountedObjective, Counts, Metered
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training

ROWS = 10


def training(
    optimizer: Optimizer, *, rate: float = 0.1, batches: Batches | None = None, metered: bool = True
) -> Training:
    rng = np.random.default_rng(0)
    network = Network((Layer(2, 3, Tanh()), Layer(3, 1, Identity())), HalfSquaredError())
    rows = Rows.of(network, rng.normal(size=(ROWS, 2)), rng.normal(size=(ROWS, 1)), np.dtype(float))
    return Training(
        NetworkObjective(network, rows),
        Metered(optimizer, ROWS) if metered else optimizer,
        rng.normal(size=network.n_params),
        learning_rate=rate,
        batches=batches or Batches(),
        rng=rng,
    )


def last(of: Training, epochs: int, *, reads: bool = False) -> Epoch:
    """The last record; with `reads`, the loss of every record was read on the way."""
    for epoch in train_epochs(of, epochs, is_checked=lambda _: reads):
        if reads:
            assert np.isfinite(epoch.loss)
    return epoch


@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize(
    ("optimizer", "gradients"),
    [
        (GradientDescent(), 7),
        (GradientDescent(momentum=0.5), 7),
        (GradientDescent(update="layerwise"), 14),
        (Looking(), 8),
    ],
)
def test_a_gradient_counts_once_whoever_else_looks(
    optimizer: Optimizer, gradients: int, reads: bool
) -> None:
    figures = last(training(optimizer), 7, reads=reads).diagnostics
    assert (figures["gradient_evaluations"], figures["loss_evaluations"]) == (gradients, 0)


def test_a_gradient_read_after_a_step_that_knew_only_the_loss_is_not_free() -> None:
    """Levenberg-Marquardt by conjugate gradients needs the gradient that the reader computed."""
    counts = []
    for reads in (False, True):
        of = training(LevenbergMarquardt(solver="cg"))
        for epoch in train_epochs(of, 6):
            if reads:
                assert epoch.grad_norm > 0
        counts.append([epoch.diagnostics[name] for name in METERED[:2]])
    assert counts[0] == counts[1]


@pytest.mark.parametrize("optimizer", [GradientDescent(), Halving(), Looking()])
def test_it_counts_what_is_computed(optimizer: Optimizer, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()
    for name in ("loss", "grad", "loss_and_grad"):
        original = getattr(RowSums, name)

        def counted(self, *args, name=name, original=original):  # type: ignore[no-untyped-def]
            calls[name] += 1
            return original(self, *args)

        monkeypatch.setattr(RowSums, name, counted)
    of = training(optimizer)
    figures = of.diagnostics(of.advance(of.start, 9))
    assert figures["gradient_evaluations"] == calls["grad"] + calls["loss_and_grad"] >= 9
    assert figures["loss_evaluations"] == calls["loss"]
    assert bool(calls["loss"]) == isinstance(optimizer, Halving)


@pytest.mark.parametrize(
    ("batches", "evaluations"),
    [
        (Batches(4), 6),
        (Batches(4, "random"), 6),
        (Batches(2, rows_per_epoch=5), 3),
    ],
)
def test_mini_batches_count_by_their_rows(batches: Batches, evaluations: float) -> None:
    figures = last(training(GradientDescent(), batches=batches), 6).diagnostics
    assert figures["gradient_evaluations"] == evaluations


@pytest.mark.parametrize("optimizer", [GradientDescent(momentum=0.9), Halving()])
@pytest.mark.parametrize("size", [None, 3])
def test_the_steps_are_the_same_to_the_bit(optimizer: Optimizer, size: int | None) -> None:
    plain, metered = (
        last(training(optimizer, batches=Batches(size), metered=metered), 8)
        for metered in (False, True)
    )
    assert metered.params.tobytes() == plain.params.tobytes()


def test_the_search_that_found_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(metered_module, "clock", lambda: float(next(ticks)))
    of = training(Halving(tries=4), rate=0.1)
    of.start = of.start._replace(point=Point(np.zeros_like(of.start.params)))
    state = of.advance(of.start, 1000)
    assert state.ended is not None
    before = of.advance(of.start, state.number - 1)
    found, known = of.diagnostics(state), of.diagnostics(before)
    assert found["gradient_evaluations"] == known["gradient_evaluations"] + 1
    assert found["loss_evaluations"] == known["loss_evaluations"] + 4
    assert found["seconds"] == known["seconds"] + 1


def test_after_going_back_to_the_last_finite_loss_the_meter_is_that_of_its_epoch() -> None:
    records: list[Epoch] = []
    epochs = train_epochs(
        training(GradientDescent(), rate=30.0),
        10_000,
        next_due=lambda number: number + 50,
        is_checked=lambda number: number % 50 == 0,
    )
    with pytest.raises(Diverged), repeatable_numerics():
        records.extend(epochs)
    assert records[-1].number % 50
    assert records[-1].diagnostics["gradient_evaluations"] == records[-1].number


def test_a_gauss_newton_matrix_with_its_gradient_is_one_evaluation() -> None:
    counts = Counts()
    of = training(GradientDescent())
    objective, params = CountedObjective(of.objective, counts), of.start.params
    objective.gauss_newton(params)
    assert counts == Counts(gradient_rows=ROWS)
    assert objective.losses(params).value == of.objective.value(params)
    assert counts == Counts(gradient_rows=ROWS, loss_rows=ROWS)


def test_seconds_are_those_of_the_steps_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(metered_module, "clock", lambda: float(next(ticks)))
    assert last(training(GradientDescent()), 5, reads=True).diagnostics["seconds"] == 5


def test_a_gauss_newton_product_is_one_evaluation() -> None:
    counts = Counts()
    of = training(GradientDescent())
    objective, params = CountedObjective(of.objective, counts), of.start.params
    found = objective.gauss_newton_product(params, params)
    assert counts == Counts(gradient_rows=ROWS)
    np.testing.assert_array_equal(found, of.objective.gauss_newton_product(params, params))
    assert objective.gauss_newton_scale == of.objective.gauss_newton(params).scale
    assert counts == Counts(gradient_rows=ROWS)
