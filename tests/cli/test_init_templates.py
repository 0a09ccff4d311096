"""Every template that `bpnet init` lists, written, checked and trained, if only for a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpcli.config.load import load_config
from bpcli.config.templates import templates

TABLES = {path.stem for path in (Path(__file__).parents[2] / "configs/tables").glob("*.yaml")}
WITHOUT_TARGETS = {"forward_3443"}
TRAINABLE = sorted(templates().keys() - TABLES - WITHOUT_TARGETS)


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_template_trains(name: str, bpnet, tmp_path: Path) -> None:
    assert bpnet("init", name).code == 0
    short = ["--set", "training.epochs=2", "--set", "training.workers=1"]
    result = bpnet("train", f"{name}.yaml", *short, "--quiet")
    assert result.code == 0
    assert all(line.startswith("warning: ") for line in result.err.splitlines())
    assert (tmp_path / "runs" / result.out.strip() / "weights.safetensors").is_file()


@pytest.mark.parametrize("name", sorted(WITHOUT_TARGETS))
def test_a_template_without_targets_predicts(name: str, bpnet) -> None:
    bpnet("init", name)
    assert bpnet("predict", f"{name}.yaml").code == 0


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_template_for_a_table_of_ones_own_is_valid(name: str, bpnet, tmp_path: Path) -> None:
    """They train on files that do not come along: tests/systems/test_tables.py has those."""
    assert bpnet("init", name, "-o", "mine.yaml").code == 0
    assert load_config(tmp_path / "mine.yaml").notes == ()
