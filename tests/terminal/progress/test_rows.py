from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from systems import CONFIGS
from tampered import a_record

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.experiment.log_epochs import LogEpochs
from bpcli.terminal.console import Console
from bpcli.terminal.grid import Grid
from bpcli.terminal.progress import Columns, Rows
from bpcli.terminal.progress.choice import view_of
from bpcli.terminal.scores import scores_tables
from bpcli.terminal.stream import Stream


@pytest.mark.parametrize("epochs", [1, 7, 333, 1000, 5000, 123_456])
def test_about_twenty_rows_and_the_first_few_epochs(epochs: int) -> None:
    rows = Rows(epochs)
    shown = [epoch for epoch in range(epochs + 1) if epoch in rows]
    assert shown[:3] == [0, 1, 2][: epochs + 1]
    assert min(epochs, 20) <= len(shown) <= 45


@pytest.mark.parametrize(("every", "rows"), [(200, 26), (1, 170)])
def test_rows_are_the_lines_of_a_log_with_metrics_where_it_was_asked_for(
    every: int, rows: int
) -> None:
    overrides = ["training.epochs=5000", f"training.log_every={every}"]
    experiment = build(load_config(CONFIGS / "moons.yaml", overrides))
    stream = io.StringIO()
    view = view_of(experiment, Stream(stream), is_silent=False)
    due, epochs = 0, [0]
    while (due := view.next_due(due)) <= 5000:
        epochs.append(due)
    assert len(epochs) == rows
    assert all(epoch % every == 0 for epoch in epochs)
    log = LogEpochs(experiment.spec.training)
    assert epochs == [epoch for epoch in range(5001) if epoch in log.metrics]


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (40, ["epoch", "loss", "val.accuracy"]),
        (80, ["epoch", "loss", "train.accuracy", "val.loss", "val.accuracy"]),
        (130, ["epoch", "loss", "train.accuracy", "val.loss", "val.accuracy", "grad norm",
               "learning rate", "time/epoch"]),
    ],
)  # fmt: skip
def test_the_least_needed_columns_are_left_out_first(width: int, names: list[str]) -> None:
    columns = Columns("accuracy", has_validation=True)
    assert [columns.names[place] for place in columns.that_fit(width)] == names


def test_the_pace_is_the_mean_since_the_row_before() -> None:
    columns = Columns("accuracy", has_validation=False)

    def pace(number: int, seconds: float) -> str:
        figures = {"loss": 1.0, "grad_norm": 1.0, "diagnostics": {"learning_rate": 1.0}}
        return columns.row(SimpleNamespace(number=number, seconds=seconds, **figures), {})[-1]

    assert [pace(0, 0.5), pace(10, 10.5), pace(30, 70.5)] == ["-", "1 s", "3 s"]


def test_baselines_stand_beside_the_split_they_belong_to() -> None:
    document = {
        "metrics": {"train.loss": 1.0, "val.loss": 2.0, "val.rmse": 5.0},
        "baselines": {"constant": {"train.rmse": 3.0, "val.rmse": 4.0}},
    }
    (table,) = scores_tables(a_record(targets_scaled=True), document)
    assert table.headers == ["metric", "train", "val", "constant (val)"]
    assert table.rows == [["mean loss (scaled)", "1", "2", "-"], ["rmse", "-", "5", "4"]]


def test_a_grid_that_is_too_wide_loses_what_is_expendable_and_then_runs_over() -> None:
    grid = Grid(["name", "first", "second"])
    grid.add_row("x" * 10, "1" * 12, "2" * 12)
    for width, left_out in ((60, []), (30, ["first"]), (15, ["first"])):
        console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
        assert console.show(grid, ["first"]) == left_out
        text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
        assert "2" * 12 in text
        assert ("1" * 12 in text) == (not left_out)
