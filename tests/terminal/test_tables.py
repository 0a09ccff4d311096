"""Tables of results."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tampered import a_record

from bpcli.runs.run_json import LayerRecord, Rule
from bpcli.terminal.tables import (
    class_table,
    confusion_table,
    layers_text,
    loss_text,
    named_text,
    scores_table,
    stop_table,
)


@pytest.mark.parametrize(
    ("reduction", "l2", "is_weighted", "text"),
    [
        ("mean", 0.0, False, "mse"),
        ("mean", 0.1, False, "mse + L2 0.1"),
        ("sum", 0.0, True, "mse, summed over the rows, rows weighted"),
    ],
)
def test_the_loss_is_shown_with_what_is_added(
    reduction: str, l2: float, is_weighted: bool, text: str
) -> None:
    assert loss_text("mse", reduction, l2, is_weighted=is_weighted) == text


def test_layers_are_told_from_the_input_on() -> None:
    layers = [
        LayerRecord(2, 8, {"name": "elu", "alpha": 0.5}, "trained"),
        LayerRecord(8, 1, {"name": "sigmoid"}, "none"),
    ]
    assert layers_text(layers) == "2 - 8 elu (alpha 0.5) - 1 sigmoid (no bias)"
    assert named_text({"schedule": "step", "every": 10}, "schedule") == "step (every 10)"


def test_only_the_criterion_that_stopped_a_training_is_marked() -> None:
    rules = [Rule("goal", "m", 1.0, 0.5, 0.25, True), Rule("max_fail", "m", 1.0, 0.5, 0.25, False)]
    record = replace(a_record(), stop=rules, stop_reason="max_fail")
    goal, max_fail = stop_table(record).rows
    assert goal[-2:] == ["<= 0.25", ""]
    assert max_fail[-2:] == [">= 0.25", "stop reason"]


def test_baselines_and_intervals_are_of_the_last_split() -> None:
    scores = {"train.rmse": 1.0, "test.rmse": 2.0, "train.r2": 0.5, "test.r2": None}
    baselines = {"constant": {"test.rmse": 3.0, "train.rmse": 9.0}}
    intervals = {"test.rmse": (1.5, 2.5), "test.r2": None}
    grid = scores_table(scores, baselines, a_record(), intervals)
    assert grid.headers == ["metric", "train", "test", "95 % interval", "constant (test)"]
    assert grid.rows == [
        ["rmse", "1", "2", "1.5 to 2.5", "3"], ["r2", "0.5", "-", "-", "-"],
    ]  # fmt: skip


def test_a_confusion_matrix_has_true_classes_down() -> None:
    scores = {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "rows": 2}
    document = {
        "classes": [scores | {"name": name} for name in "ab"],
        "confusion": [[2, 0], [1, 3]],
    }
    grid = confusion_table(document)
    assert grid.headers[1:] == ["a", "b"]
    assert grid.rows == [["a", "2", "0"], ["b", "1", "3"]]
    assert class_table(document).rows[0] == ["a", "0.5000", "1.0000", "0.6667", "2"]
