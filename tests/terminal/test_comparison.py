from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from bpcli.terminal.comparison import LiveProgress, PlainProgress, comparison_table
from bpcli.terminal.console import Console
from bpcli.terminal.stream import Stream


def row(label: str, **changes: Any) -> dict[str, Any]:
    return {
        "label": label, "learning_rate": 0.5, "trainings": 1, "stop_reason": {"epochs": 1},
        "epochs": 20, "gradient_evaluations": 21.0, "loss_evaluations": 0.0, "seconds": 0.002,
        "loss": 0.125, "metric": 0.75, **changes,
    }  # fmt: skip


def cells(*rows: dict[str, Any]) -> list[dict[str, str]]:
    grid = comparison_table({"metric": "test.accuracy", "optimizers": rows})
    return [dict(zip(grid.headers, map(str, row), strict=True)) for row in grid.rows]


def test_a_row_says_what_an_optimizer_took_and_where_it_led() -> None:
    assert cells(row("sgd")) == [
        {
            "optimizer": "sgd", "learning rate": "0.5", "epochs": "20",
            "gradient evaluations": "21", "time": "2 ms", "final loss": "0.125",
            "test.accuracy": "0.75", "stop reason": "epochs",
        }
    ]  # fmt: skip


def test_losses_alone_have_a_column_where_there_are_any() -> None:
    first, second = cells(row("sgd"), row("lbfgs", loss_evaluations=33.0, learning_rate=None))
    assert (first["loss evaluations"], second["loss evaluations"]) == ("0", "33")
    assert (first["learning rate"], second["learning rate"]) == ("0.5", "-")


def test_a_schedule_is_shown_by_its_name() -> None:
    (shown,) = cells(row("sgd", learning_rate={"schedule": "cosine", "start": 0.5}))
    assert shown["learning rate"] == "cosine"


def test_counts_have_all_their_digits() -> None:
    (shown,) = cells(row("sgd", epochs=12_345_678, gradient_evaluations=1603.5))
    assert (shown["epochs"], shown["gradient evaluations"]) == ("12345678", "1603.5")


def test_several_seeds_are_counted_by_what_ended_them() -> None:
    several = row("sgd", trainings=5, stop_reason={"goal": 3, "diverged": 2})
    (shown,) = cells(several, row("adam", trainings=0, stop_reason={}))
    assert shown["stop reason"] == "goal 3, diverged 2"


def test_what_diverged_has_dashes() -> None:
    (shown,) = cells(row("sgd", loss=None, metric=None, stop_reason={"diverged": 1}))
    assert (shown["final loss"], shown["test.accuracy"]) == ("-", "-")
    assert shown["stop reason"] == "diverged"


TRIAL = SimpleNamespace(
    optimizer="sgd [x]",
    seed=3,
    stop_reason="goal",
    epochs=17,
    seconds=0.002,
    loss=0.25,
    diverged=False,
)


def epoch(number: int) -> Any:
    return SimpleNamespace(number=number)


def test_a_line_a_training_elsewhere_than_on_a_terminal() -> None:
    out = io.StringIO()
    with PlainProgress(Stream(out), 4) as progress:
        progress.on_trial_start("sgd [x]", 3, 100)
        progress.on_epoch(epoch(5), None, False)
        progress.on_trial_end(TRIAL)
        diverged = {"loss": None, "stop_reason": "diverged", "diverged": True}
        progress.on_trial_end(SimpleNamespace(**{**vars(TRIAL), **diverged}))
    assert out.getvalue().splitlines() == [
        "1 of 4: sgd [x], seed 3: epoch 17, loss 0.25, 2 ms, stop reason: goal",
        "2 of 4: sgd [x], seed 3: epoch 17, 2 ms, diverged",
    ]


def test_a_bar_says_who_trains_and_is_drawn_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    now = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    console = Console(file=out, force_terminal=True, width=100)
    with LiveProgress(console, 4) as progress:
        progress.on_trial_start("sgd [x]", 3, 100)
        for number in (5, 6, 7):
            progress.on_epoch(epoch(number), None, False)
        drawn = out.getvalue()
        now[0] += 1
        progress.on_epoch(epoch(8), None, False)
        assert "8/100" in out.getvalue()
        progress.on_trial_end(TRIAL)
    assert "sgd [x], seed 3" in drawn
    assert "5/100" in drawn
    assert "6/100" not in drawn
    assert "7/100" not in drawn
    assert "1 of 4: sgd [x], seed 3: epoch 17" in out.getvalue()
