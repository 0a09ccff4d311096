"""Lines and tables of a cross-validation."""

from __future__ import annotations

from dataclasses import replace

from tampered import a_record

from bpcli.runs.run_json import Fold, RunRecord
from bpcli.terminal.folds import fold_line, folds_table, summary_table


def record(number: int) -> RunRecord:
    return replace(
        a_record(), run_id=f"r{number}", status="finished", epochs=7, seconds=2.0,
        stop_reason="max_fail", fold=Fold(number, 3, "g"),
        metrics={"train.loss": 0.1, "test.loss": 0.5, "test.accuracy": 0.75},
    )  # fmt: skip


def test_a_fold_is_told_with_its_score_on_rows_it_did_not_train_on() -> None:
    line = fold_line(record(2))
    assert line.startswith("fold 2 of 3: r2, epoch 7, test.accuracy 0.75, ")
    assert line.endswith("stop reason: max_fail")


def test_a_fold_that_failed_has_a_row_without_scores() -> None:
    failed = replace(a_record(), run_id="r2", status="diverged", fold=Fold(2, 3, "g"))
    grid = folds_table([record(1), failed])
    assert grid.headers == ["fold", "run", "status", "epochs", "test.loss", "test.accuracy"]
    assert grid.rows == [
        ["1", "r1", "finished", "7", "0.5", "0.75"], ["2", "r2", "diverged", "-", "-", "-"],
    ]  # fmt: skip


def test_scores_of_single_targets_have_no_column() -> None:
    metrics = {"test.rmse": 0.5, "test.rmse.a": 0.25}
    assert folds_table([replace(record(1), metrics=metrics)]).headers[4:] == ["test.rmse"]


def test_the_summary_is_of_the_test_rows_beside_the_baselines() -> None:
    summary = {
        "train.loss": {"mean": 9.0, "sd": 9.0, "folds": 5},
        "test.rmse": {"mean": 0.5, "sd": 0.125, "folds": 5},
        "test.r2": {"mean": 0.75, "sd": 0.25, "folds": 3},
    }
    baselines = {
        "constant": {
            "test.rmse": {"mean": 2.0, "sd": 0.0, "folds": 4},
            "test.r2": {"mean": 0.0, "sd": 0.0, "folds": 3},
        },
        "other": {},
    }
    grid = summary_table({"finished": 5, "summary": summary, "baselines": baselines})
    assert grid.headers == ["5 folds", "mean", "sd", "constant (mean)", "other (mean)"]
    assert grid.rows == [
        ["test.rmse", "0.5", "0.125", "2 (of 4 folds)", "-"],
        ["test.r2 (of 3 folds)", "0.75", "0.25", "0", "-"],
    ]
