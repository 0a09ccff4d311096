"""A trace for people: what is shown is right, fits a page, and is the same in every format."""

from __future__ import annotations

import io
import re
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paged import EVERYTHING, page_of, sheets_of, text_of
from strangers import any_name, is_harmless
from systems import CONFIGS

from bpcli.terminal.stream import Stream
from bpcli.text import text_width
from bpcli.trace import latex, markdown, plain
from bpcli.trace.blocks import Arrays, Heading, Named, Prose
from bpcli.trace.cells import sheets
from bpcli.trace.walk import walk


def every_config() -> list[str]:
    return sorted(path.stem for path in CONFIGS.glob("*.yaml"))


@pytest.mark.parametrize("name", every_config())
def test_every_config_is_shown_in_every_format(name: str) -> None:
    shown = page_of(name)
    text = text_of(shown)
    assert text.startswith(("One update of", "Forward pass of"))
    assert max(map(text_width, text.splitlines())) <= 80
    _check_markdown(markdown.document(walk(shown)))
    _check_latex(latex.document(walk(shown)))
    assert shown.to_json()["name"] == name


def test_the_formats_show_the_same_numbers() -> None:
    shown = page_of("softmax_iris", *EVERYTHING, rows=range(1, 4), steps=2)
    tables = sheets_of(walk(shown))
    text, page = text_of(shown), markdown.document(walk(shown))
    fragment = latex.document(walk(shown))
    assert len(tables) > 30
    for sheet in tables:
        for label, cells in zip(sheet.labels, sheet.cells, strict=True):
            assert f"| {label} | {' | '.join(cells)} |" in page
            assert re.search(rf"^{label} +{' +'.join(map(re.escape, cells))}$", text, re.MULTILINE)
    matrices = re.findall(r"\\begin{pmatrix}\n(.*?)\n\\end{pmatrix}", fragment, re.DOTALL)
    rows = [[cell.strip() for cell in row.split("&")] for m in matrices for row in m.split("\\\\")]
    singles = [
        sheet
        for block in walk(shown)
        if isinstance(block, Arrays)
        for item in block.items
        for sheet in sheets(Arrays((item,)))
    ]
    dots = {"\\cdots", "\\vdots", "\\ddots"}
    found = [["…" if cell in dots else _plain(cell) for cell in row] for row in rows]
    assert found == [cells for sheet in singles for cells in sheet.cells]


def _plain(cell: str) -> str:
    """A number as it was before TeX."""
    match = re.fullmatch(r"(.*) \\cdot 10\^{(.)?(\d+)}", cell)
    return cell if match is None else f"{match[1]}e{match[2] or '+'}{int(match[3]):02d}"


def _check_markdown(page: str) -> None:
    """Every table has one rule, and as many cells in each row."""
    for table in re.findall(r"(?:^\|.*\|$\n?)+", page, re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(counts) == 1
        assert set(table.splitlines()[1]) == set("|-: ")
    assert page.count("```") % 2 == 0


def _check_latex(fragment: str) -> None:
    """Balanced, and of ASCII and the accented letters that any TeX knows."""
    body = re.sub(r"^%.*\n|\\[{}%]", "", fragment)
    assert body.count("{") == body.count("}")
    names = [re.findall(rf"\\{word}{{(\w+\*?)}}", body) for word in ("begin", "end")]
    assert sorted(names[0]) == sorted(names[1])
    assert body.count("\\[") == body.count("\\]")
    assert all(c.isascii() or "À" <= c <= "ž" for c in body)
    assert "%" not in body


@given(st.randoms(use_true_random=False))
def test_a_name_is_text_in_every_format(rng: Random) -> None:
    name = any_name(rng)
    blocks = [
        Heading(1, name),
        Prose(name),
        Arrays((Named(name, np.ones((1, 2)), (name, name)),)),
        Arrays((Named("x", np.ones((2, 2)), (name, name)),)),
    ]
    stream = Stream(io.StringIO())
    plain.show(blocks, stream, str)
    page, fragment = markdown.document(blocks), latex.document(blocks)
    for text in (stream.file.getvalue(), page, fragment):  # type: ignore[attr-defined]  # a StringIO
        assert is_harmless(text)
    assert not re.search(r"(?<!\\)(\\\\)*[<`$&]", page)
    title = re.search(r"section\*\{(.*)\}", fragment)
    assert title is not None
    assert not re.search(r"\\(input|end|frac|write|def)", fragment.replace("\\end{pmatrix}", ""))
    words = re.sub(r"\\[{}&#_%]|\\text\w+\{\}|\{\\char36\}|\$[^$]*\$", "", title[1])
    assert not set(words) & set("\\{}$&#^_~%")
