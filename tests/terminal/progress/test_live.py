from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from strangers import is_harmless
from systems import CONFIGS
from tampered import a_record

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.experiment.log_epochs import SpacedEpochs
from bpcli.nn.units import UnitCounts
from bpcli.terminal.console import Console
from bpcli.terminal.progress import Columns, Rows, live
from bpcli.terminal.progress.live import LiveView, has_second_screen
from bpcli.training.stopping import Best, Stopping, StopRules
from bpcli.workflows.train import train

ENTER, LEAVE, HOME = "\x1b[?1049h", "\x1b[?1049l", "\x1b[H"
RECORD = a_record(
    run_id="a-run",
    layers=[{"inputs": 2, "units": 4, "bias": "trained", "activation": {"name": "tanh"}},
            {"inputs": 4, "units": 1, "bias": "trained", "activation": {"name": "tanh"}}],
)  # fmt: skip


def terminal(width: int, height: int, **options: object) -> Console:
    return Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, _environ={}, **options
    )


def written(console: Console) -> str:
    return str(console.file.getvalue())  # type: ignore[attr-defined]  # a StringIO


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(live, "clock", clock)
    return clock


class Training:
    """Shows a view the epochs of a training, each a thousandth of a second long."""

    def __init__(self, view: LiveView, clock: Clock, epochs: int) -> None:
        self.view, self.clock = view, clock
        view.on_start(RECORD, Stopping(StopRules(epochs), Best()))

    def see(self, number: int, *, is_last: bool = False, seconds: float | None = None) -> None:
        loss = 10 ** (-number / 1000)
        epoch = SimpleNamespace(
            number=number, seconds=number / 1000 if seconds is None else seconds, loss=loss,
            mean_loss=loss, val_loss=None, grad_norm=loss, grad_norms=[loss, loss],
            diagnostics={"learning_rate": 1.0}, is_evaluated=True,
        )  # fmt: skip
        scores = SimpleNamespace(
            of=lambda _: {"train.accuracy": 0.5}, units=lambda _: UnitCounts([1, 0], [0, 0])
        )
        self.clock.now = 100 + number / 1000
        self.view.on_epoch(epoch, scores, is_last)


def view_on(console: Console, epochs: int) -> LiveView:
    return LiveView(console, Columns("accuracy", False), Rows(epochs), epochs, False)


def test_frames_are_on_the_second_screen_and_the_summary_is_on_the_first(clock: Clock) -> None:
    console = terminal(80, 24)
    with view_on(console, 5000) as view:
        training = Training(view, clock, 5000)
        for number in range(0, 5000, 10):
            training.see(number)
        training.see(5000, is_last=True)
    before, _, rest = written(console).partition(ENTER)
    screen, _, after = rest.partition(LEAVE)
    assert "a-run" in before
    assert ENTER not in rest
    frames = screen.split(HOME)[2:]  # entering goes home, too
    assert 40 <= len(frames) <= 47  # 4.7 s, at 10 Hz at most
    for frame in map(plain, frames):
        lines = frame.split("\n")
        assert len(lines) == 24
        assert {len(line) for line in lines} == {80}
        assert re.match(r"epoch \d+/5000 ━*─* 1,000 epochs/s, \d+ s left *$", lines[-1])
    summary = plain(after).splitlines()
    assert len(summary) <= 20
    assert "5000 epochs in 5 s, 1,000 epochs/s" in summary
    assert sum(line.startswith("      5000 ") for line in summary) == 1
    assert not re.search(r"\x1b\[\d*[ABJK]", after + before)  # nothing is moved or erased


def test_a_terminal_may_be_resized_between_two_drawings(clock: Clock) -> None:
    console = terminal(80, 24)
    with view_on(console, 5000) as view:
        training = Training(view, clock, 5000)
        training.see(0)
        for number, size in ((1000, (80, 24)), (2000, (40, 10)), (3000, (200, 50)), (4000, (5, 2))):
            console.size = size  # type: ignore[assignment]  # rich takes a pair
            training.see(number)
            lines = plain(written(console).split(HOME)[-1]).split("\n")
            assert (len(lines[0]), len(lines)) == size


def test_a_training_of_a_moment_never_leaves_the_first_screen(clock: Clock) -> None:
    console = terminal(80, 24)
    with view_on(console, 200) as view:
        training = Training(view, clock, 200)
        for number in range(200):
            training.see(number)
        training.see(200, is_last=True)
    assert ENTER not in written(console)
    assert "200 epochs in 200 ms, 1,000 epochs/s" in written(console)


def test_slow_epochs_are_drawn_from_the_first_on(clock: Clock) -> None:
    console = terminal(80, 24)
    with view_on(console, 200) as view:
        Training(view, clock, 200).see(0, seconds=0.5)
        assert "epoch 0/200" in written(console).partition(ENTER)[2]


def test_slow_drawings_become_seldom(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> list:
        clock.now += 0.03
        return []

    monkeypatch.setattr(live, "draw_frame", slow)
    console = terminal(80, 24)
    with view_on(console, 20_000) as view:
        training = Training(view, clock, 20_000)
        for number in range(0, 20_000, 10):
            training.see(number)
    # a few at once, and then one in four seconds
    assert 5 <= written(console).count(HOME) - 1 <= 20 * live._SHARE_OF_THE_TIME / 0.03 + 4


def test_one_drawing_that_took_long_does_not_hold_up_the_next(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> list:
        clock.now += 10 if 101 < clock.now < 101.2 else 0
        return []

    monkeypatch.setattr(live, "draw_frame", interrupted)
    console = terminal(80, 24)
    with view_on(console, 20_000) as view:
        training = Training(view, clock, 20_000)
        for number in range(0, 20_000, 10):
            training.see(number)
    assert written(console).count(HOME) > 80


def test_an_interrupt_gives_the_first_screen_back(clock: Clock) -> None:
    console = terminal(80, 24)
    view = view_on(console, 5000)
    training = Training(view, clock, 5000)
    training.see(0)
    training.see(2000)
    view.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    rest = written(console).partition(LEAVE)[2]
    assert rest.startswith("\x1b[?25h")  # the cursor is back
    assert "2000 epochs" in rest


def test_without_colour_nothing_is_coloured(clock: Clock) -> None:
    console = terminal(80, 24, no_color=True)
    with view_on(console, 5000) as view:
        training = Training(view, clock, 5000)
        training.see(0)
        training.see(1000)
    assert "⠤⠤ train" in written(console)
    assert not re.search(r"\x1b\[(\d+;)*3\d", written(console))


@pytest.mark.parametrize(("width", "height"), [(40, 10), (80, 24), (200, 50)])
def test_a_real_training_ends_with_its_last_epoch_in_the_summary(
    tmp_path: Path, width: int, height: int
) -> None:
    console = terminal(width, height)
    experiment = build(load_config(CONFIGS / "moons.yaml", ["training.epochs=57"]))
    columns, rows = Columns("accuracy", has_validation=True), SpacedEpochs(10)
    with LiveView(console, columns, rows, 57, has_validation=True) as view:
        outcome = train(experiment, tmp_path, view)
    # of a training that was slow, without its frames
    lines = plain(written(console).rpartition(LEAVE)[2]).splitlines()
    (last,) = [line.split() for line in lines if re.match(r" +57 ", line)]
    assert last[1] == f"{outcome.run.metrics()[-1].loss:.6g}"
    assert any(line.startswith("57 epochs in ") for line in lines)
    assert max(map(len, lines)) <= width
    if height > 10:
        legend = "mean loss (log axis)   ⠤⠤ train   o validation   ◆ best 0.0140606 at epoch 57"
        assert legend in lines
        assert lines[-7].split()[:1] == ["epoch"]


@pytest.mark.parametrize(("term", "expected"), [("dumb", False), ("linux", False), ("xterm", True)])
def test_a_dumb_terminal_has_no_second_screen(
    term: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    console = Console(file=io.StringIO(), force_terminal=True)
    assert has_second_screen(console) is expected


def test_a_name_does_not_steer_the_second_screen(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    odd = {"run_id": "a\x1b[31m\x9b\nrun", "loss": "\x1b]0;mse\x07"}
    monkeypatch.setitem(globals(), "RECORD", replace(RECORD, **odd))
    console = terminal(120, 24, color_system=None)
    view = LiveView(console, Columns(None, False), Rows(1000), 1000, False)
    with view:
        training = Training(view, clock, 1000)
        for number in range(1, 500):
            training.see(number)
    shown = written(console)
    assert r"a\x1b[31m\x9b\x0arun: 2 - 4 tanh" in shown
    assert is_harmless(plain(shown).replace("\r", ""))
