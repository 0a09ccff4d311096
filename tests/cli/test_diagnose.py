from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Result
from systems import CONFIGS

Bpnet = Callable[..., Result]

SLOW = ("--set", "training.learning_rate=1e-6", "--set", "training.epochs=60")


@pytest.fixture
def slow(bpnet: Bpnet) -> str:
    """What a training prints whose learning rate is far too small."""
    result = bpnet("train", CONFIGS / "softmax_iris.yaml", *SLOW)
    assert result.code == 0
    assert "warning: the test loss is " in result.err
    assert ": the loss was still falling: use more `training.epochs` than 60" in result.err
    return result.out


def test_a_training_names_the_command_that_explains_its_warnings(slow: str, bpnet: Bpnet) -> None:
    (line,) = [each for each in slow.splitlines() if each.startswith("explain it with: bpnet ")]
    explained = bpnet(*shlex.split(line)[4:])
    assert explained.code == 0
    assert "error: The loss was still falling." in explained.out
    healthy = bpnet("train", CONFIGS / "gate_and.yaml")
    assert "explain it with" not in healthy.out


def test_a_block_for_each_finding_and_the_command_to_try(slow: str, bpnet: Bpnet) -> None:
    out = bpnet("diagnose", "latest").out
    for label in ("  evidence  The training loss fell", "  cause     ", "  explains  The test "):
        assert label in out
    command = next(each for each in out.splitlines() if each.startswith("  try: bpnet train"))
    assert bpnet(*shlex.split(command)[2:], "--quiet").code == 0
    assert out.splitlines()[-1].startswith("1 error")
    assert out.splitlines()[-1].endswith(", by 26 rules")


def test_nothing_found_says_what_was_looked_for(bpnet: Bpnet) -> None:
    assert bpnet("train", CONFIGS / "gate_and.yaml", "--quiet").code == 0
    out = bpnet("diagnose", "latest").out
    assert "nothing found; checked for: overfitting, " in out
    assert "a loss that diverges" in out


def test_the_document_has_what_is_shown(slow: str, document: Callable[..., Any]) -> None:
    found = document("diagnose", "latest")
    first = found["findings"][0]
    assert (first["kind"], first["severity"]) == ("rate_too_small", "error")
    assert first["command"].endswith("--set training.learning_rate=1e-05")
    assert found["unchecked"] == []
    assert len(found["checked"]) == 26


def test_a_run_that_diverged_names_the_command_too(bpnet: Bpnet, tmp_path: Path) -> None:
    rate = ("--set", "training.learning_rate=3")
    failed = bpnet("train", CONFIGS / "linear_regression.yaml", *rate)
    assert failed.code == 3
    assert "Explain it with: bpnet diagnose " in failed.err
    (weights,) = tmp_path.glob("runs/*/weights.safetensors")
    weights.unlink()
    out = bpnet("diagnose", "latest").out
    assert "error: The training diverged: its loss is no longer finite." in out
    assert "not checked: overfitting, " in out
    assert "has no weights: its status is `diverged`." in out
