"""What the log is expected to cost, beside what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from systems import CONFIGS

from bpcli.config.load import load_config
from bpcli.experiment import Experiment, build
from bpcli.runs.layout import METRICS
from bpcli.terminal.progress import SilentView
from bpcli.workflows.beginning import Beginning
from bpcli.workflows.log_cost import log_cost
from bpcli.workflows.train import train


def experiment_of(config: str, *overrides: str) -> Experiment:
    return build(load_config(CONFIGS / f"{config}.yaml", overrides))


@pytest.mark.parametrize(
    ("config", "overrides"),
    [
        ("xor", ["training.epochs=3000"]),
        ("xor", ["training.epochs=400", "training.log_every=1"]),
        ("moons", ["training.epochs=300", "training.stop={}", "training.log_every=2"]),
        ("moons", ["training.epochs=300", "training.stop={}", "training.metrics_every=1"]),
        ("softmax_iris", ["training.epochs=40", "training.optimizer=scaled_conjugate_gradient",
                          "training.learning_rate=null", "training.stop={}"]),
    ],
)  # fmt: skip
def test_lines_and_bytes_are_about_those_of_the_log(
    config: str, overrides: list[str], tmp_path: Path
) -> None:
    experiment = experiment_of(config, *overrides)
    cost = log_cost(experiment)
    run = train(experiment, tmp_path, SilentView()).run
    lines = run.path(METRICS).read_text().splitlines()
    assert cost.lines == pytest.approx(len(lines), abs=1)
    scored = sum("dead_units" in line for line in lines)
    assert cost.lines_with_metrics == pytest.approx(scored, abs=1)
    assert cost.bytes == pytest.approx(run.path(METRICS).stat().st_size, rel=0.15)


@pytest.mark.parametrize(
    ("config", "overrides", "warned"),
    [
        ("xor", [], ""),
        ("xor", ["training.epochs=100000000"], ""),
        ("xor", ["training.epochs=10000", "training.log_every=1"], ""),
        (
            "xor",
            ["training.epochs=200000", "training.log_every=1"],
            "about 10 s (86 % of",
        ),
        ("xor", ["training.epochs=500000", "training.log_every=1"], "500,001 lines, 111 MiB"),
        ("digits", ["training.epochs=200000", "training.log_every=1"], ""),
        ("digits", ["training.epochs=600000", "training.log_every=1"], "600,001 lines"),
        ("xor", ["training.epochs=100000", "training.metrics_every=1"], "about 30 s"),
    ],
)
def test_a_log_that_is_large_or_takes_longer_than_the_epochs_is_warned_of(
    config: str, overrides: list[str], warned: str
) -> None:
    experiment = experiment_of(config, *overrides)
    warning = log_cost(experiment).warning or ""
    assert warned in warning
    assert bool(warning) == bool(warned)
    assert (warning in Beginning(experiment).warnings) == bool(warned)
