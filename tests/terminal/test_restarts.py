"""The trainings of a run with restarts, as a table and a sentence."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from bpcli.runs.run_json import Restart, RestartsRecord
from bpcli.terminal.restarts import average_line, restarts_table, spread_line


def restart(number: int, value: float | None, status: str = "finished") -> Restart:
    reason = "max_fail" if status == "finished" else status
    return Restart(number, 7 + number, status, reason, 100 + number, 1.5, value)


def record(
    values: list[float | None],
    kept: list[int],
    criterion: str = "val.loss",
    combine: Literal["best", "mean"] = "best",
) -> RestartsRecord:
    trainings = [
        restart(number, value, "diverged" if value is None else "finished")
        for number, value in enumerate(values)
    ]
    return RestartsRecord(criterion, combine, kept, trainings)


def rows(restarts: RestartsRecord) -> list[dict[str, Any]]:
    grid = restarts_table(restarts)
    return [dict(zip(grid.headers, map(str, row), strict=True)) for row in grid.rows]


def test_the_best_is_first_and_what_is_kept_is_marked() -> None:
    first, second, last = rows(record([0.5, None, 0.25], [2]))
    assert first == {
        "restart": "2", "init seed": "9", "val.loss": "0.2500", "epochs": "102", "time": "1.5 s",
        "stop reason": "max_fail", "result": "kept",
    }  # fmt: skip
    assert (second["restart"], second["val.loss"], second["result"]) == ("0", "0.5000", "")
    assert (last["restart"], last["stop reason"], last["result"]) == ("1", "diverged", "")
    assert last["val.loss"] == "-"


def test_the_members_of_an_average_are_marked() -> None:
    found = rows(record([0.5, 0.75, 0.25], [2, 0], combine="mean"))
    assert [(row["restart"], row["result"]) for row in found] == [
        ("2", "averaged"), ("0", "averaged"), ("1", ""),
    ]  # fmt: skip


def test_the_greatest_evidence_is_first() -> None:
    restarts = record([-120.0, -80.5, None, -300.0], [1], "log_evidence")
    assert [row["restart"] for row in rows(restarts)] == ["1", "0", "3", "2"]
    assert spread_line(restarts) == (
        "log_evidence of 4 restarts: best -80.5, median -120, worst -300; 1 without a result"
    )


def test_a_long_table_says_how_many_are_left_out() -> None:
    found = rows(record([float(number) for number in range(25)], [0]))
    assert len(found) == 21
    assert found[-2]["restart"] == "19"
    assert found[-1]["restart"] == "5 more"
    assert len(rows(record([float(number) for number in range(20)], [0]))) == 20


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([0.5], "val.loss of 1 restart: best 0.5, median 0.5, worst 0.5"),
        ([0.5, 0.25], "val.loss of 2 restarts: best 0.25, median 0.375, worst 0.5"),
        ([0.0, 1.0, 1e-9], "val.loss of 3 restarts: best 0, median 1e-09, worst 1"),
        ([None, None], "2 restarts, none with a result"),
        ([], "0 restarts, none with a result"),
    ],
)  # fmt: skip
def test_the_spread_is_the_best_the_median_and_the_worst(
    values: list[float | None], line: str
) -> None:
    """A run of a stranger may say that no restart had a result."""
    restarts = record(values, [])
    assert spread_line(restarts) == line
    restarts_table(restarts)


def test_an_average_is_shown_beside_the_best_network() -> None:
    mean = record([0.5, 0.75, 0.25], [2, 0], combine="mean")
    assert average_line(mean, {"val.loss": 0.2}) == (
        "val.loss: 0.2 of the average, 0.25 of the best network"
    )
    assert average_line(record([0.5, 0.25], [1]), {"val.loss": 0.2}) is None
    assert average_line(mean, {"train.loss": 0.2}) is None
