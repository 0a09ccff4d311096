from __future__ import annotations

import io
from typing import Any

from bpcli.terminal.console import Console
from bpcli.terminal.pruning import path_table, result_lines
from bpcli.terminal.pruning_progress import LivePathView, path_view
from bpcli.terminal.stream import Stream


def step(removed: dict[str, str] | None, saliency: float | None, loss: float) -> dict[str, Any]:
    return {
        "removed": removed, "saliency": saliency, "layers": [3, 2, 1], "n_params": 11,
        "epochs": 7, "val_loss": loss, "se": 0.02,
    }  # fmt: skip


def document(kept: int, ended: str = "complete") -> dict[str, Any]:
    return {
        "method": "surgeon", "patience": 5, "best": 0, "kept": kept, "ended": ended,
        "steps": [
            step(None, None, 0.2),
            step({"kind": "input", "name": "age"}, 1e-4, 0.21),
        ],
        "inputs": {"kept": ["a", "b"], "removed": ["age"]},
        "units": {"before": [2], "kept": [2]}, "network": "2 - 2 tanh - 1 identity",
    }  # fmt: skip


def test_a_row_says_what_was_removed_and_what_followed() -> None:
    grid, expendable = path_table(document(1))
    assert {*expendable} < {*grid.headers}
    assert grid.rows == [
        ["nothing", "", "3 - 2 - 1", "11", "0.2000 ± 0.020", "", "best"],
        ["input age", "0.00010", "3 - 2 - 1", "11", "0.2100 ± 0.020", "7", "kept"],
    ]


def test_the_sentences_say_what_is_kept_why_and_why_the_path_ended() -> None:
    removed, kept = result_lines(document(1))
    assert removed == "Inputs removed, in this order: `age`."
    assert kept == (
        "The kept network, 2 - 2 tanh - 1 identity, has 2 of 3 inputs and 2 of 2 hidden units, and "
        "11 of 11 parameters. It is the smallest network within one standard error of the best "
        "validation loss, 0.2 ± 0.02."
    )
    nothing, end = result_lines(document(0, "patience"))
    assert nothing.startswith(
        "Nothing was removed: the run already has the smallest network within"
    )
    assert end == "The path ended after 5 networks that are worse than that; --patience changes it."
    assert "diverged" in result_lines(document(0, "diverged"))[1]


def test_a_terminal_has_a_bar_and_a_pipe_has_lines() -> None:
    pipe = io.StringIO()
    with path_view(Stream(pipe), is_silent=False) as view:
        for number, each in enumerate(document(1)["steps"]):
            view.on_step(each, number, 1)
    lines = pipe.getvalue().splitlines()
    assert lines == [
        "the run: 11 parameters, val.loss 0.2 ± 0.02",
        "1: without input age: 11 parameters, val.loss 0.21 ± 0.02",
    ]
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    view = path_view(console, is_silent=False)
    assert isinstance(view, LivePathView)
    with view:
        view.on_step(document(1)["steps"][1], 1, 4)
    assert "1/4" in screen.getvalue()
    assert path_view(console, is_silent=True).on_step({}, 0, 0) is None  # type: ignore[func-returns-value]  # shows nothing
