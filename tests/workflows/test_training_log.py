"""Which epochs the log has, and what of them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from systems import CONFIGS
from workflows.epochs import epoch

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.nn.units import UnitCounts
from bpcli.runs.checkpoint import NOTHING
from bpcli.runs.files import file_digest, strict_json
from bpcli.runs.layout import METRICS, PATH
from bpcli.runs.store import Run
from bpcli.workflows.training_log import LogSizes, TrainingLog, open_log

SCORES: Any = SimpleNamespace(
    of=lambda epoch: {"train.loss": epoch.loss, "train.accuracy": 0.5},
    units=lambda _: UnitCounts([1], [2]),
)
XOR = ["network.layers=[1, 1]", "network.activations=[sigmoid]"]  # two parameters


@pytest.fixture
def files() -> Any:
    with ExitStack() as files:
        yield files


def log_of(
    folder: Path, files: ExitStack, *overrides: str, start: Any = None
) -> tuple[TrainingLog, Run]:
    config = load_config(CONFIGS / "linear_regression.yaml", overrides)
    run = Run(folder)
    return open_log(build(config), run, start, files), run


def lines(run: Run) -> list[dict[str, Any]]:
    return [strict_json(line) for line in run.path(METRICS).read_text().splitlines()]


@pytest.mark.parametrize(
    ("overrides", "every", "scored"),
    [
        (["training.epochs=40"], 1, 1),
        (["training.epochs=1000"], 1, 20),
        (["training.epochs=1001"], 2, 20),
        (["training.epochs=2500"], 3, 48),
        (["training.epochs=100000"], 100, 2000),
        (["training.epochs=100000", "training.log_every=7"], 7, 7),
    ],
)
def test_a_thousand_lines_at_most_of_which_fifty_have_metrics(
    overrides: list[str], every: int, scored: int, tmp_path: Path, files: ExitStack
) -> None:
    log, run = log_of(tmp_path, files, *overrides)
    numbers = range(10 * scored + 1)
    for number in numbers:
        log.on_epoch(epoch(number), SCORES, is_last=False)
    written = lines(run)
    assert [line["epoch"] for line in written] == [*numbers[::every]]
    assert [each["epoch"] for each in written if "dead_units" in each] == [*numbers[::scored]]
    assert log.next_due(every) == 2 * every
    assert log.next_due(2 * every - 1) == 2 * every
    assert (log.has_line(every), log.has_line(every + 1)) == (True, every == 1)


def test_the_last_epoch_has_a_line_with_metrics_wherever_it_is(
    tmp_path: Path, files: ExitStack
) -> None:
    log, run = log_of(tmp_path, files, "training.log_every=10")
    log.on_epoch(epoch(10, 0.25, grad_norm=np.inf), SCORES, is_last=False)
    log.on_epoch(epoch(13, 0.125, val_loss=0.5), SCORES, is_last=True)
    first, last = lines(run)
    assert first["grad_norm"] is None
    assert list(last) == [
        "epoch", "loss", "grad_norm", "grad_norms", "learning_rate", "seconds",
        "train.loss", "train.accuracy", "dead_units", "saturated_units",
    ]  # fmt: skip
    assert (last["epoch"], last["loss"], last["seconds"]) == (13, 0.125, 13.0)
    assert (last["dead_units"], last["saturated_units"]) == ([1], [2])


def test_lines_without_metrics_have_the_losses_that_cost_nothing(
    tmp_path: Path, files: ExitStack
) -> None:
    log, run = log_of(tmp_path, files, "training.epochs=1000")
    log.on_epoch(epoch(1, 2.0, mean_loss=1.5, val_loss=0.5), SCORES, is_last=False)
    (line,) = lines(run)
    assert (line["train.loss"], line["val.loss"]) == (1.5, 0.5)
    assert "train.accuracy" not in line


def test_the_path_has_every_epoch(tmp_path: Path, files: ExitStack) -> None:
    log, run = log_of(tmp_path, files, "training.log_every=5", "training.record_params=true")
    assert log.next_due(0) == 1
    for number in range(3):
        log.on_epoch(epoch(number), SCORES, is_last=False)
    assert log.sizes.path_rows == 3
    digests = log.finish()
    np.testing.assert_array_equal(np.load(run.path(PATH)), [[0, 0.5], [1, 0.5], [2, 0.5]])
    assert digests == {file: file_digest(run.path(file)) for file in (METRICS, PATH)}


def test_a_checkpoint_counts_on_what_was_there_before_its_epoch(
    tmp_path: Path, files: ExitStack
) -> None:
    overrides = ("training.log_every=1", "training.record_params=true")
    log, run = log_of(tmp_path, files, *overrides)
    assert log.sizes == LogSizes(0, 0)
    log.on_epoch(epoch(0), SCORES, is_last=False)
    sizes = log.sizes
    before = log.extents(sizes)
    content = run.path(METRICS).read_bytes()
    assert sizes == LogSizes(len(content), 1)
    log.on_epoch(epoch(1), SCORES, is_last=False)
    assert log.extents(sizes) == before != log.extents(log.sizes)
    files.close()
    start = SimpleNamespace(log=before[0], path=before[1])
    resumed, _ = log_of(tmp_path, files, *overrides, start=start)
    assert (resumed.sizes, run.path(METRICS).read_bytes()) == (sizes, content)


def test_without_a_path_its_extent_is_nothing(tmp_path: Path, files: ExitStack) -> None:
    log, _ = log_of(tmp_path, files)
    assert log.extents(log.sizes)[1] == NOTHING
    assert log.finish().keys() == {METRICS}
