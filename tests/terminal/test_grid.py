from __future__ import annotations

import io

import pytest
from strangers import is_harmless

from bpcli.terminal.console import Console
from bpcli.terminal.grid import Grid, Styled
from bpcli.terminal.stream import Stream

FACTS = [("run", "a"), ("optimizer", "b c")]


def example() -> Grid:
    grid = Grid(["class", "比 ratio", "n", ""], 1)
    grid.add_row("中文", "1.5", "", Styled("ok", "green"))
    grid.add_row("a", "12.25", "4", "")
    return grid


def test_a_stream_has_columns_of_text_to_the_left_and_of_numbers_to_the_right() -> None:
    stream = Stream(io.StringIO())
    assert stream.show(example(), expendable=["n"]) == []
    assert stream.file.getvalue().splitlines() == [  # type: ignore[attr-defined]  # a StringIO
        "class   比 ratio   n",
        "─────────────────────────",
        "中文         1.5       ok",
        "a          12.25   4",
        "",
    ]


def test_a_terminal_shows_the_lines_of_a_stream() -> None:
    stream, terminal = Stream(io.StringIO()), Console(
        file=io.StringIO(), force_terminal=True, color_system=None, width=80
    )  # fmt: skip
    for shown in (stream, terminal):
        shown.show(example())
        shown.show_facts(FACTS)
    plain, drawn = (shown.file.getvalue().splitlines() for shown in (stream, terminal))  # type: ignore[attr-defined]  # a StringIO
    assert [line.rstrip() for line in drawn] == plain
    assert "optimizer  b c" in plain


@pytest.mark.parametrize(("encoding", "rule"), [("utf-8", "──"), ("gbk", "--"), ("ascii", "--")])
def test_the_rule_suits_the_encoding(encoding: str, rule: str) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    Stream(file).show(Grid(["ab"]))
    file.seek(0)
    assert file.read().split() == ["ab", rule]


NAME = "\x1b[31ma\nb\x9b\u202e"
SHOWN = r"\x1b[31ma\x0ab\x9b\x202e"


def screens(width: int) -> list[Stream | Console]:
    terminal = Console(
        file=io.StringIO(),
        force_terminal=True,
        color_system=None,
        width=width,
        legacy_windows=False,
    )
    return [Stream(io.StringIO()), terminal]


@pytest.mark.parametrize("width", [200, 30])
def test_no_name_steers_a_terminal_or_adds_a_line(width: int) -> None:
    for screen in screens(width):
        grid = Grid(["class", NAME, "n"], 2)
        grid.add_row(NAME, NAME, "1")
        assert screen.show(grid) == []
        screen.show_facts([(NAME, NAME), ("a", NAME)])
        text = screen.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
        assert is_harmless(text)
        assert "\nb" not in text
        if width == 200:
            assert text.count(SHOWN) == 6


def test_a_column_of_an_odd_name_can_be_left_out() -> None:
    terminal = screens(10)[1]
    grid = Grid(["class", NAME])
    grid.add_row("a", "1")
    assert terminal.show(grid, [NAME]) == [NAME]
    assert "x1b" not in terminal.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert grid.without([NAME]).headers == ["class"]
