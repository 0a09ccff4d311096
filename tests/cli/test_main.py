from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click
import pytest
from commands import commands
from conftest import Result
from systems import CONFIGS

from bpcli import __version__
from bpcli.cli.main import main

Bpnet = Callable[..., Result]
XOR = CONFIGS / "xor.yaml"
SHORT = ("--set", "training.epochs=40")


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_commands_help_has_an_example(
    name: str, command: click.Command, bpnet: Bpnet
) -> None:
    result = bpnet(*name.split(), "--help")
    assert result.code == 0
    assert f"bpnet {name}".strip() in result.out.split("Options:")[1]
    assert command.help


def test_usage_errors_exit_2_and_the_version_0(bpnet: Bpnet) -> None:
    assert bpnet("nonsense").code == 2
    assert bpnet("train").code == 2
    assert bpnet("--version").out.startswith("bpnet, version ")


def test_an_internal_fault_is_one_line_and_exit_1(
    bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("bpcli.experiment.build", fail)
    monkeypatch.delenv("BPNET_DEBUG")
    result = bpnet("train", XOR)
    assert result.code == 1
    assert result.err.startswith("Internal error: ZeroDivisionError: oops\n")


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (MemoryError("x"), 2)])
def test_exit_codes_of_what_no_command_expects(
    error: BaseException, code: int, bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("bpcli.experiment.build", fail)
    assert bpnet("train", XOR).code == code


def test_what_is_quoted_from_a_file_cannot_steer_the_terminal(bpnet: Bpnet, tmp_path: Path) -> None:
    path = tmp_path / "evil.yaml"
    path.write_text('data: {generator: "\\e]0;PWNED\\a\\e[31mxor"}\n"\\e[2J": 1\n')
    result = bpnet("train", path)
    assert result.code == 2
    assert "\x1b" not in result.err
    assert "\\x1b[2J" in result.err


@pytest.mark.parametrize(
    ("arguments", "closed", "code"),
    [("--version", ">&-", 0), ("train missing.yaml", "2>&-", 2), ("--version", ">&- 2>&-", 0)],
)
def test_an_output_that_the_shell_closed_takes_nothing(
    arguments: str, closed: str, code: int, tmp_path: Path
) -> None:
    command = f"{sys.executable} -m bpcli {arguments} {closed}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
def test_the_text_survives_a_terminal_of_another_encoding(encoding: str, tmp_path: Path) -> None:
    for arguments in (
        ["train", str(XOR), *SHORT],
        ["gradcheck", "--self-test"],
        ["eval", "latest"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "bpcli", *arguments],
            cwd=tmp_path, env=os.environ | {"PYTHONIOENCODING": encoding}, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        done.stdout.decode(encoding)


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m bpcli predict {CONFIGS / 'digits.yaml'} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.stdout.startswith("row\t")


def test_output_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    command = f"{sys.executable} -m bpcli predict {CONFIGS / 'digits.yaml'} --json > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "Error: output could not be read or written: No space left on device.\n"


def test_an_internal_fault_is_raised_for_who_asked_to_see_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("bpcli.experiment.build", fail)
    monkeypatch.setenv("BPNET_DEBUG", "1")
    before = sys.stdout, sys.stderr
    with pytest.raises(ZeroDivisionError):
        main(["predict", str(XOR)])
    assert (sys.stdout, sys.stderr) == before


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr() == (f"bpnet, version {__version__}\n", "")


def test_who_gives_no_arguments_gets_those_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bpnet", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("bpnet, version")


def test_messages_on_a_terminal_break_between_words_but_excerpts_do_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    long = "sede: 1  # a line of a config is shown as it was written"
    Path("c.yaml").write_text(f"{long}\n")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["predict", "c.yaml"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-4:-1] == [f"    {long}", "    ^^^^", "4 errors in c.yaml"]
    assert lines[-1] == "more: bpnet docs config"
    assert "Error: c.yaml: the key `data` is missing" in lines
    assert all(len(line) <= 40 for line in lines if long not in line)
