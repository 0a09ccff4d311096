from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from systems import CONFIGS

from bpcli.cli.common import (
    console,
    load_run_or_config,
    names_a_config,
    require_plot_format,
    run_or_config_options,
    say_notes,
    stacked,
    was_given,
    weights_option,
)
from bpcli.cli.outputs import Output
from bpcli.errors import ConfigError, RunError
from bpcli.terminal.console import Console
from bpcli.terminal.stream import Stream

XOR = str(CONFIGS / "xor.yaml")


def opts(command: click.Command) -> list[str]:
    return [parameter.opts[0] for parameter in command.params]


def test_stacked_options_are_listed_in_their_order() -> None:
    @click.command()
    @stacked(click.option("--b"), click.option("--a"))
    def command(**_: object) -> None:
        pass

    assert opts(command) == ["--b", "--a"]
    whole = click.command()(run_or_config_options(lambda **_: None))
    assert opts(whole) == ["--weights", "--set", "--runs-dir", "--json"]


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


def test_the_format_of_a_plot_is_known_by_its_ending() -> None:
    require_plot_format("-o", Path("a.PNG"))
    for name in ("a", "a.txt", "png"):
        with pytest.raises(ConfigError, match=rf"^-o {name}: expected a name that ends in \.svg, "):
            require_plot_format("-o", Path(name))


def within(command: click.Command, *arguments: str) -> Any:
    """What a command's function returns for these arguments."""
    return command.main([*arguments], standalone_mode=False)


def test_an_option_is_given_even_with_its_default_value() -> None:
    given = click.command()(weights_option(lambda weights: (weights, was_given("weights"))))
    assert within(given) == ("best", False)
    assert within(given, "--weights", "best") == ("best", True)
    assert within(given, "--weights", "last") == ("last", True)


def test_a_config_has_initial_parameters_and_takes_no_weights(tmp_path: Path) -> None:
    @click.command()
    @weights_option
    def load(weights: str) -> Any:
        return load_run_or_config(XOR, ("seed=3",), tmp_path, weights=weights)

    experiment, params = within(load)
    assert experiment.spec.seed == 3
    np.testing.assert_array_equal(params, experiment.initial_params)
    with pytest.raises(ConfigError, match="--weights is for a RUN: a CONFIG has no trained"):
        within(load, "--weights", "best")


def test_a_run_takes_no_set_and_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--set is for a CONFIG: a RUN keeps the config"):
        load_run_or_config("latest", ("seed=3",), tmp_path)
    with pytest.raises(RunError):
        load_run_or_config("latest", (), tmp_path)


def test_notes_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say_notes(["one", "two"])
    console().say("result")
    assert isinstance(console(stderr=True), Stream)
    assert capsys.readouterr() == ("result\n", "note: one\nnote: two\n")


def test_a_terminal_has_a_console_and_what_is_said_there_is_for_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = Output(io.StringIO())
    monkeypatch.setattr(sys, "stdout", output)
    assert isinstance(console(), Stream)
    assert output.is_prose
    monkeypatch.setattr(output.stream, "isatty", lambda: True)
    assert isinstance(console(), Console)
