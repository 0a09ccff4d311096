from __future__ import annotations

from typing import Any

import pytest
from swept import size, size_document

from bpcli.terminal.sizes import result_lines, sizes_table


def cells(document: dict[str, Any]) -> list[dict[str, str]]:
    grid, _ = sizes_table(document)
    return [dict(zip(grid.headers, map(str, row), strict=True)) for row in grid.rows]


def searched() -> dict[str, Any]:
    """Means 0.5, 0.22, 0.2, 0.3, of which the third has a standard error of 0.03."""
    losses = {3: 0.5, 5: 0.22, 7: 0.2, 9: 0.3}
    return size_document(
        *(size(units, [mean - 0.03, mean + 0.03]) for units, mean in losses.items())
    )


def test_sizes_are_in_order_with_the_best_and_what_is_enough() -> None:
    rows = cells(searched())
    assert rows[1] == {
        "hidden": "5", "parameters": "33", "val.loss": "0.2200 ± 0.042", "lowest": "0.1900",
        "test.accuracy": "0.9450 ± 0.010", "epochs": "100", "time": "500 ms", "result": "enough",
    }  # fmt: skip
    assert [row["result"] for row in rows] == ["", "enough", "best", ""]


def test_evidence_and_failures_have_columns_where_there_are_any() -> None:
    document = size_document(size(3, [0.5, None], evidence=True), size(5, [None, None]))
    first, second = cells(document)
    assert (first["evidence"], first["effective"], first["failed"]) == ("-125.0 ± 1.2", "13.5", "1")
    assert (second["evidence"], second["effective"], second["val.loss"]) == ("-", "-", "-")
    assert first["result"] == "best, enough"


def test_a_narrow_terminal_keeps_sizes_metric_and_result() -> None:
    grid, expendable = sizes_table(searched())
    assert grid.fitting(1, expendable)[0].headers == ["hidden", "val.loss", "result"]


def test_what_is_enough_is_said_with_its_reason() -> None:
    (line,) = result_lines(searched())
    assert line == (
        "5 hidden units are enough: the smallest size whose mean val.loss (0.22) is within one "
        "standard error of the best (0.2 with 7 units)."
    )


def test_the_best_may_be_the_smallest_that_is_enough() -> None:
    document = size_document(size(3, [0.5, 0.51]), size(5, [0.2, 0.21]), size(7, [0.3, 0.31]))
    (line,) = result_lines(document)
    assert line == (
        "5 hidden units are enough: they have the best mean val.loss (0.205), and every smaller "
        "size is more than one standard error from it."
    )
    (line,) = result_lines(size_document(size(1, [0.2, 0.21]), size(2, [0.3, 0.31])))
    assert (
        line
        == "1 hidden unit is enough: the smallest size tried has the best mean val.loss (0.205)."
    )


def test_layers_of_equal_size_are_counted() -> None:
    document = size_document(size(1, [0.2, 0.21]), size(2, [0.3, 0.31]), hidden_layers=2)
    assert result_lines(document)[0].startswith("1 hidden unit in each of 2 layers are enough")


def test_a_best_size_at_the_end_asks_for_larger_ones() -> None:
    *_, line = result_lines(size_document(size(3, [0.5, 0.51]), size(5, [0.2, 0.21])))
    assert line == (
        "The best size is the largest one tried, so larger ones may be better: bpnet size --resume "
        "20261201-101112-iris-ab12 --hidden 6..10"
    )


def test_one_size_is_no_search() -> None:
    assert result_lines(size_document(size(5, [0.2, 0.21]))) == [
        "Only one size was tried: 5 hidden units (mean val.loss 0.205). Name more with --hidden."
    ]


def test_one_training_per_size_has_no_standard_error() -> None:
    lines = result_lines(size_document(size(3, [0.5]), size(5, [0.2]), size(7, [0.3])))
    assert lines == [
        "5 hidden units are enough: they have the best mean val.loss (0.2).",
        "With one training per size there is no standard error: repeat with --splits 5.",
    ]


def test_failures_are_counted_by_trainings_not_by_splits() -> None:
    counts = {"trainings": 40, "finished": 33, "failed": 7, "missing": 0}
    document = size_document(size(3, [0.5, 0.6]), size(5, [0.2, 0.3]), counts=counts)
    assert result_lines(document)[-1] == "7 of 40 trainings failed."
    document = size_document(size(3, [None, None]), size(5, [None, None]))
    assert result_lines(document) == ["No size has a result.", "4 of 4 trainings failed."]


@pytest.mark.parametrize(
    ("interrupted", "missing", "line"),
    [
        (True, 8, "The search was interrupted: 8 of 40 trainings are missing."),
        (False, 1, "The search is not complete: 1 of 40 trainings is missing."),
    ],
)
def test_what_is_missing_can_be_trained(interrupted: bool, missing: int, line: str) -> None:
    counts = {"trainings": 40, "finished": 40 - missing, "failed": 0, "missing": missing}
    sizes = size(3, [0.5, 0.6]), size(5, [0.2, 0.3])
    document = size_document(*sizes, counts=counts, interrupted=interrupted)
    assert result_lines(document)[-1] == f"{line} Train what is missing with --resume."


def test_sizes_that_are_no_better_than_a_constant_are_a_warning() -> None:
    document = size_document(size(3, [1.0, 1.1]), size(5, [0.99] * 2), constant=1.0, enough=None)
    (line,) = result_lines(document)
    assert line == (
        "warning: no size is better than a constant prediction (val.loss 1): train longer, or "
        "change the optimizer, the inputs or `training.stop`."
    )


def test_evidence_is_ranked_highest_first_with_a_margin_of_1() -> None:
    sizes = [size(units, [-60.0 + units, -59.0 + units], evidence=True) for units in (1, 2, 3, 4)]
    document = size_document(
        *sizes, metric="log_evidence", greater_is_better=True, best=3, enough=2
    )
    line, *_ = result_lines(document)
    assert line == (
        "2 hidden units are enough: the smallest size whose mean log_evidence (-57.5) is at most 1 "
        "below the best (-56.5 with 3 units)."
    )
    row = cells(document)[0]
    assert row["highest"] == "-58.00"
    assert not {"lowest", "evidence"} & row.keys(), "the evidence is the metric"
