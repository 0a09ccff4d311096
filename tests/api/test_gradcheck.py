from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Result
from systems import CONFIGS

import bpcli
from bpcli.api import gradcheck as module
from bpcli.errors import ConfigError
from bpcli.gradient_check.catalogue import CatalogueRow

XOR = CONFIGS / "xor.yaml"


def test_it_is_the_document_and_the_text_of_the_command(bpnet: Callable[..., Result]) -> None:
    report = bpcli.gradcheck(XOR, entries=5, rows=3, overrides={"loss": "mse"})
    options = ("--entries", "5", "--rows", "3", "--set", "loss=mse")
    printed = json.loads(bpnet("gradcheck", XOR, *options, "--json").out)
    assert {"schema": 1, **report} == printed
    assert report.text == bpnet("gradcheck", XOR, *options).out.rstrip("\n")
    assert report


def test_a_wrong_backward_pass_is_false_and_explained() -> None:
    report = bpcli.gradcheck(CONFIGS / "diamond.yaml", corrupt="no-mean", rows=12)
    assert not report
    assert report["passed"] is False
    assert "hint:" in repr(report)
    assert not bpcli.gradcheck(corrupt="sign")


def test_the_weights_of_a_run_are_checked(tmp_path: object) -> None:
    run = bpcli.train(XOR, overrides={"training.epochs": 600})
    trained, initial = bpcli.gradcheck(run), bpcli.gradcheck(XOR)
    assert trained
    assert trained["tensors"][0]["analytic"] != initial["tensors"][0]["analytic"]
    with pytest.raises(ConfigError, match="config of a run cannot be changed"):
        bpcli.gradcheck(run, overrides={"loss": "mse"})


def test_an_unknown_wrong_pass_is_refused() -> None:
    with pytest.raises(ConfigError, match="Unknown corruption `everything`: expected one of"):
        bpcli.gradcheck(XOR, corrupt="everything")


def test_without_a_config_the_catalogue_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [CatalogueRow("mse", "tanh", 2, 30), CatalogueRow("mse", "relu", 1, 20, passed=False)]
    monkeypatch.setattr(module, "check_catalogue", lambda: rows)
    report = bpcli.gradcheck()
    assert not report
    assert [row["output"] for row in report["checks"]] == ["tanh", "relu"]
    assert "3 networks, 50 entries" in report.text


@pytest.mark.parametrize("option", ["entries", "rows"])
@pytest.mark.parametrize("count", [0, -1, 1.5, "all"])
def test_a_check_of_nothing_does_not_pass(option: str, count: Any) -> None:
    with pytest.raises(ConfigError, match=f"`{option}` is"):
        bpcli.gradcheck(XOR, **{option: count})
