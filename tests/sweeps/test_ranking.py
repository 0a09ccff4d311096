"""What trainings are ranked by."""

from __future__ import annotations

import math

import pytest
from trainings import VAL_LOSS, moons, restarts, result

from bpcli.experiment import build
from bpcli.sweeps.ranking import EVIDENCE, OBJECTIVE, Criterion, criterion_for
from bpcli.sweeps.training import ResultStatus

ONE, TWO, THREE = restarts(3)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], "val.loss"),
        (["data.split={}"], OBJECTIVE),
        (["data.split={test: 0.5}"], OBJECTIVE),
        (["training.optimizer=bayesian_regularization", "loss=mse"], EVIDENCE),
        (
            ["training.optimizer=bayesian_regularization", "loss=mse", "data.split={}"], EVIDENCE,
        ),
    ],
)  # fmt: skip
def test_the_validation_loss_or_what_there_is_instead(overrides: list[str], name: str) -> None:
    assert criterion_for(build(moons(*overrides))) == Criterion(name)


@pytest.mark.parametrize(
    ("name", "is_greater_better"),
    [
        ("val.loss", False), ("val.log_loss", False), ("test.mse", False), (OBJECTIVE, False),
        ("val.accuracy", True), ("test.r2", True), (EVIDENCE, True), ("accuracy", False),
    ],
)  # fmt: skip
def test_of_some_numbers_a_greater_one_is_better(name: str, is_greater_better: bool) -> None:
    criterion = Criterion(name)
    assert criterion.greater_is_better is is_greater_better
    assert criterion.as_cost(2.0) == (-2.0 if is_greater_better else 2.0)
    assert criterion.as_cost(None) == math.inf


def test_the_number_is_a_metric_a_diagnostic_or_the_objective() -> None:
    found = result(ONE, 0.5, objective=0.25, diagnostics={EVIDENCE: -7.5})
    assert VAL_LOSS.value_of(found) == 0.5
    assert Criterion(OBJECTIVE).value_of(found) == 0.25
    assert Criterion(EVIDENCE).value_of(found) == -7.5
    assert Criterion(EVIDENCE).cost_of(found) == 7.5
    assert Criterion("test.loss").value_of(found) is None
    assert Criterion(EVIDENCE).value_of(result(ONE, 0.5)) is None


@pytest.mark.parametrize(
    ("status", "value", "expected"),
    [
        ("finished", 0.5, 0.5), ("paused", 0.5, 0.5), ("diverged", 0.5, None),
        ("failed", 0.5, None), ("finished", math.inf, None), ("finished", math.nan, None),
        ("finished", None, None),
    ],
)  # fmt: skip
def test_what_failed_or_is_not_finite_has_no_value(
    status: ResultStatus, value: float | None, expected: float | None
) -> None:
    found = result(ONE, 0.0, status=status, metrics={"val.loss": value}, objective=value)
    for criterion in (VAL_LOSS, Criterion(OBJECTIVE)):
        assert criterion.value_of(found) == expected
        assert criterion.cost_of(found) == (math.inf if expected is None else expected)


def test_the_best_is_first_and_equal_ones_keep_their_order() -> None:
    results = [result(ONE, 0.5), result(TWO, None), result(THREE, 0.25), result(TWO, 0.5)]
    assert VAL_LOSS.ranked(results) == [results[2], results[0], results[3]]
    accuracies = [
        result(each, None, status="finished", metrics={"val.accuracy": value})
        for each, value in ((ONE, 0.5), (TWO, 1.0), (THREE, 0.75))
    ]
    ranked = Criterion("val.accuracy").ranked(accuracies)
    assert [each.setting for each in ranked] == [1, 2, 0]
