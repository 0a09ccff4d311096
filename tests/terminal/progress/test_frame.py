from __future__ import annotations

import re

import pytest

from bpcli.nn.units import UnitCounts
from bpcli.terminal.progress import Columns
from bpcli.terminal.progress.curve import Glyphs
from bpcli.terminal.progress.frame import ViewState, draw_frame, summary
from bpcli.terminal.progress.history import History
from bpcli.training.stopping import Best, Stopping, StopRules

UNICODE, ASCII = Glyphs.of_encoding("utf-8"), Glyphs.of_encoding("ascii")


class _Epoch:
    """10^(-number / 500), trained for a thousandth of a second an epoch."""

    def __init__(self, number: int) -> None:
        self.number, self.seconds = number, number / 1000
        self.loss = self.mean_loss = 10 ** (-number / 500)
        self.val_loss = 2 * self.loss
        self.grad_norm, self.diagnostics = self.loss, {"learning_rate": 0.5}


def seen_after(epochs: int, layers: int = 2, **rules: float) -> ViewState:
    """A training with a row every 50 of 2,000 epochs, of which so many are over."""
    best = Best()
    state = ViewState(
        title="a-run: 2 - 16 tanh - 1 sigmoid, mse",
        columns=Columns("accuracy", has_validation=True),
        epochs=2000,
        units=[16] * (layers - 1) + [1],
        stopping=Stopping(StopRules(2000, **rules), best),
        history=History(has_validation=True),
    )
    for number in range(0, epochs + 1, 10):
        epoch = _Epoch(number)
        state.history.add(epoch)
        state.speed.update(epoch)
        state.number, state.seconds = number, epoch.seconds
        row = state.columns.row(epoch, {"train.accuracy": 0.5, "val.loss": epoch.val_loss})
        if number % 50 == 0:
            state.add_row(row)
        else:
            state.now = row
    best.number, best.val_loss = 800, 0.03125
    for rule in state.stopping.criteria:
        rule.now = 12.0
    state.grad_norm, state.grad_norms = 0.01234, [10.0**-number for number in range(layers)]
    state.counts = UnitCounts([3] + [0] * (layers - 1), [0] * (layers - 1) + [1])
    return state


def texts(lines: list) -> list[str]:
    return ["".join(piece.text for piece in line) for line in lines]


def test_a_count_of_a_stop_rule_has_all_its_digits() -> None:
    state = seen_after(980, max_fail=100_000, goal=1e-3)
    for rule in state.stopping.criteria:
        rule.now = {"goal": 0.0123456, "max_fail": 21088}.get(rule.name)
    shown = "\n".join(texts(draw_frame(state, 80, 24, UNICODE)))
    assert "goal        0.01235 <= 0.001     loss" in shown
    assert "max_fail      21088 >= 100000    epochs since" in shown


def test_a_terminal_of_24_lines_shows_everything() -> None:
    lines = texts(draw_frame(seen_after(980, max_fail=300, goal=1e-3), 80, 24, UNICODE))
    assert [line.rstrip() for line in lines] == [
        "a-run: 2 - 16 tanh - 1 sigmoid, mse",
        "mean loss (log axis)   ⠤⠤ train   o validation   ◆ best 0.03125 at epoch 800",
        "         │o o o",
        "       1 ┤⠙⠒⠒⠲⠤⠤o⣀o o o o o",
        "         │        ⠈⠉⠉⠓⠒⠲⠤⠤⢤⣀o⡀o o o o o",
        "         │                   ⠉⠉⠙⠒⠒⠦⠤⠤⣄⣀⣀o o o o o",
        "     0.1 ┤                             ⠈⠉⠉⠓⠒⠲⠤⠤⣄⣀⣀o o o o o o",
        "         │                                        ⠉⠉⠙⠒⠒⠦⠤⢤⣀⣀⡀ o o o o o o",
        "         │                                                  ⠉⠉⠉⠓⠒⠲⠤◆⣄⣀⣀   o o o",
        "         │                                                            ⠈⠉⠉⠓⠒⠒⠦⠤⢤⣀",
        "         └┬─────────────┬─────────────┬─────────────┬─────────────┬─────────────",
        "   epoch  0            200           400           600           800",
        "layer        all      1      2",
        "gradient   0.012    1.0   0.10",
        "dead        3/17   3/16    0/1",
        "saturated   1/17   0/16    1/1",
        "goal             12 <= 0.001     loss",
        "max_fail         12 >= 300       epochs since the best validation loss",
        "     epoch          loss   train.accuracy      val.loss   val.accuracy",
        "         0             1              0.5             2              -",
        "       900     0.0158489              0.5     0.0316979              -",
        "       950     0.0125893              0.5     0.0251785              -",
        "       980     0.0109648              0.5     0.0219296              -",
        "epoch 980/2000 ━━━━━━━━━━━━━━━━━━━━──────────────────── 1,000 epochs/s, 1 s left",
    ]


@pytest.mark.parametrize(
    ("width", "legend"),
    [
        (76, "mean loss (log axis)   ** train   o validation   # best 0.03125 at epoch 800"),
        (75, "mean loss   ** train   o validation   # best 0.03125 at epoch 800"),
        (60, "mean loss   ** train   o validation   # best at epoch 800"),
        (56, "mean loss (log axis)   ** train   o validation"),
        (24, "mean loss   ** train   o validation"),
    ],
)
def test_the_legend_has_what_fits(width: int, legend: str) -> None:
    lines = texts(draw_frame(seen_after(980), width, 24, ASCII))
    assert lines[1] == legend


@pytest.mark.parametrize(
    ("width", "title"),
    [
        (40, "a-run: 2 - 16 tanh - 1 sigmoid, mse"),
        (34, "a-run: 2 - 16 tanh - 1 sigmoid"),
        (29, "a-run"),
    ],
)
def test_a_title_that_is_too_long_ends_between_its_parts(width: int, title: str) -> None:
    assert texts(draw_frame(seen_after(980), width, 24, ASCII))[0] == title


@pytest.mark.parametrize(
    ("width", "ending"), [(60, " 1,000 epochs/s, 1 s left"), (40, " 1 s left"), (25, "")]
)
def test_the_bar_says_what_fits_beside_it(width: int, ending: str) -> None:
    bar = texts(draw_frame(seen_after(980), width, 24, ASCII))[-1]
    assert re.fullmatch(f"epoch 980/2000 =+-+{ending}", bar)
    assert len(bar) == width


def test_layers_that_do_not_fit_are_left_out_in_the_middle() -> None:
    lines = texts(draw_frame(seen_after(100, layers=40), 60, 14, ASCII))
    start = next(number for number, line in enumerate(lines) if line.startswith("layer"))
    assert lines[start : start + 4] == [
        "layer       all     1     2   ...    37    38    39    40",
        "gradient   0.01     1   0.1   ... 1e-36 1e-37 1e-38 1e-39",
        "dead      3/625  3/16  0/16   ...  0/16  0/16  0/16   0/1",
        "saturated 1/625  0/16  0/16   ...  0/16  0/16  0/16   1/1",
    ]


def test_norms_of_every_size_stand_apart() -> None:
    state = seen_after(100)
    state.grad_norm, state.grad_norms = 8.74e-10, [1.6e-14, 1e-100]
    lines = texts(draw_frame(state, 80, 24, ASCII))
    assert "gradient   9e-10  2e-14 1e-100" in lines
    narrow = seen_after(100, layers=10)
    narrow.grad_norms = [1e-100] * 10
    (line,) = [each for each in texts(draw_frame(narrow, 75, 24, ASCII)) if "gradient" in each]
    assert line.split()[2:] == ["1e-100"] * 3 + ["..."] + ["1e-100"] * 4


def test_ten_layers_fit_on_80_columns() -> None:
    assert "..." not in "".join(texts(draw_frame(seen_after(100, layers=10), 80, 24, ASCII)))


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("epochs", [0, 50, 2000])
@pytest.mark.parametrize("layers", [1, 10, 40])
@pytest.mark.parametrize(
    ("width", "height"),
    [(1, 1), (5, 2), (10, 4), (24, 8), (40, 10), (41, 12), (80, 24), (80, 7), (200, 50), (300, 9)],
)
def test_the_frame_fills_the_terminal_and_never_more(
    width: int, height: int, layers: int, epochs: int, glyphs: Glyphs
) -> None:
    state = seen_after(epochs, layers, max_fail=300)
    lines = draw_frame(state, width, height, glyphs)
    assert len(lines) <= height
    assert (len(lines) == height) or height < 10 or epochs < 50
    assert f"epoch {epochs}/2000" in texts(lines)[-1]
    assert len(summary(state, width, height, glyphs)) <= max(10, min(height, 20))
    if width >= 80:
        assert max(len(text) for text in texts(lines)) <= width
    if glyphs is ASCII:
        assert "".join(texts(lines)).isascii()
