from __future__ import annotations

import math

import numpy as np
import pytest
from small_problems import a_check

from bpcli.config.load import validate
from bpcli.config.source import Source
from bpcli.experiment import build
from bpcli.gradient_check.comparison import TensorCheck
from bpcli.gradient_check.corruptions import CORRUPTIONS
from bpcli.gradient_check.report import CheckReport, check_demonstration, check_experiment


def report(*checks: TensorCheck, corruption: str | None = None) -> CheckReport:
    return CheckReport(list(checks), 7, None, corruption, "2 - 1 tanh, mse")


def test_a_report_passes_if_every_check_does() -> None:
    assert report(a_check("W1"), a_check("b1")).passed
    assert not report(a_check("W1"), a_check("b1", is_wrong=True)).passed


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ("data", "gradient"), ("l2", "gradient"), ("jacobian", "Jacobian"),
        ("hessian", "Hessian"), ("jacobian hessian", "gradient"), ("data hessian", "gradient"),
    ],
)  # fmt: skip
def test_what_failed_is_named(terms: str, said: str) -> None:
    wrong = [a_check("W1", term, is_wrong=True) for term in terms.split()]
    assert report(a_check("b1"), *wrong).what_failed == said


def test_what_could_not_be_checked_or_verified_is_listed() -> None:
    blind = a_check("b1", "l2", allowed_error=2.0)
    found = report(a_check("W1"), blind, a_check("W2", checked=0))
    assert (found.unchecked, found.blind) == (["W2"], ["l2 b1"])


def test_a_corruption_without_effect_says_what_it_needs() -> None:
    needs = CORRUPTIONS["sign"].needs
    assert report(a_check(), corruption="sign").harmless == needs
    assert report(a_check(), corruption=None).harmless is None
    assert report(a_check(is_wrong=True), corruption="sign").harmless is None
    assert report(a_check(allowed_error=2.0), corruption="sign").harmless is None


def test_numbers_that_json_lacks_become_null() -> None:
    document = report(a_check(allowed_error=math.inf, ratio=math.nan)).to_json()
    assert (document["passed"], document["rows"], document["explanation"]) == (True, 7, None)
    (record,) = document["tensors"]
    assert record["allowed_error"] is None
    assert record["ratio"] is None
    assert record["error"] == 1e-16
    assert record["passed"]


def test_the_demonstration_is_described_in_a_few_words() -> None:
    found = check_demonstration(None)
    assert found.network == "3 - 4 sigmoid - 4 sigmoid - 3 tanh, half_squared_error, L2 0.3"
    assert (found.rows, found.explanation, found.harmless) == (7, None, None)


@pytest.mark.parametrize(("rows", "checked"), [(3, [0, 4, 9]), (99, list(range(10)))])
def test_an_experiment_is_checked_on_rows_chosen_evenly(rows: int, checked: list[int]) -> None:
    inputs = [[float(row)] for row in range(10)]
    text = (
        f"name: t\ndata: {{inputs: {inputs}, targets: {inputs}}}\nloss: mse\n"
        "network: {layers: [1, 2, 1], activations: [tanh, identity], dtype: float32}\n"
    )
    experiment = build(validate(Source.parse(text, "c.yaml")))
    params = experiment.initial_params
    found = check_experiment(experiment, params, rows=rows, entries=1, corruption=None)
    assert found.passed
    assert found.rows == len(checked)
    assert {check.checked for check in found.checks[:-1]} == {1}
    objective = experiment.objective(dtype=np.dtype(np.float64)).rows(np.array(checked))
    (W2,) = (check for check in found.checks if check.term == "data" and check.tensor == "b2")
    assert W2.analytic == objective.grad(params.astype(np.float64))[-1]
