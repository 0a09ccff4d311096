from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tampered import a_record

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.workflows.profile import profile

CONFIGS = Path(__file__).parents[2] / "configs"
RECORD = replace(a_record(), epochs=4, seconds=0.5, watching_seconds=0.1)


@pytest.mark.parametrize("batch_size", ["full", "32"])
def test_the_parts_of_an_epoch_add_up(batch_size: str) -> None:
    config = load_config(CONFIGS / "moons.yaml", [f"training.batch_size={batch_size}"])
    found = profile(build(config), RECORD)
    parts = found["seconds_per_epoch"]
    assert sum(parts.values()) == pytest.approx(found["alone"])
    assert all(seconds > 0 for name, seconds in parts.items() if "functions" in name)
    assert found["trained"] == pytest.approx(0.4 / 4)
    assert found["log_and_view"] == pytest.approx(0.1 / 4)


@pytest.mark.parametrize(("solver", "kind"), [("direct", "matrix"), ("cg", "products")])
def test_the_gauss_newton_matrix_is_a_part_of_its_own(solver: str, kind: str) -> None:
    optimizer = f"training.optimizer={{name: levenberg_marquardt, solver: {solver}}}"
    found = profile(build(load_config(CONFIGS / "moons.yaml", [optimizer, "loss=mse"])), RECORD)
    parts = found["seconds_per_epoch"]
    assert set(parts) == {f"Gauss-Newton {kind}", "losses and gradients", "optimizer"}
    assert sum(parts.values()) == pytest.approx(found["alone"])
    assert min(parts.values()) > 0


def test_the_command_line_shows_it(bpnet) -> None:
    result = bpnet("train", CONFIGS / "xor.yaml", "--profile", "--set", "training.epochs=20")
    assert "matrix products" in result.out
    assert "in this training, 1 worker" in result.out
    result = bpnet(
        "train", CONFIGS / "xor.yaml", "--profile", "--json", "--set", "training.epochs=20"
    )
    assert json.loads(result.out)["profile"]["alone"] > 0
