from __future__ import annotations

import io
import math
import re
from typing import Any

import pytest
from swept import setting, sweep_document, training

from bpcli.terminal import sweep_live
from bpcli.terminal.console import Console
from bpcli.terminal.stream import Stream
from bpcli.terminal.sweep import PlainProgress, SilentProgress, summary_lines, sweep_table
from bpcli.terminal.sweep_live import LiveProgress

RATE, HIDDEN = "training.learning_rate", "hidden"


def cells(document: dict[str, Any], most: int = 10) -> list[dict[str, str]]:
    grid, _ = sweep_table(document, most)
    return [dict(zip(grid.headers, map(str, row), strict=True)) for row in grid.rows]


def three(**changes: Any) -> dict[str, Any]:
    """Three settings of three seeds each, of which the second is the best."""
    return sweep_document(
        setting(0, {RATE: 0.01, HIDDEN: [5]}, [0.5, 0.6, 0.7]),
        setting(1, {RATE: 0.1, HIDDEN: [16, 8]}, [0.1, 0.2, 0.3]),
        setting(2, {RATE: 1.0, HIDDEN: [5]}, [None, 0.8, 0.9]),
        **changes,
    )


def test_the_best_setting_is_first_with_its_values_and_its_spread() -> None:
    first, *others = cells(three())
    assert first == {
        "setting": "1", "learning_rate": "0.1", "hidden": "[16, 8]", "val.loss": "0.2000 ± 0.100",
        "test.accuracy": "0.9500 ± 0.010", "failed": "0", "epochs": "210", "time": "800 ms",
    }  # fmt: skip
    assert [row["setting"] for row in others] == ["0", "2"]
    assert [row["failed"] for row in others] == ["0", "1"]


def test_one_training_per_setting_has_no_spread() -> None:
    document = sweep_document(setting(0, {RATE: 0.1}, [0.25], test=None))
    assert cells(document) == [
        {"setting": "0", "learning_rate": "0.1", "val.loss": "0.2500", "epochs": "210",
         "time": "800 ms"}
    ]  # fmt: skip


def test_parameters_are_shown_where_they_differ() -> None:
    document = sweep_document(
        setting(0, {HIDDEN: [5]}, [0.5]), setting(1, {HIDDEN: [9]}, [0.6], n_params=99)
    )
    assert [row["parameters"] for row in cells(document)] == ["43", "99"]
    assert "parameters" not in cells(three())[0]


def test_what_halving_stopped_says_at_which_epoch() -> None:
    document = sweep_document(
        setting(0, {RATE: 0.1}, [0.5]), setting(1, {RATE: 1.0}, [0.9], stopped=50)
    )
    assert [row["stopped"] for row in cells(document)] == ["", "at epoch 50"]


def test_a_setting_that_is_not_complete_says_how_many_trainings_its_mean_is_of() -> None:
    partial = setting(1, {RATE: 1.0}, [0.9, None], failed=0)
    document = sweep_document(setting(0, {RATE: 0.1}, [0.5, 0.6]), partial)
    assert [row["trainings"] for row in cells(document)] == ["2 of 2", "1 of 2"]


def test_a_long_sweep_says_how_many_settings_are_left_out() -> None:
    document = sweep_document(*(setting(n, {RATE: n / 10}, [0.1 + n]) for n in range(15)))
    rows = cells(document, 4)
    assert [row["setting"] for row in rows] == ["0", "1", "2", "3", "11 more"]
    assert len(cells(document, 15)) == 15


@pytest.mark.parametrize("losses", [[None, None], [math.nan, math.inf]])
def test_settings_without_a_result_are_last_and_have_no_mean(losses: list[float | None]) -> None:
    mean = None if losses[0] is None else losses[0]
    failed = setting(0, {RATE: 9.0}, losses, mean=mean, sd=None)
    *_, last = cells(sweep_document(failed, setting(1, {RATE: 0.1}, [0.5, 0.6])))
    assert (last["setting"], last["val.loss"]) == ("0", "-" if mean is None else "nan")


def test_headings_are_as_short_as_they_can_be() -> None:
    values = {
        "training.optimizer.name": {"name": "adam", "beta1": 0.8}, "network.output.name": "中文",
        "training.epochs": 50, "training.l2": None,
    }  # fmt: skip
    grid, _ = sweep_table(sweep_document(setting(0, values, [0.5])))
    assert grid.headers[1:5] == ["optimizer.name", "output.name", "training.epochs", "l2"]
    assert grid.rows[0][1:5] == ["adam (beta1 0.8)", "中文", "50", "null"]
    assert [grid.is_text(index) for index in range(6)] == [False, True, True, False, True, False]


def test_a_narrow_terminal_has_the_keys_and_the_metric_last() -> None:
    grid, expendable = sweep_table(three())
    kept, left_out = grid.fitting(1, expendable)
    assert kept.headers == ["setting", "learning_rate", "hidden", "val.loss", "failed"]
    assert left_out == ["time", "epochs", "test.accuracy"]


def test_a_sentence_counts_how_the_trainings_ended() -> None:
    ranking, *others = summary_lines(three())
    assert ranking == (
        "Settings are ranked by val.loss, lowest first: mean ± standard deviation over seeds 0 to "
        "2."
    )
    assert others == [
        "9 trainings of 3 settings: 8 finished, 1 failed.",
        "Failure: setting 2, seed 0: no rows are left",
    ]
    one = sweep_document(setting(0, {RATE: 0.1}, [0.5]), greater_is_better=True)
    assert summary_lines(one) == [
        "Settings are ranked by val.loss, highest first (seed 0).",
        "1 training of 1 setting: 1 finished.",
    ]


def test_of_several_failures_the_first_is_shown_on_one_line() -> None:
    document = sweep_document(setting(0, {RATE: 0.1}, [None, None]))
    document["trainings"][0] |= {"error": "no rows\nare \x1b left " + 400 * "x"}
    *_, line = summary_lines(document)
    assert line.startswith(r"First failure: setting 0, seed 0: no rows are \x1b left xxx")
    assert len(line) < 350


def test_what_diverged_is_a_failure_without_an_error() -> None:
    document = sweep_document(setting(0, {RATE: 0.1}, [None]))
    document["trainings"][0] |= {"status": "diverged", "error": None}
    assert summary_lines(document)[-1] == "Failure: setting 0, seed 0: diverged"


@pytest.mark.parametrize(
    ("interrupted", "why"),
    [(True, "The sweep was interrupted"), (False, "The sweep is not complete")],
)
def test_what_is_missing_can_be_trained(interrupted: bool, why: str) -> None:
    document = three(interrupted=interrupted)
    document["counts"] |= {"missing": 1, "finished": 7}
    assert summary_lines(document)[1].endswith("7 finished, 1 failed, 1 missing.")
    assert summary_lines(document)[-1] == (
        f"{why}: 1 of 9 trainings is missing. Train what is missing with --resume."
    )


def test_a_pipe_has_a_line_per_training_that_ended() -> None:
    out = io.StringIO()
    document = three()
    document["counts"] |= {"finished": 4, "missing": 4}
    with PlainProgress(Stream(out)) as progress:
        progress.on_start(document, 2)
        progress.on_training_start(training(1, 1))
        progress.tick()
        for each in (
            training(1, 1, 0.123),
            training(1, 1, 0.5, fold=2, status="stopped", stop_reason="halving"),
            training(1, 1, status="failed", error="no\nrows"),
            training(1, 1, 0.5, status="diverged", value=None),
        ):
            progress.on_training_end(each, document)
        progress.on_stop(1)
    stopping = (
        "Interrupted: 1 training that is running will be saved first. Interrupt again to stop at "
        "once."
    )
    assert out.getvalue().splitlines() == [
        "9 trainings of 3 settings, 2 at a time; 5 ended before",
        "5 of 9: setting 1, seed 1: val.loss 0.123, epoch 210, 800 ms, stop reason: epochs",
        "5 of 9: setting 1, seed 1, fold 2: val.loss 0.5, epoch 210, 800 ms, paused by halving",
        "5 of 9: setting 1, seed 1: failed: no rows",
        "5 of 9: setting 1, seed 1: epoch 210, 800 ms, diverged",
        stopping,
    ]


def test_with_json_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with SilentProgress() as progress:
        progress.on_start(three(), 2)
        progress.on_training_end(training(1, 1, 0.123), three())
        progress.tick()
    assert capsys.readouterr() == ("", "")


class Live:
    """A live view on a terminal of a size, with a clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, width: int, height: int = 24) -> None:
        self.now = 100.0
        monkeypatch.setattr(sweep_live, "clock", lambda: self.now)
        self.console = Console(
            file=io.StringIO(), width=width, height=height, force_terminal=True, _environ={}
        )
        self.view = LiveProgress(self.console)

    def frame(self, after: float) -> list[str]:
        """The lines of what is drawn when the clock has moved on."""
        already = len(self.text)
        self.now += after
        self.view.tick()
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.text[already:]).replace("\r", "")
        return plain.splitlines()

    @property
    def text(self) -> str:
        return str(self.console.file.getvalue())  # type: ignore[attr-defined]  # a StringIO


def many() -> dict[str, Any]:
    """Eight settings of which half of the trainings have ended."""
    document = sweep_document(
        *(setting(n, {RATE: (n + 1) / 10, HIDDEN: [n]}, [0.1 + n, 0.2 + n]) for n in range(8))
    )
    document["counts"] |= {"finished": 7, "failed": 1, "missing": 8}
    return document


def test_a_terminal_shows_the_best_settings_and_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    live = Live(monkeypatch, 100)
    with live.view as view:
        view.on_start(many(), 2)
        for seed in (0, 1):
            view.on_training_start(training(7, seed))
        live.now += 30
        view.on_training_end(training(7, 0, 7.1), many())
        view.on_training_start(training(6, 1))
        header, _, *rows, _, running, bar = live.frame(10)
        assert live.frame(0.1) == [], "it is too early for the next drawing"
        assert live.frame(0.2) != []
    assert header.split() == ["setting", "learning_rate", "hidden", "val.loss", "test.accuracy",
                              "epochs", "time"]  # fmt: skip
    assert [row.split()[0] for row in rows] == ["0", "1", "2", "3", "4"]
    assert running == "running: setting 7, seed 1; setting 6, seed 1"
    # 30 s each: 6 wait, one has run for 40 s and one for 10 s, on two processes: (180 + 20) / 2.
    assert re.fullmatch(r"8 of 16 ━+─+ 1 failed, 2 running, 100 s left", bar)
    assert len(bar) == 98, "there is room for ^Z or ^C behind it"


@pytest.mark.parametrize(
    ("width", "ending"),
    [(60, " 1 failed, 9 running"), (37, " 1 failed"), (24, "")],
)
def test_the_bar_fits_every_terminal(
    monkeypatch: pytest.MonkeyPatch, width: int, ending: str
) -> None:
    live = Live(monkeypatch, width)
    with live.view as view:
        view.on_start(many(), 2)
        for number in range(9):
            view.on_training_start(training(number, 0))
        *_, running, bar = live.frame(1)
    assert max(len(running), len(bar)) <= width
    assert "more" in running
    assert re.fullmatch(f"8 of 16 [━─]{{10,}}{ending}", bar)


def test_a_short_terminal_has_only_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    live = Live(monkeypatch, 80, height=5)
    with live.view as view:
        view.on_start(many(), 2)
        assert len(live.frame(1)) == 2


def test_failures_have_lines_of_their_own_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    live = Live(monkeypatch, 100)
    with live.view as view:
        view.on_start(many(), 2)
        view.on_training_end(training(7, 0, status="failed", error="no rows"), many())
        view.on_training_end(training(7, 1, 0.3), many())
    assert "8 of 16: setting 7, seed 0: failed: no rows" in live.text
    assert "setting 7, seed 1" not in live.text


def test_a_terminal_that_cannot_redraw_has_the_plain_lines() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, _environ={"TERM": "dumb"})
    with LiveProgress(console) as view:
        view.on_start(many(), 2)
        view.on_training_end(training(7, 1, 0.25), many())
        view.tick()
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]  # a StringIO
        "16 trainings of 8 settings, 2 at a time; 8 ended before",
        "8 of 16: setting 7, seed 1: val.loss 0.25, epoch 210, 800 ms, stop reason:",
        "epochs",
    ]
