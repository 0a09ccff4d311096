"""Where `--profile` says that time goes, measured: not part of the test run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.workflows.profile import profile

pytestmark = pytest.mark.benchmark

MOONS = Path(__file__).parents[2] / "configs" / "moons.yaml"


def share_of_products(units: int) -> float:
    """Of the time of an epoch, with so many units in each of two hidden layers."""
    overrides = [f"network.layers=[2, {units}, {units}, 1]", "data.n_samples=1200"]
    record = {"epochs": 4, "seconds": 0.5, "watching_seconds": 0.1}
    parts = profile(build(load_config(MOONS, overrides)), record)["seconds_per_epoch"]
    return parts["matrix products"] / sum(parts.values())


def test_products_outweigh_the_rest_where_layers_are_wide() -> None:
    assert share_of_products(600) > 0.5
    assert share_of_products(2) < 0.5
