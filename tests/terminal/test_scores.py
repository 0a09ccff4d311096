"""Tables of scores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tampered import a_record

from bpcli.terminal.scores import class_table, confusion_table, scores_tables


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
