from __future__ import annotations

import json

from bpcli.api.documents import Document, Page, text_of
from bpcli.terminal.grid import Grid


def test_a_document_is_plain_and_shows_its_text() -> None:
    document = Document({"shape": (2, 3), "loss": float("nan")}, "a < b\nc")
    assert document == {"shape": [2, 3], "loss": None}
    assert json.loads(json.dumps(document)) == document
    assert repr(document) == "a < b\nc"
    html = document._repr_html_()
    assert html.startswith('<pre style="font-family: monospace;'), "columns are below each other"
    assert html.endswith('">a &lt; b\nc</pre>')
    assert document
    assert not Document({"passed": False}, "", passed=False)
    assert Document({}, ""), "it is true although it has no keys"


def test_a_page_collects_lines_and_tables() -> None:
    grid = Grid(["name", "n"])
    grid.add_row("x", "12")
    page = Page()
    page.stream.say("first")
    page.stream.show(grid)
    assert page.text == f"first\n{text_of([grid])}"
    assert text_of([grid]).splitlines() == ["name    n", "─────────", "x      12"]
