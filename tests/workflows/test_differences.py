"""What is found where two trainings differ, and how far apart they are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tampered import a_record

from bpcli.runs.metrics_log import LogLine
from bpcli.runs.run_json import RunRecord
from bpcli.runs.saved_weights import SavedColumn, SavedColumns, WeightsMeta
from bpcli.workflows import differences as module
from bpcli.workflows.differences import (
    count_findings,
    data_findings,
    description_findings,
    fact_findings,
    line_findings,
    loss_findings,
    metric_findings,
    path_findings,
    tensor_findings,
)
from bpcli.workflows.verdict import Difference

NO_SIZE = math.inf


def listed(findings: Iterable[Difference]) -> list[tuple[str, Any, Any, float | None]]:
    """What, then, again and the relative difference of each finding."""
    return [(each.what, each.then, each.again, each.relative) for each in findings]


def test_losses_are_one_tensor_of_the_epochs_that_both_have() -> None:
    then = {0: 4.0, 1: 2.0, 2: None, 3: 9.0}
    assert listed(loss_findings(then, {0: 4.0, 1: 2.0, 2: None})) == []
    (finding,) = loss_findings(then, {0: 4.0, 1: 2.5, 2: None})
    assert listed([finding]) == [("the loss of epoch 1", 2.0, 2.5, 0.125)]
    assert finding.of == "the losses"
    assert listed(loss_findings(then, {2: 1.0})) == [("the loss of epoch 2", None, 1.0, NO_SIZE)]


def test_counts_have_no_size_of_difference() -> None:
    assert listed(count_findings("epochs", 3, 3)) == []
    assert listed(count_findings("epochs", 3, None)) == [("epochs", 3, None, NO_SIZE)]


def test_lines_are_compared_by_epoch_without_loss_and_time() -> None:
    first = LogLine(
        epoch=0, loss=1.0, grad_norm=2.0, grad_norms=[2.0], diagnostics={}, seconds=0.1,
        metrics={}, dead_units=[0, 1], saturated_units=[0, 0],
    )  # fmt: skip
    then = [first, replace(first, epoch=4)]
    again = [
        replace(first, loss=7.0, seconds=9.0),
        replace(first, epoch=4, grad_norm=2.5, dead_units=[0, 2]),
    ]
    assert listed(line_findings(then, again)) == [
        ("grad_norm of epoch 4", "2.0", "2.5", 0.25),
        ("dead_units of epoch 4", "[0, 1]", "[0, 2]", 1.0),
    ]
    assert listed(line_findings(then, then[:1])) == [("the last epoch in the log", 4, 0, NO_SIZE)]
    assert listed(line_findings(then, [])) == [("the last epoch in the log", 4, None, NO_SIZE)]


def test_tensors_are_compared_by_their_bits() -> None:
    then = {"W1": np.array([[1.0, -4.0]]), "b1": np.array([0.0])}
    assert listed(tensor_findings(then, dict(then))) == []
    again = {"W1": np.array([[1.0, -5.0]]), "b1": np.array([-0.0])}
    assert listed(tensor_findings(then, again)) == [
        ("W1[0, 1]", -4.0, -5.0, 0.25),
        ("b1[0]", 0.0, -0.0, 0.0),
    ]


@pytest.mark.parametrize("again", [{}, {"b1": np.zeros(2)}, {"b1": np.zeros(1, "f4")}])
def test_a_tensor_of_another_form_has_nothing_to_subtract(again: dict[str, np.ndarray]) -> None:
    size = again["b1"].nbytes if again else 0
    assert listed(tensor_findings({"b1": np.zeros(1)}, again)) == [
        ("the size of b1", 8, size, NO_SIZE)
    ]


def test_recorded_parameters_are_a_tensor_a_row() -> None:
    then = np.array([[1.0, 2.0], [4.0, 2.0]])
    again = then.copy()
    assert listed(path_findings(then, again)) == []
    again[1, 0] = 5.0
    (finding,) = path_findings(then, again)
    assert listed([finding]) == [("params_path.npy[1][0]", 4.0, 5.0, 0.25)]
    assert finding.of == "params_path.npy[1]"
    assert listed(path_findings(then, then[:1])) == [
        ("the size of params_path.npy", 32, 16, NO_SIZE)
    ]


def meta(fill: float | str = 2.0, **changes: Any) -> WeightsMeta:
    column = SavedColumn(name="age", kind="number", categories=[], fill=fill, indicator=False)
    columns = SavedColumns(inputs=[column], targets=["y"], class_names=[], file_columns=[])
    whole = WeightsMeta(
        best_epoch=3, class_names=[], input_names=["age"], target_names=["y"], columns=columns,
        layers=[], params=2,
    )  # fmt: skip
    return replace(whole, **changes)


def test_a_fill_is_a_number_and_all_else_that_describes_weights_is_not() -> None:
    assert listed(description_findings(meta(), meta())) == []
    assert listed(description_findings(meta(), meta(2.5))) == [
        ("the fill of age", "2.0", "2.5", 0.25)
    ]
    assert listed(description_findings(meta(), meta(best_epoch=4))) == [
        ("`best_epoch` of the weights", "3", "4", NO_SIZE)
    ]
    ((what, *_, relative),) = listed(description_findings(meta("a"), meta("b")))
    assert (what, relative) == ("the column age", NO_SIZE)
    assert listed(description_findings(meta(columns=None), meta(columns=None))) == []


def record(**changes: Any) -> RunRecord:
    config = {"loss": "mse", "training.epochs": 9, "training.stop.goal": None}
    return replace(a_record(seed=1, config=config), **changes)


def test_facts_are_compared_without_what_verify_changes_itself() -> None:
    config = record().config
    again = record(config=config | {"training.epochs": 3, "training.stop.goal": 0.1})
    assert listed(fact_findings(record(), again)) == []
    changed = record(seed=2, config=config | {"loss": "mae"})
    assert listed(fact_findings(record(), changed)) == [
        ("`seed`", "1", "2", NO_SIZE),
        ("`loss` of the config", "mse", "mae", NO_SIZE),
    ]


def results(**changes: Any) -> RunRecord:
    known = {"best_epoch": 4, "metrics": {"val.loss": 2.0}, "class_weights": None}
    return replace(a_record(), **known | {"baselines": {"constant": {"val.loss": 4.0}}} | changes)


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"best_epoch": 5}, ("the best epoch", "4", "5", 0.25)),
        ({"metrics": {"val.loss": 2.5}}, ("val.loss", "2.0", "2.5", 0.25)),
        ({"metrics": {}}, ("val.loss", "2.0", "None", NO_SIZE)),
        ({"class_weights": {"a": 2.0}}, ("weight of class a", "None", "2.0", NO_SIZE)),
        (
            {"baselines": {"constant": {"val.loss": 5.0}}},
            ("constant baseline, val.loss", "4.0", "5.0", 0.25),
        ),
        ({"baselines": {}}, ("constant baseline, val.loss", "4.0", "None", NO_SIZE)),
    ],
)
def test_every_final_number_is_compared(changes: dict[str, Any], finding: tuple[Any, ...]) -> None:
    assert listed(metric_findings(results(), results())) == []
    assert listed(metric_findings(results(), results(**changes))) == [finding]


def test_data_have_no_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "data_digest", lambda table: table)
    experiment: Any = SimpleNamespace(table="abc")
    assert list(data_findings(replace(a_record(), data_sha256="abc"), experiment)) == []
    (finding,) = data_findings(replace(a_record(), data_sha256="abd"), experiment)
    assert isinstance(finding, Difference)
    assert finding.relative is None
