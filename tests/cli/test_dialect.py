from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from bpcli.cli.dialect import given_options, read_table, table_options
from bpcli.errors import DataError


def parsed(*arguments: str) -> tuple[dict[str, Any], list[str]]:
    """The signs that a command gets, and the options that it would tell the next command."""
    got: list[tuple[dict[str, Any], list[str]]] = []

    @click.command()
    @table_options
    def command(signs: dict[str, Any], **_: object) -> None:
        got.append((signs, list(given_options())))

    command.main(list(arguments), standalone_mode=False)
    return got[0]


@pytest.mark.parametrize(
    ("arguments", "signs"),
    [
        ((), {}),
        (("--separator", ";"), {"separator": ";"}),
        (("--encoding", "gbk", "--decimal", ","), {"encoding": "gbk", "decimal": ","}),
        (("--thousands", ""), {"thousands": ""}),
        (("--header",), {"header": True}),
        (("--no-header",), {"header": False}),
        (("--skip", "0", "--comment", ""), {"skip": 0, "comment": ""}),
        (("--skip-last", "2"), {"skip_last": 2}),
        (("--sheet", "Two words"), {"sheet": "Two words"}),
        (("--missing", "x", "--missing", "-9"), {"missing": ("x", "-9")}),
        (("--missing-only", ""), {"missing_only": ("",)}),
    ],
)
def test_a_command_gets_the_signs_that_are_given_and_tells_them_on(
    arguments: Sequence[str], signs: dict[str, Any]
) -> None:
    assert parsed(*arguments) == (signs, list(arguments))


def test_the_target_is_told_on_but_is_no_sign() -> None:
    several = ["--target", "a b", "--target", "2"]
    assert parsed(*several) == ({}, several)


@pytest.mark.parametrize(
    "arguments",
    [("--decimal", ";"), ("--thousands", "_"), ("--skip", "-1"), ("--skip", "x")],
)
def test_other_values_are_refused(arguments: Sequence[str]) -> None:
    with pytest.raises(click.BadParameter):
        parsed(*arguments)


def test_notes_on_a_table_go_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;b\n1,5;2\n2,5;3\n3,5;4\n")
    look = read_table(path, ("a",), {})
    assert look.dialect.header
    out, err = capsys.readouterr()
    assert not out
    assert "columns are separated by ';'" in err
    assert "commas in numbers are read as decimal signs" in err
    read_table(path, ("a",), {"separator": ";", "decimal": ","})
    assert "separated" not in capsys.readouterr().err


def test_a_header_is_guessed_unless_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("1,2\n3,4\n5,6\n")
    assert read_table(path, None, {}).dialect.header is False
    assert read_table(path, None, {"header": True}).dialect.columns == ("1", "2")


def test_an_error_names_the_file_once(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n")
    with pytest.raises(DataError) as error:
        read_table(path, None, {})
    assert str(error.value) == f"{path}: the file has no rows"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError) as error:
        read_table(path, "none", {})
    assert str(error.value).count("t.csv") == 1
