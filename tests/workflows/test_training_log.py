"""Which epochs the log has, and what of them."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise
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
from bpcli.workflows import training_log as module
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


EARLY = [*range(52), *range(52, 104, 4), *range(104, 208, 8), *range(208, 416, 16)]


@pytest.mark.parametrize(
    ("overrides", "every", "scored"),
    [
        (["training.epochs=40"], 1, 1),
        (["training.epochs=1000"], 1, 16),
        (["training.epochs=1001"], 2, 16),
        (["training.epochs=2500"], 4, 32),
        (["training.epochs=100000"], 128, 1024),
    ],
)
def test_early_epochs_have_lines_and_later_ones_at_distances_that_double(
    overrides: list[str], every: int, scored: int, tmp_path: Path, files: ExitStack
) -> None:
    log, run = log_of(tmp_path, files, *overrides)
    number = 0
    until = max(60, 14 * scored)
    while number < until:
        log.on_epoch(epoch(number), SCORES, is_last=False)
        assert not any(map(log.has_line, range(number + 1, log.next_due(number))))
        number = log.next_due(number)
    written = lines(run)

    def dense(most: int) -> list[int]:
        end = min(max(52, 13 * most), 416)
        return [*EARLY[: EARLY.index(end) if end < 416 else None], *range(end, until, most)]

    found = [line["epoch"] for line in written]
    with_metrics = [each["epoch"] for each in written if "dead_units" in each]
    if scored > 32:
        assert [each for each in with_metrics if each < 416] == EARLY
    else:
        assert (found, with_metrics) == (dense(every), dense(scored))
    assert {b - a for a, b in pairwise(found[-2:])} == {every}


def test_fixed_distances_have_no_further_lines(tmp_path: Path, files: ExitStack) -> None:
    log, run = log_of(tmp_path, files, "training.epochs=100000", "training.log_every=7")
    for number in range(71):
        log.on_epoch(epoch(number), SCORES, is_last=False)
    assert [line["epoch"] for line in lines(run)] == [*range(0, 71, 7)]
    assert [len(line.get("dead_units", [])) for line in lines(run)] == [1] * 11
    assert (log.next_due(7), log.next_due(13)) == (14, 14)


def test_a_dense_log_has_metrics_in_as_many_lines_as_others(
    tmp_path: Path, files: ExitStack
) -> None:
    """Metrics cost more than an epoch of a tiny network: of 20,000 lines, 197 have them."""
    counted = SimpleNamespace(of=0, units=0)

    def of(epoch: Any) -> dict[str, float]:
        counted.of += 1
        return SCORES.of(epoch)

    scores: Any = SimpleNamespace(of=of, units=SCORES.units)
    log, run = log_of(tmp_path, files, "training.epochs=19999", "training.log_every=1")
    for number in range(20_000):
        log.on_epoch(epoch(number), scores, is_last=number == 19_999)
    written = lines(run)
    with_metrics = [line["epoch"] for line in written if "train.accuracy" in line]
    assert (len(written), counted.of, len(with_metrics)) == (20_000, 197, 197)
    assert with_metrics[:60] == EARLY[:60]
    assert run.path(METRICS).stat().st_size < 20_000 * 160


@pytest.mark.parametrize(
    ("log_every", "metrics_every", "found", "scored"),
    [
        ("5", "10", [0, 5, 10, 15, 20, 25, 30], [0, 10, 20, 30]),
        ("10", "1", [*range(31)], [*range(31)]),
        ("10", "15", [0, 10, 15, 20, 30], [0, 15, 30]),
        ("auto", "20", [*range(31)], [0, 20]),
    ],
)
def test_metrics_may_have_distances_of_their_own(
    log_every: str, metrics_every: str, found: list[int], scored: list[int],
    tmp_path: Path, files: ExitStack,
) -> None:  # fmt: skip
    options = (f"training.log_every={log_every}", f"training.metrics_every={metrics_every}")
    log, run = log_of(tmp_path, files, "training.epochs=400", *options)
    number = 0
    while number <= 30:
        log.on_epoch(epoch(number), SCORES, is_last=False)
        assert not any(map(log.has_line, range(number + 1, log.next_due(number))))
        number = log.next_due(number)
    assert [line["epoch"] for line in lines(run)] == found
    assert [line["epoch"] for line in lines(run) if "dead_units" in line] == scored


@pytest.mark.parametrize("most", [50, 200, 1000, 100_000, 10**12])
@pytest.mark.parametrize("last", [50, 51, 52, 53, 75, 200, 1000, 30_000])
def test_fifty_epochs_have_metrics_wherever_training_stops(
    most: int, last: int, tmp_path: Path, files: ExitStack
) -> None:
    log, run = log_of(tmp_path, files, f"training.epochs={most}")
    number = 0
    while number < last:
        log.on_epoch(epoch(number), SCORES, is_last=False)
        number = log.next_due(number)
    log.on_epoch(epoch(last), SCORES, is_last=True)
    written = lines(run)
    assert sum("dead_units" in line for line in written) >= 50
    assert len(written) <= 1100 or last > most


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
    log.on_epoch(epoch(53, 2.0, mean_loss=1.5, val_loss=0.5), SCORES, is_last=False)
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


@pytest.mark.parametrize("count", [1, 8, 9, 10, 33, 100])
def test_of_very_many_lines_evenly_spaced_ones_and_the_latest_stay_in_memory(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_KEPT", 8)
    kept: Any = module._SpacedLines()
    for number in range(count):
        kept.add(number)
    *spaced, latest = kept.all
    assert latest == count - 1
    assert len(spaced) <= 8
    assert spaced[:1] in ([0], [])
    assert len({b - a for a, b in pairwise(spaced)}) <= 1
    assert spaced == [*range(count - 1)] or count > 8
