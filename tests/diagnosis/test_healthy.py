"""Nothing is found where nothing is wrong: in the shipped configs, and in public tables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from faults import found_in
from healthy import UNHEALTHY, Healthy, shipped, tables
from systems import CONFIGS

from bpcli.config.load import load_config
from bpcli.diagnosis import Finding
from bpcli.experiment import build

IS_FULL = bool(os.environ.get("BPNET_FULL"))
QUICK = ("counts", "gate_and", "linear_regression", "matlab_defaults", "moons", "softmax_iris")


def findings_of(healthy: Healthy, folder: Path) -> list[Finding]:
    config = load_config(CONFIGS / f"{healthy.config}.yaml", healthy.overrides)
    return found_in(build(config), folder)


def alarms(found: list[Finding]) -> list[str]:
    return [finding.kind for finding in found if finding.severity != "note"]


@pytest.mark.parametrize("healthy", [*shipped()], ids=str)
def test_nothing_is_wrong_with_a_shipped_config(healthy: Healthy, tmp_path: Path) -> None:
    if not IS_FULL and (healthy.config not in QUICK or healthy.overrides):
        pytest.skip("all of them need BPNET_FULL=1")
    assert alarms(findings_of(healthy, tmp_path)) == []


def test_nothing_is_wrong_with_public_tables(tmp_path: Path, shared_data: Path) -> None:
    chosen = [*tables(shared_data, tmp_path)]
    for number, healthy in enumerate(chosen if IS_FULL else chosen[:1]):
        found = findings_of(healthy, tmp_path / str(number))
        assert alarms(found) == [], healthy


def test_all_healthy_trainings_together_are_40_or_more(tmp_path: Path, shared_data: Path) -> None:
    assert len([*shipped()]) + len([*tables(shared_data, tmp_path)]) >= 40


def test_a_config_that_shows_a_fault_has_the_finding_of_that_fault(tmp_path: Path) -> None:
    kind, _ = UNHEALTHY["ten_layers_sigmoid"]
    found = findings_of(Healthy("ten_layers_sigmoid", ("training.epochs=60",)), tmp_path)
    assert alarms(found) == [kind]


def test_published_rows_that_repeat_are_found(tmp_path: Path, shared_data: Path) -> None:
    kind, _ = UNHEALTHY["tables/wine_red"]
    file = shared_data / "uci" / "wine-quality-red" / "data.txt"
    options = (f"data.file={file}", "data.split={test: 0.1}", "training.epochs=60")
    assert alarms(findings_of(Healthy("tables/wine_red", options), tmp_path)) == [kind]
