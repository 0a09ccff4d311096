"""Tables and lines in a file or a pipe."""

from __future__ import annotations

import io

from bpcli.terminal.grid import Grid
from bpcli.terminal.stream import Stream


def printed(encoding: str) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    table = Grid(["a", "b"])
    table.add_row("x" * 200, "1")
    stream = Stream(file)
    assert stream.show(table, ["b"]) == []
    stream.show_facts([("name", "value\x1b[31m"), ("n", "2")])
    file.flush()
    return raw.getvalue().decode(encoding)


def test_a_stream_has_no_edge_and_no_escape_codes() -> None:
    lines = printed("utf-8").splitlines()
    assert lines[2].split() == ["x" * 200, "1"]
    assert "\x1b" not in "".join(lines)


def test_the_rule_is_of_characters_that_the_encoding_has() -> None:
    assert set(printed("utf-8").splitlines()[1]) == {"─"}
    assert set(printed("ascii").splitlines()[1]) == {"-"}
