"""How a command line names a run or a config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from systems import CONFIGS

from bpcli.cli.references import Reference, names_a_config, run_or_config_options
from bpcli.errors import ConfigError, RunError

XOR = str(CONFIGS / "xor.yaml")


@pytest.mark.parametrize(
    ("reference", "is_config"),
    [
        ("missing.yaml", True),
        ("missing.yml", True),
        (XOR, True),
        ("a file", True),
        ("latest", False),
        ("latest~1", False),
        ("a folder", False),
        ("a.yaml/run", False),
        ("", False),
        ("x" * 5000, False),
        ("a\0b", False),
    ],
)
def test_a_config_is_told_from_a_run(
    reference: str, is_config: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a file").write_text("")
    Path("a folder").mkdir()
    assert names_a_config(reference) is is_config


def within(command: click.Command, *arguments: str) -> Any:
    """What a command's function returns for these arguments."""
    return command.main([*arguments], standalone_mode=False)


def test_a_config_has_initial_parameters_and_takes_no_weights() -> None:
    @click.command()
    @click.argument("run_or_config")
    @run_or_config_options
    def load(run_or_config: Reference, overrides: tuple[str, ...], as_json: bool) -> Any:
        return run_or_config.load_experiment(overrides)

    experiment, params = within(load, XOR, "--set", "seed=3")
    assert experiment.spec.seed == 3
    np.testing.assert_array_equal(params, experiment.initial_params)
    with pytest.raises(ConfigError, match="--weights is for a RUN: a CONFIG has no trained"):
        within(load, XOR, "--weights", "best")


def test_a_run_takes_no_set_and_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--set is for a CONFIG: a RUN keeps the config"):
        Reference("latest", tmp_path).load_experiment(("seed=3",))
    with pytest.raises(RunError):
        Reference("latest", tmp_path).load_experiment(())
