from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from systems import CONFIGS

from bpcli.cli.common import console, require_plot_format, say_notes, stacked, was_given
from bpcli.cli.outputs import Output
from bpcli.cli.references import run_or_config_options, weights_option
from bpcli.errors import ConfigError
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
