from __future__ import annotations

import pytest

from bpcli.errors import ConfigError
from bpcli.metrics.requirements import Requirement, judge


@pytest.mark.parametrize(
    ("text", "value", "passed"),
    [
        ("test.accuracy>=0.95", 0.95, True),
        ("test.accuracy >= 0.95", 0.9499999, False),
        ("test.accuracy<=1e-3", 0.001, True),
        ("test.accuracy<=1e-3", 0.0011, False),
        ("test.accuracy>0.5", 0.5, False),
        ("test.accuracy < -0.5", -0.51, True),
        ("test.accuracy<0.5", 0.5, False),
        ("test.accuracy<0.5", None, False),
    ],
)
def test_a_metric_is_held_against_what_is_required(
    text: str, value: float | None, passed: bool
) -> None:
    (verdict,) = judge([Requirement.parse(text)], {"test.accuracy": value})
    assert verdict.passed is passed
    assert verdict.to_json()["value"] == value


def test_a_target_may_have_blanks_in_its_name() -> None:
    found = Requirement.parse(" test.rmse.the height >= 2 ")
    assert (found.path, found.split, found.bound) == ("test.rmse.the height", "test", 2)


@pytest.mark.parametrize(
    "text", ["", "test.accuracy", "test.accuracy=1", ">=1", "a>=b", "a>=nan", "a>=inf", "a>=1>=0"]
)
def test_what_is_no_requirement_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--require .*expected a metric, one of >= <= > <"):
        Requirement.parse(text)


def test_an_unknown_metric_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"`test\.acc`; expected one of test\.loss, test\.mae"):
        judge([Requirement.parse("test.acc>1")], {"test.loss": 1.0, "test.mae": 2.0})
