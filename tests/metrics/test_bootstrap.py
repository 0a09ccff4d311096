from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from bpcli.data.preprocessing import Preprocessor
from bpcli.data.table import Classes, Table, Values
from bpcli.metrics import metrics
from bpcli.metrics.baselines import ConstantBaseline
from bpcli.metrics.bootstrap import LEVEL, RESAMPLES, bootstrap_intervals, share_interval
from bpcli.metrics.measures import Measures
from bpcli.metrics.metrics import Sample, mean_of
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Layer, Network

RNG = np.random.default_rng


def test_intervals_cover_the_true_mean_as_often_as_they_say() -> None:
    trials, rows = 400, 100
    drawn = RNG(0).exponential(2.0, (trials, rows))  # its mean is 2
    found = bootstrap_intervals(
        {str(number): Sample(drawn[[number]], mean_of) for number in range(trials)}, RNG(1)
    )
    covered = [each.low <= 2 <= each.high for each in found.values() if each is not None]
    # 95 %, less what skewness costs a percentile interval; three standard errors of 400 trials.
    assert len(covered) == trials
    assert np.mean(covered) == pytest.approx(0.945, abs=0.034)


@pytest.mark.parametrize(("count", "rows"), [(0, 7), (1, 2), (44, 45), (45, 45), (500, 1000)])
def test_a_share_of_rows_has_the_exact_interval(count: int, rows: int) -> None:
    """Clopper and Pearson's, as SciPy computes it by searching."""
    has_it = (np.arange(rows) < count).astype(np.float64)
    found = bootstrap_intervals({"accuracy": Sample(has_it[np.newaxis], mean_of)}, RNG(0))
    expected = binomtest(count, rows).proportion_ci(LEVEL)
    assert found["accuracy"] == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_other_means_of_zeros_and_ones_are_no_shares() -> None:
    """An error that happens to be 0 or 1 in every row of a metric with two statistics."""
    rows = np.array([[0.0, 1, 1, 0, 1, 1]] * 2)
    found = bootstrap_intervals({"m": Sample(rows, lambda means: means[..., 1])}, RNG(0))["m"]
    assert found is not None
    assert found != share_interval(rows[0])


def test_an_interval_is_as_wide_as_the_standard_error_says() -> None:
    rows = RNG(0).normal(3.0, 2.0, (1, 2500))
    interval = bootstrap_intervals({"mean": Sample(rows, mean_of)}, RNG(1))["mean"]
    assert interval is not None
    half = 1.96 * rows.std() / 50
    assert interval.low == pytest.approx(rows.mean() - half, abs=0.1 * half)
    assert interval.high == pytest.approx(rows.mean() + half, abs=0.1 * half)


def test_every_metric_of_a_resample_is_that_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_ROWS_AT_ONCE", 7)
    rng, rows = RNG(2), 30
    labels = rng.integers(0, 2, rows)
    classes = Table(np.zeros((rows, 1)), targets=Classes(labels, ("a", "b")))
    values = Table(np.zeros((rows, 1)), targets=Values(rng.normal(7.0, 1.0, (rows, 2))))
    softmax = Network((Layer(1, 2, ACTIVATIONS["softmax"]()),), LOSSES["cross_entropy"]())
    identity = Network((Layer(1, 2, ACTIVATIONS["identity"]()),), LOSSES["mse"]())
    Z = rng.normal(7.0, 1.0, (2, rows))
    for table, network, names in (
        (classes, softmax, ("accuracy", "log_loss")),
        (values, identity, ("rmse", "mae", "r2")),
    ):
        prep = Preprocessor.fit(table, np.arange(rows), 2, "none", "none")
        split = prep.split("test", table, np.arange(rows))
        whole = Measures.of_network(network, split, names).samples(Z)
        assert [*whole] == [*names]
        chosen = np.sort(rng.integers(0, rows, rows))
        targets = (
            Values(table.Y[chosen])
            if table.labels is None
            else Classes(table.labels[chosen], table.class_names)
        )
        again = prep.split("test", Table(table.X[chosen], targets=targets), np.arange(rows))
        expected = Measures.of_network(network, again, names).of(Z[:, chosen])
        counts = np.bincount(chosen, minlength=rows) / rows
        for name in names:
            found = whole[name].value(whole[name].statistics @ counts)
            assert found == pytest.approx(expected[name], rel=1e-12)


def test_resamples_are_the_seeds_whatever_their_number_at_once() -> None:
    rows = RNG(0).normal(size=(1, 5000))
    one, again, other = (
        bootstrap_intervals({"mean": Sample(rows, mean_of)}, RNG(seed))["mean"]
        for seed in (1, 1, 2)
    )
    assert one == again != other
    assert RESAMPLES == 1000
    assert LEVEL == 0.95


def test_a_single_row_has_no_interval() -> None:
    assert bootstrap_intervals({"mean": Sample(np.ones((1, 1)), mean_of)}, RNG(0)) == {"mean": None}


def test_a_metric_that_a_resample_lacks_has_no_interval() -> None:
    table = Table(np.zeros((3, 1)), targets=Values(np.array([[1.0], [1], [2]])))
    split = Preprocessor.fit(table, np.arange(3), 1, "none", "none").split(
        "val", table, np.arange(3)
    )
    samples = Measures(ConstantBaseline(np.zeros(1)), split, ("r2",)).samples(np.empty((0, 3)))
    assert [*samples] == ["r2"]
    assert bootstrap_intervals(samples, RNG(0)) == {"r2": None}  # all three rows equal
    assert bootstrap_intervals({}, RNG(0)) == {}
