"""Every template that `bpnet init` lists, written, checked and trained, if only for a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpcli.config.load import load_config
from bpcli.config.templates import template_text, templates

TABLES = {path.stem for path in (Path(__file__).parents[2] / "configs/tables").glob("*.yaml")}
WITHOUT_TARGETS = {"forward_3443"}
TRAINABLE = sorted(templates().keys() - TABLES - WITHOUT_TARGETS)


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_template_trains(name: str, bpnet, tmp_path: Path) -> None:
    assert bpnet("init", name).code == 0
    short = ["--set", "training.epochs=2", "--set", "training.workers=1"]
    result = bpnet("train", f"{name}.yaml", *short, "--quiet")
    assert (result.code, result.err) == (0, "")
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


def test_what_is_there_stays_as_it_is(bpnet, tmp_path: Path) -> None:
    (tmp_path / "xor.yaml").symlink_to("nowhere.yaml")
    assert "--force overwrites it" in bpnet("init", "xor").err
    assert not (tmp_path / "nowhere.yaml").exists()
    assert bpnet("init", "xor", "-o", "no/such/folder.yaml").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["xor.yaml"]


def test_a_config_that_cannot_be_written_whole_is_not_begun(
    bpnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xor.yaml").write_text("mine")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bpcli.runs.files.os.fsync", full)
    result = bpnet("init", "xor", "--force")
    assert (result.code, "No space left" in result.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["xor.yaml"]
    assert (tmp_path / "xor.yaml").read_text() == "mine"


def test_a_template_goes_to_standard_output(bpnet, tmp_path: Path) -> None:
    result = bpnet("init", "xor", "-o", "-")
    assert (result.code, result.out, result.err) == (0, template_text("xor"), "")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    assert bpnet("init", "t.csv", "-o", "-").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
