"""A line of the log: in the file, all its numbers stand side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bpcli.errors import RunError
from bpcli.runs.metrics_log import LogLine, MetricsFile, read_log

LINE = LogLine(
    epoch=3,
    loss=0.5,
    grad_norm=2.0,
    grad_norms=[1.0, 1.5],
    diagnostics={"learning_rate": 0.1},
    seconds=0.25,
    metrics={"train.loss": 0.5, "val.accuracy": None},
    dead_units=[0, 2],
    saturated_units=[1, 0],
)


def test_a_line_is_read_as_it_was_written(tmp_path: Path) -> None:
    log = MetricsFile(tmp_path / "metrics.jsonl")
    log.append(LINE)
    log.close()
    text = (tmp_path / "metrics.jsonl").read_text()
    assert list(json.loads(text)) == [
        "epoch", "loss", "grad_norm", "grad_norms", "learning_rate", "seconds", "train.loss",
        "val.accuracy", "dead_units", "saturated_units",
    ]  # fmt: skip
    assert read_log(tmp_path / "metrics.jsonl") == [LINE]
    assert LINE.to_json() == json.loads(text)


def test_a_line_without_scores_has_no_units() -> None:
    line = LogLine(
        epoch=0, loss=1.0, grad_norm=1.0, grad_norms=[1.0], diagnostics={}, seconds=0.0, metrics={}
    )
    assert list(line.numbers()) == ["epoch", "loss", "grad_norm", "grad_norms", "seconds"]


def test_a_number_is_named_as_the_file_names_it(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(LINE.to_json() | {"learning_rate": "fast"}) + "\n")
    with pytest.raises(RunError, match=r"see its `lines\.0\.learning_rate`"):
        read_log(path)
