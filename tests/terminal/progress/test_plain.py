"""Plain lines for logs and pipes."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from systems import CONFIGS

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.experiment.log_epochs import SpacedEpochs
from bpcli.terminal.console import Console
from bpcli.terminal.progress import Columns, PlainView
from bpcli.terminal.stream import Stream
from bpcli.workflows.train import train


def watched(tmp_path, view_of: Callable[[io.StringIO, Columns, SpacedEpochs], Any]) -> str:
    """What a view prints of a training of 57 epochs, a row every 10."""
    file = io.StringIO()
    experiment = build(load_config(CONFIGS / "moons.yaml", ["training.epochs=57"]))
    with view_of(file, Columns("accuracy", has_validation=True), SpacedEpochs(10)) as view:
        train(experiment, tmp_path, view)
    return file.getvalue()


def test_a_dumb_terminal_has_the_columns_that_fit(tmp_path) -> None:
    def view_of(file: io.StringIO, columns: Columns, rows: SpacedEpochs) -> PlainView:
        return PlainView(Console(file=file, width=60, force_terminal=True), columns, rows)

    text = watched(tmp_path, view_of)
    header, *rows = text[text.index("   epoch") :].splitlines()
    assert header.split() == ["epoch", "loss", "val.loss", "val.accuracy"]
    assert [len(row.split()) for row in rows] == [4] * 7
    assert max(map(len, (header, *rows))) <= 60


def test_plain_lines_are_aligned_and_free_of_escape_codes(tmp_path) -> None:
    text = watched(tmp_path, lambda file, columns, rows: PlainView(Stream(file), columns, rows))
    lines = text[text.index("   epoch") :].splitlines()
    assert [line.split()[0] for line in lines] == ["epoch", "0", "10", "20", "30", "40", "50", "57"]
    assert len({len(line) for line in lines}) == 1
    assert "\x1b" not in text
