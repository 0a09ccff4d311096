"""Networks on real tables: configs/tables on the published parts, against wanted accuracies.

Each goes the way of any config (read, encode, scale, train, score); only the rows of the parts, and
the place of the file, are given here. The wanted numbers leave a little room beside published ones
(see README, "Real tables").
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from systems import trained

import bpcli.build.experiment

Index: TypeAlias = np.ndarray
GiveParts: TypeAlias = Callable[[Index, Index], None]
IS_FULL = bool(os.environ.get("BPNET_FULL"))


@pytest.fixture
def give_parts(monkeypatch: pytest.MonkeyPatch) -> GiveParts:
    """Set the rows that train and test, in the place of drawn ones."""

    def give(train: Index, test: Index) -> None:
        parts = {"train": train, "val": np.arange(0), "test": test}
        monkeypatch.setattr(bpcli.build.experiment, "split_rows", lambda *_: parts)

    return give


def score(tmp_path: Path, config: str, file: Path, metric: str, **overrides: object) -> float:
    system = trained(tmp_path, f"tables/{config}", data__file=file, **overrides)
    return system.scores("test")[metric]


def summary(name: str, found: list[float]) -> float:
    mean = float(np.mean(found))
    print(f"{name}: {mean:.4f}, from {min(found):.4f} to {max(found):.4f}")
    return mean


@pytest.mark.slow
def test_adult_in_five_folds(tmp_path: Path, shared_data: Path, give_parts: GiveParts) -> None:
    rows = np.random.default_rng(0).permutation(32_561)
    found = []
    for fold in range(5 if IS_FULL else 1):
        is_test = rows % 5 == fold
        give_parts(np.flatnonzero(~is_test), np.flatnonzero(is_test))
        file = shared_data / "csv" / "adult.csv"
        found.append(score(tmp_path, "adult", file, "accuracy", training__workers=1))
    assert summary("adult", found) >= 0.848


def test_ionosphere_on_the_published_parts(
    tmp_path: Path, shared_data: Path, give_parts: GiveParts
) -> None:
    give_parts(np.arange(200), np.arange(200, 351))
    file = shared_data / "csv" / "ionosphere.csv"
    found = [score(tmp_path, "ionosphere", file, "accuracy", seed=seed) for seed in range(10)]
    assert summary("ionosphere", found) >= 0.95


def test_abalone_in_three_classes(tmp_path: Path, shared_data: Path, give_parts: GiveParts) -> None:
    file = tmp_path / "abalone_classes.csv"
    lines = (shared_data / "csv" / "abalone.csv").read_text().splitlines()
    file.write_text("".join(map(with_age, lines)))
    give_parts(np.arange(3133), np.arange(3133, 4177))
    found = [score(tmp_path, "abalone", file, "accuracy", seed=seed) for seed in range(3)]
    assert summary("abalone", found) >= 0.65


def with_age(line: str) -> str:
    """What the awk command in abalone.yaml makes of a line."""
    rings = int(line.split(",")[8])
    return f"{line},{'young' if rings <= 8 else 'middle' if rings <= 10 else 'old'}\n"


def mean_rmse(
    tmp_path: Path, config: str, folder: Path, give_parts: GiveParts, **overrides: object
) -> float:
    """The mean over the five given splits."""
    found = []
    for split in range(5):
        give_parts(
            *(
                np.loadtxt(folder / f"index_{part}_{split}.txt").astype(np.intp)
                for part in ("train", "test")
            )
        )
        found.append(score(tmp_path, config, folder / "data.txt", "rmse", **overrides))
    return summary(config, found)


def test_red_wine_on_the_given_splits(
    tmp_path: Path, shared_data: Path, give_parts: GiveParts
) -> None:
    folder = shared_data / "uci" / "wine-quality-red"
    assert mean_rmse(tmp_path, "wine_red", folder, give_parts) <= 0.645


@pytest.mark.slow
def test_power_plant_on_the_given_splits(
    tmp_path: Path, shared_data: Path, give_parts: GiveParts
) -> None:
    folder = shared_data / "uci" / "power-plant"
    epochs, wanted = (40, 4.00) if IS_FULL else (10, 4.15)
    found = mean_rmse(tmp_path, "power_plant", folder, give_parts, training__epochs=epochs)
    assert found <= wanted
