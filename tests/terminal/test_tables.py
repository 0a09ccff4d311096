"""Tables of results."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from tampered import a_record

from bpcli.runs.run_json import LayerRecord, Rule
from bpcli.terminal.tables import (
    aligned,
    class_table,
    confusion_table,
    key_heading,
    layers_text,
    loss_text,
    named_text,
    scores_tables,
    spread_texts,
    stop_table,
    value_text,
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
    intervals: dict[str, Any] = {"test.rmse": (1.5, 2.5), "test.r2": None}
    document = {"metrics": scores, "baselines": baselines, "intervals": intervals}
    (grid,) = scores_tables(a_record(), document)
    assert grid.headers == ["metric", "train", "test", "95 % interval", "constant (test)"]
    assert grid.rows == [
        ["rmse", "1", "2", "1.5 to 2.5", "3"], ["r2", "0.5", "-", "-", "-"],
    ]  # fmt: skip
    intervals["test.rmse"] = (9.87654e3, 123456.7)  # of which rmse has no exponent
    intervals["test.r2"] = (0.012345678, 1234567.0)
    (grid,) = scores_tables(a_record(), document)
    assert [row[3] for row in grid.rows] == ["9877 to 123457", "0.01235 to 1.235e+06"]


def test_each_of_several_targets_has_a_row_of_its_scores_on_the_last_split() -> None:
    scores = {"train.rmse": 1.0, "train.rmse.a.b": 4.0, "test.rmse": 2.0, "test.r2": 0.5}
    scores |= {"test.rmse.a.b": 1.5, "test.r2.a.b": None, "test.rmse.c": 2.5, "test.r2.c": 0.75}
    baselines = {"constant": {"test.rmse": 3.0, "test.rmse.a.b": 3.5}}
    overall, single = scores_tables(a_record(), {"metrics": scores, "baselines": baselines})
    assert [row[0] for row in overall.rows] == ["rmse", "r2"]
    assert single.headers == ["target (test)", "rmse", "r2", "constant rmse"]
    assert single.rows == [["a.b", "1.5", "-", "3.5"], ["c", "2.5", "0.75", "-"]]


def test_each_label_has_a_row_with_its_number_of_rows() -> None:
    scores = {"test.accuracy": 0.75, "test.f1": 0.5, "test.accuracy.a": 0.5, "test.accuracy.b": 1.0}
    labels = [{"name": name, "words": ["no", "yes"], "rows": [3, 1]} for name in "ab"]
    document = {"metrics": scores, "baselines": {}, "labels": labels}
    overall, single = scores_tables(replace(a_record(), task="multilabel"), document)
    assert [row[0] for row in overall.rows] == ["accuracy", "F1 (macro)"]
    assert single.headers == ["label (test)", "rows with 1", "accuracy"]
    assert single.rows == [["a", "1", "0.5"], ["b", "1", "1"]]


def test_very_many_targets_are_counted() -> None:
    scores = {f"train.rmse.{k}": 1.0 for k in range(1, 48)}
    _, single = scores_tables(a_record(), {"metrics": scores, "baselines": {}})
    assert (len(single.rows), single.rows[39]) == (41, ["40", "1"])
    assert single.rows[40] == ["7 more: use --json", ""]


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


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.1, 0.25, None], ["0.1000", "0.2500", "-"]),
        ([0.0123, 0.5, 0.0], ["0.01230", "0.50000", "0.00000"]),
        ([-170.44, 12.0, math.nan], ["-170.44", "12.00", "nan"]),
        ([12345.6, 9999.0], ["12346", "9999"]),
        ([1e-5, 2e-5], ["1e-05", "2e-05"]),
        ([1e-3, 123.4567], ["0.001", "123.5"]),
        ([3e7, 2e7], ["3e+07", "2e+07"]),
        ([], []),
    ],
)
def test_numbers_of_a_column_have_equally_many_decimals(
    values: list[float | None], texts: list[str]
) -> None:
    assert aligned(values, 4) == texts


def test_spreads_are_aligned_below_each_other() -> None:
    assert spread_texts([0.1, 0.2, None], [0.01, None, None]) == [
        "0.1000 ± 0.010", "0.2000 ±     -", "-",
    ]  # fmt: skip
    assert spread_texts([0.1], [None]) == ["0.1000"]


@pytest.mark.parametrize(
    ("key", "keys", "heading"),
    [
        ("training.l2", ["training.l2", "seed"], "l2"),
        ("a.b.c", ["a.b.c", "x.c"], "b.c"),
        ("x.c", ["a.b.c", "x.c"], "x.c"),
        ("c", ["a.c", "c"], "c"),
        ("training.epochs", ["training.epochs"], "training.epochs"),
    ],
)
def test_a_heading_is_the_shortest_end_of_a_key(key: str, keys: list[str], heading: str) -> None:
    assert key_heading(key, keys, ("epochs",)) == heading


def test_values_of_a_config_are_short() -> None:
    values = [True, None, 0.1, 5, [16, 8], {"name": "adam", "beta1": 0.8}, "中" * 50]
    assert [value_text(value) for value in values] == [
        "true", "null", "0.1", "5", "[16, 8]", "adam (beta1 0.8)", "中" * 39 + "…",
    ]  # fmt: skip
