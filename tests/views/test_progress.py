from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from systems import CONFIGS

from bpcli.build import build
from bpcli.experiment.train import train
from bpcli.spec.load import load_config
from bpcli.views.numbers import duration, shown
from bpcli.views.progress import Columns, LiveView, PlainView, row_interval


@pytest.mark.parametrize(
    ("epochs", "log_every", "interval"),
    [
        (5000, None, 250),
        (1000, None, 50),
        (7, None, 1),
        (0, None, 1),
        (5000, 200, 200),
        (333, None, 16),
    ],
)
def test_about_twenty_rows_or_as_the_log(epochs: int, log_every: int | None, interval: int) -> None:
    found = row_interval(epochs, log_every)
    assert found == pytest.approx(interval, rel=0.3)
    assert log_every is not None or epochs // found <= 30


def watched(tmp_path, kind: type, width: int, **terminal: bool) -> str:
    console = Console(file=io.StringIO(), width=width, height=40, **terminal)
    experiment = build(load_config(CONFIGS / "moons.yaml", ["training.epochs=60"]))
    columns = Columns("accuracy", has_validation=True)
    options = (60,) if kind is LiveView else ()
    with kind(console, columns, 10, *options) as view:
        train(experiment, tmp_path, view)
    return console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (40, ["epoch", "loss", "val.accuracy"]),
        (80, ["epoch", "loss", "train.accuracy", "val.loss", "val.accuracy"]),
        (130, ["epoch", "loss", "train.accuracy", "val.loss", "val.accuracy", "grad norm",
               "learning rate", "time/epoch"]),
    ],
)  # fmt: skip
def test_the_live_table_shows_whole_numbers_at_any_width(
    tmp_path, width: int, columns: list[str]
) -> None:
    text = re.sub(
        r"\x1b\[[0-9;?]*[A-Za-z]", "", watched(tmp_path, LiveView, width, force_terminal=True)
    )
    final = text[text.rindex(" epoch  ") :]
    assert re.split(r"\s{2,}", final.splitlines()[0].strip()) == columns
    assert re.search(r"^ +60 +0\.\d+ ", final, re.MULTILINE)
    assert "60/60" in final
    assert "…" not in text


def test_plain_lines_are_aligned_and_free_of_escape_codes(tmp_path) -> None:
    text = watched(tmp_path, PlainView, 200)
    lines = text[text.index("   epoch") :].splitlines()
    assert [line.split()[0] for line in lines] == ["epoch", "0", "10", "20", "30", "40", "50", "60"]
    assert len({len(line) for line in lines}) == 1
    assert "\x1b" not in text


def test_numbers_read_well() -> None:
    assert [shown(value) for value in (None, 0.0, 1234567.0, 1e-9)] == [
        "-",
        "0",
        "1.23457e+06",
        "1e-09",
    ]
    seconds = (0.0, 5e-6, 0.00123, 0.5, 12.0, 150.0, 7500.0)
    assert [duration(value) for value in seconds] == [
        "0 us", "5 us", "1.23 ms", "500 ms", "12 s", "2 min 30 s", "2 h 05 min",
    ]  # fmt: skip
