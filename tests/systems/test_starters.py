"""Starter configs beat the constant baseline and are, on average, as good as scikit-learn's MLP."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.mixed_tables import DRAWN, real_tables
from benchmarks.starters import drawn_tables, scores, trained

SEEDS = 5

REAL = ("adult", "wine", "abalone", "iris")


def beats_the_constant(frame, folder: Path) -> bool:
    """By the loss that training lowers: accuracy says little where a class is rare."""
    _, record = trained(frame, folder, seed=0)
    metric = "test.log_loss" if record.task == "classification" else "test.rmse"
    ours, (constant, *_) = record.metrics[metric], record.baselines.values()
    return ours < 0.95 * constant[metric] and not record.warnings


@pytest.mark.parametrize("name", REAL)
def test_a_real_table_is_learned(name: str, shared_data: Path, tmp_path: Path) -> None:
    assert beats_the_constant(real_tables(shared_data / "csv")[name], tmp_path)


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawn_table_is_learned(name: str, tmp_path: Path) -> None:
    assert beats_the_constant(drawn_tables()[name], tmp_path)


@pytest.mark.skipif(not os.environ.get("BPNET_FULL"), reason="takes minutes: set BPNET_FULL")
def test_the_mean_score_is_no_worse_than_scikit_learns(shared_data: Path, tmp_path: Path) -> None:
    tables = real_tables(shared_data / "csv") | drawn_tables()
    found = [scores(frame, tmp_path, seed) for frame in tables.values() for seed in range(SEEDS)]
    assert np.mean([each.ours for each in found]) >= np.mean([each.peer for each in found])
