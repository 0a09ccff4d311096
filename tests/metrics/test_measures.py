"""Sums over pieces of rows give the metrics and the score of all rows, by any pieces."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lazy import LazyArray, LazyIndex
from sklearn.metrics import log_loss, r2_score

from bpcli.data.preprocessing import Preprocessor, Split
from bpcli.data.table import Classes, MultiLabels, Table, Targets, Values
from bpcli.metrics import metrics
from bpcli.metrics.baselines import ConstantBaseline, constant_of
from bpcli.metrics.measures import Measures
from bpcli.metrics.metrics import METRICS_OF
from bpcli.metrics.score import Scorer
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Layer, Network

RNG = np.random.default_rng


@contextmanager
def few_rows_at_once() -> Iterator[None]:
    """Splits of more than 16 rows are several pieces, and 5 to 9 rows give the shift."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "_ROWS_AT_ONCE", 16)
        patch.setattr(metrics, "_MOST_SOME_ROWS", 9)
        yield


def network_of(output: str, loss: str, outputs: int) -> Network:
    return Network((Layer(1, outputs, ACTIVATIONS[output]()),), LOSSES[loss]())


def split_of(targets: Targets, rows: int, outputs: int, weight: np.ndarray | None = None) -> Split:
    table = Table(np.zeros((rows, 1)), targets=targets, weight=weight)
    prep = Preprocessor.fit(table, np.arange(rows), outputs, "none", "none")
    return prep.split("test", table, np.arange(rows))


def added_up(measures: Measures | Scorer, Z: np.ndarray, cuts: list[int]) -> np.ndarray:
    """The sums of all rows, from those between any cuts."""
    bounds = [0, *sorted(cut % (Z.shape[1] + 1) for cut in cuts), Z.shape[1]]
    total = np.zeros(measures.width)
    for start, stop in pairwise(bounds):
        total += measures.sums(start, stop, Z[:, start:stop])
    return total


CUTS = st.lists(st.integers(0, 200), max_size=6)


@given(
    st.integers(2, 120), st.integers(1, 3), st.sampled_from([0.0, -3e5, 1e9]), st.booleans(),
    st.booleans(), st.integers(0, 2**31), CUTS,
)  # fmt: skip
def test_r2_and_errors_do_not_cancel_far_from_zero_whatever_the_pieces(
    rows: int, k: int, offset: float, is_sorted: bool, is_weighted: bool, seed: int, cuts: list[int]
) -> None:
    rng = RNG(seed)
    Y = offset + rng.normal(size=(rows, k)) * rng.choice([1e-2, 1, 1e3], size=k)
    Y = np.sort(Y, axis=0) if is_sorted else Y
    outputs = Y + rng.normal(size=(rows, k))
    weight = rng.uniform(0.1, 9, rows) if is_weighted else None
    split, network = split_of(Values(Y), rows, k, weight), network_of("identity", "mse", k)
    with few_rows_at_once():
        measures = Measures.of_network(network, split, ("rmse", "mae", "r2"))
        scorer = Scorer(network, split)
        found = measures.values(added_up(measures, outputs.T, cuts))
        score = scorer.value(added_up(scorer, outputs.T, cuts))
    true, said = Y.astype(np.longdouble), outputs.astype(np.longdouble)
    residual = (true - said) ** 2
    assert found["rmse"] == pytest.approx(float(np.sqrt(residual.mean())), rel=1e-12)
    assert found["mae"] == pytest.approx(float(np.abs(true - said).mean()), rel=1e-12)
    unexplained = residual.sum() / ((true - true.mean(axis=0)) ** 2).sum()
    assert found["r2"] == pytest.approx(float(1 - unexplained), rel=1e-12, abs=1e-12)
    w = np.ones(rows) if weight is None else weight
    mean = np.average(true, axis=0, weights=w)
    of_each = 1 - (w @ residual) / (w @ (true - mean) ** 2)
    assert score == pytest.approx(float(of_each.mean()), rel=1e-12, abs=1e-12)


@given(st.integers(2, 60), st.floats(-1e12, 1e12), st.booleans(), CUTS)
def test_a_constant_target_has_no_r2_and_a_score_of_one_or_zero(
    rows: int, value: float, is_hit: bool, cuts: list[int]
) -> None:
    split = split_of(Values(np.full((rows, 1), value)), rows, 1, RNG(0).uniform(1, 9, rows))
    network = network_of("identity", "mse", 1)
    Z = np.full((1, rows), value if is_hit else 2 * abs(value) + 1)
    with few_rows_at_once():
        measures, scorer = Measures.of_network(network, split, ("r2",)), Scorer(network, split)
        assert measures.values(added_up(measures, Z, cuts)) == {"r2": None}
        assert scorer.value(added_up(scorer, Z, cuts)) == is_hit


def test_a_target_that_differs_only_between_the_rows_looked_at_is_not_constant() -> None:
    Y = np.full((90, 1), 0.1)
    Y[1::10] = 0.2  # of 90 rows, those at 0, 10, 20 … give the shift
    split, network = split_of(Values(Y), 90, 1), network_of("identity", "mse", 1)
    outputs = Y + RNG(0).normal(size=Y.shape) / 50
    with few_rows_at_once():
        found = Measures.of_network(network, split, ("r2",)).of(outputs.T)
        score = Scorer(network, split)(outputs.T)
    assert found["r2"] == pytest.approx(r2_score(Y, outputs), rel=1e-12)
    assert score == pytest.approx(r2_score(Y, outputs), rel=1e-12)


@given(st.integers(1, 80), st.integers(0, 2**31), CUTS)
def test_ratios_of_labels_are_those_of_counts_whatever_the_pieces(
    rows: int, seed: int, cuts: list[int]
) -> None:
    rng = RNG(seed)
    Y = (rng.random((rows, 2)) < 0.3).astype(np.float64)
    targets = MultiLabels(Y, ("a", "b"), (("0", "1"),) * 2)
    split, Z = split_of(targets, rows, 2), rng.normal(size=(2, rows))
    network = network_of("sigmoid", "binary_cross_entropy", 2)
    with few_rows_at_once():
        measures = Measures.of_network(network, split, METRICS_OF["multilabel"])
        found = measures.values(added_up(measures, Z, cuts))
    said = Z.T >= 0
    both = (Y * said).sum(axis=0).tolist()
    wholes = {"precision": said.sum(axis=0), "recall": Y.sum(axis=0)}
    wholes["f1"] = (wholes["precision"] + wholes["recall"]) / 2
    for metric, whole in wholes.items():
        for name, part, count in zip("ab", both, whole.tolist(), strict=True):
            expected = pytest.approx(part / count, rel=1e-12) if count else None
            assert found[f"{metric}.{name}"] == expected


def test_log_losses_are_finite_and_added_up() -> None:
    labels, Z = RNG(0).integers(0, 3, 50), RNG(1).normal(size=(3, 50))
    split = split_of(Classes(labels, ("a", "b", "c")), 50, 3)
    network = network_of("softmax", "cross_entropy", 3)
    with few_rows_at_once():
        measures = Measures.of_network(network, split, ("log_loss",))
        p = np.exp(Z) / np.exp(Z).sum(axis=0)
        assert measures.of(Z)["log_loss"] == pytest.approx(log_loss(labels, p.T), rel=1e-12)
        wrong = 1e4 * (1 - np.eye(3)[labels].T)
        assert measures.of(wrong)["log_loss"] == pytest.approx(1e4 + np.log(2), rel=1e-12)


def test_the_loss_in_original_units_comes_first_and_single_targets_last() -> None:
    Y, Z = 5 + 3 * RNG(0).normal(size=(40, 2)), RNG(1).normal(size=(2, 40))
    weight = RNG(2).uniform(1, 9, 40)
    table = Table(np.zeros((40, 1)), targets=Values(Y, ("u", "v")), weight=weight)
    prep = Preprocessor.fit(table, np.arange(40), 2, "none", "standard")
    split = prep.split("test", table, np.arange(40))
    network = network_of("identity", "mse", 2)
    with few_rows_at_once():
        found = Measures.of_network(network, split, ("mae", "rmse")).of(Z)
        brief = Measures.of_network(network, split, ("mae", "rmse"), in_detail=False).of(Z)
    assert [*found] == ["loss_original", "mae", "rmse", "mae.u", "rmse.u", "mae.v", "rmse.v"]
    assert brief == {"mae": found["mae"], "rmse": found["rmse"]}
    squares = ((prep.original(Z.T) - Y) ** 2).mean(axis=1)
    assert found["loss_original"] == pytest.approx(np.average(squares, weights=weight), rel=1e-12)


def lazily_read(targets: Targets, outputs: int) -> tuple[Split, list[LazyArray]]:
    """A split of 100 of 150 rows whose targets and weights are read when needed."""
    weight = LazyArray(RNG(5).uniform(1, 2, 150))
    if isinstance(targets, Classes):
        lazy = LazyArray(targets.labels)
        targets = replace(targets, labels=lazy)
    else:
        assert isinstance(targets, Values)
        lazy = LazyArray(targets.Y)
        targets = replace(targets, Y=lazy)
    X = LazyArray(np.zeros((150, 1)))
    table = Table(X, targets=targets, weight=weight)
    prep = replace(PREPARED, class_names=table.class_names, outputs=outputs)
    index = LazyIndex(np.sort(RNG(6).permutation(150)[:100]))
    return prep.split("test", table, index), [X, lazy, weight]


PREPARED = Preprocessor.fit(
    Table(np.zeros((2, 1)), targets=Values(np.zeros((2, 1)))), np.arange(2), 1, "none", "none"
)


@pytest.mark.parametrize(("targets", "output", "loss", "outputs"), [
    (Values(RNG(3).normal(size=(150, 1))), "identity", "mse", 1),
    (Classes(RNG(3).integers(0, 3, 150), ("a", "b", "c")), "softmax", "cross_entropy", 3),
])  # fmt: skip
def test_only_the_rows_of_a_piece_are_read(
    targets: Targets, output: str, loss: str, outputs: int
) -> None:
    split, arrays = lazily_read(targets, outputs)
    network, Z = network_of(output, loss, outputs), RNG(4).normal(size=(outputs, 100))
    names = METRICS_OF[split.table.task]
    with few_rows_at_once():
        for each in (Measures.of_network(network, split, names), Scorer(network, split)):
            assert each.width > 0
            for array in arrays:
                assert sum(map(len, array.reads)) <= 10  # for the shift
                array.reads.clear()
            each.sums(30, 80, Z[:, 30:80])
            allowed = set(split.index[30:80].tolist())
            for array in arrays:
                assert {row for rows in array.reads for row in rows} <= allowed
                assert max(map(len, array.reads), default=0) <= 16
            assert not arrays[0].reads
            for array in arrays:
                array.reads.clear()


def test_measures_and_scorers_can_be_sent_to_another_process() -> None:
    Y, Z = RNG(0).normal(size=(40, 2)), RNG(1).normal(size=(2, 40))
    split, network = split_of(Values(Y), 40, 2), network_of("identity", "mse", 2)
    for each in (Measures.of_network(network, split, ("rmse", "r2")), Scorer(network, split)):
        assert each.width > 0
        again = pickle.loads(pickle.dumps(each))
        np.testing.assert_array_equal(again.sums(3, 9, Z[:, 3:9]), each.sums(3, 9, Z[:, 3:9]))
    labels = split_of(MultiLabels((Y > 0) * 1.0, ("a", "b"), (("0", "1"),) * 2), 40, 2)
    measures = Measures.of_network(network, labels, METRICS_OF["multilabel"])
    total = measures.sums(0, 40, Z)
    assert pickle.loads(pickle.dumps(measures)).values(total) == measures.values(total)


def test_the_constant_of_many_rows_is_their_mean_whatever_the_pieces() -> None:
    Y = RNG(0).normal(size=(100, 2)) + 7
    split = split_of(Values(Y), 100, 2)
    with few_rows_at_once():
        constant = constant_of(split)
        found = Measures(ConstantBaseline(constant), split, ("rmse",)).of(np.empty((0, 100)))
    np.testing.assert_allclose(constant, Y.mean(axis=0), rtol=1e-14)
    assert found["rmse"] == pytest.approx(np.sqrt(Y.var(axis=0).mean()), rel=1e-12)
