from __future__ import annotations

import io

import pytest
import rich.cells
from hypothesis import given
from hypothesis import strategies as st

from bpcli.spec.faults import places
from bpcli.views.console import Console
from bpcli.views.grid import Grid, Styled
from bpcli.views.stream import Stream

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


@given(st.text("aß中é한Ａ\u0301-", max_size=8))
def test_places_are_those_that_a_terminal_gives_a_text(text: str) -> None:
    assert places(text) == rich.cells.cell_len(text)
