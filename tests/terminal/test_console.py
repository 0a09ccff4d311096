"""Tables and lines on a terminal of some width."""

from __future__ import annotations

import io

import pytest

from bpcli.terminal.console import Console
from bpcli.terminal.grid import Grid


def console(width: int) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width), file


def grid() -> Grid:
    table = Grid(["name", "kind", "value"], 2)
    table.add_row("momentum", "number", "0.9")
    return table


def test_markup_and_escapes_are_shown_and_not_obeyed() -> None:
    out, file = console(80)
    out.say("[bold]x[/bold] :smile: \x1b[31mred")
    assert "[bold]x[/bold] :smile:" in file.getvalue()
    assert "\x1b" not in file.getvalue()


def test_lines_break_between_words_and_a_long_word_stays_whole() -> None:
    out, file = console(12)
    out.say(f"some words that break {'x' * 30}")
    assert file.getvalue().splitlines() == ["some words", "that break", "x" * 30]


@pytest.mark.parametrize(("width", "left_out"), [(80, []), (19, ["kind"])])
def test_expendable_columns_go_only_where_there_is_no_room(width: int, left_out: list[str]) -> None:
    out, file = console(width)
    assert out.show(grid(), ["kind"]) == left_out
    assert ("number" in file.getvalue()) == (not left_out)
    assert max(map(len, file.getvalue().splitlines())) <= width


def test_what_is_still_too_wide_stands_a_cell_a_line_and_nothing_is_cut() -> None:
    out, file = console(16)
    out.show(grid())
    assert [line.split() for line in file.getvalue().splitlines() if line] == [
        ["name", "momentum"], ["kind", "number"], ["value", "0.9"],
    ]  # fmt: skip
