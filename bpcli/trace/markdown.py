"""A trace as Markdown: pipe tables, and formulas as code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from bpcli.text import visible
from bpcli.trace.blocks import Arrays, Block, Chain, Formula, Heading, Prose
from bpcli.trace.cells import WIDTH, Sheet, sheets
from bpcli.trace.plain import folded


def document(blocks: Iterable[Block]) -> str:
    """The whole page."""
    parts: list[str] = []
    for is_equation, group in groupby(blocks, lambda block: isinstance(block, Formula | Chain)):
        if is_equation:
            parts.append("\n".join(["```text", *_equations(group), "```"]))
        else:
            parts += [text for block in group for text in _texts(block)]
    return "\n\n".join(parts)


def _equations(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Formula | Chain):
            yield from folded(block, indent="", width=WIDTH)


def _texts(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"{'#' * block.level} {_escaped(block.text)}"
    elif isinstance(block, Prose):
        yield _escaped(block.text)
    elif isinstance(block, Arrays):
        yield from map(_table, sheets(block))


def _table(sheet: Sheet) -> str:
    rows = [[label, *cells] for label, cells in zip(sheet.labels, sheet.cells, strict=True)]
    rule = ["---", *["---:"] * len(sheet.headers)]
    headers = [_escaped(name) for name in (sheet.corner, *sheet.headers)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [headers, rule, *rows])


def _escaped(text: str) -> str:
    """Text on one line with Markdown's special characters escaped."""
    return re.sub(r"([\\`*_\[\]<>#|$~&])", r"\\\1", visible(text))
