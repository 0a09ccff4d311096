"""A trace as LaTeX for lecture notes: formulas and matrices of amsmath.

Formulas are translated from the plain notation by `bpcli/notation/tex.py`. Everything else is text,
with TeX's special characters escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from bpcli.notation.tex import math, prose
from bpcli.trace.blocks import Arrays, Block, Chain, Formula, Heading, Named, Prose
from bpcli.trace.cells import ELLIPSIS, WIDTH, Sheet, sheets

PREAMBLE = (
    "% For a document with \\usepackage{amsmath}; wide matrices need "
    "\\usepackage[margin=2cm]{geometry}."
)
_HEADINGS = {1: "section*", 2: "subsection*", 3: "subsubsection*"}


def document(blocks: Iterable[Block]) -> str:
    """The whole fragment."""
    parts = [PREAMBLE]
    for is_equation, group in groupby(blocks, lambda block: isinstance(block, Formula | Chain)):
        if is_equation:
            parts.append(_align([block for block in group if isinstance(block, Formula | Chain)]))
        else:
            parts += [text for block in group for text in _texts(block)]
    return "\n\n".join(parts)


def _align(equations: list[Formula | Chain]) -> str:
    lines = [line for equation in equations for line in _aligned(equation)]
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


def _aligned(equation: Formula | Chain) -> Iterator[str]:
    """One line per right-hand side, aligned at the relation signs."""
    first = equation.text if isinstance(equation, Formula) else equation.parts[0]
    rest = () if isinstance(equation, Formula) else equation.parts[1:]
    left, sign, right = _split(first)
    if sign:
        yield f"{math(left)} &{math(sign)} {math(right)}"
    elif rest:
        yield f"{math(left)} &= {math(rest[0])}"
        rest = rest[1:]
    else:
        yield f"&{math(left)}"
    for part in rest:
        first, *more = _pieces(part)
        yield f"&= {math(first)}"
        yield from (f"&\\quad {math(piece)}" for piece in more)


def _pieces(part: str) -> list[str]:
    """A long sum, split before plus signs so that each piece fits on a line."""
    pieces: list[str] = []
    for term in re.split(r" (?=\+ )", part):
        if pieces and len(pieces[-1]) + len(term) < WIDTH:
            pieces[-1] += f" {term}"
        else:
            pieces.append(term)
    return pieces


def _split(text: str) -> tuple[str, str, str]:
    """An equation at its first relation sign."""
    match = re.search(r" (=|←) ", text)
    if match is None:
        return text, "", ""
    return text[: match.start()], match.group(1), text[match.end() :]


def _texts(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"\\{_HEADINGS[block.level]}{{{prose(block.text)}}}"
    elif isinstance(block, Prose):
        yield prose(block.text)
    elif isinstance(block, Arrays):
        yield from map(_display, _side_by_side(block.items))


def _side_by_side(items: tuple[Named, ...]) -> Iterator[list[tuple[Named, Sheet]]]:
    """As many matrices per line as fit."""
    line: list[tuple[Named, Sheet]] = []
    for item in items:
        (sheet,) = sheets(Arrays((item,)))
        if line and sum(other.width for _, other in line) + sheet.width > WIDTH:
            yield line
            line = []
        line.append((item, sheet))
    yield line


def _display(line: list[tuple[Named, Sheet]]) -> str:
    matrices = [f"{math(item.name)} = {_matrix(sheet)}" for item, sheet in line]
    return "\\[\n" + ", \\qquad\n".join(matrices) + "\n\\]"


def _matrix(sheet: Sheet) -> str:
    rows = [
        " & ".join(
            _cell(cell, label == ELLIPSIS, header == ELLIPSIS)
            for header, cell in zip(sheet.headers, cells, strict=True)
        )
        for label, cells in zip(sheet.labels, sheet.cells, strict=True)
    ]
    return "\\begin{pmatrix}\n" + " \\\\\n".join(rows) + "\n\\end{pmatrix}"


def _cell(cell: str, is_in_cut_row: bool, is_in_cut_column: bool) -> str:
    if is_in_cut_row and is_in_cut_column:
        return "\\ddots"
    if is_in_cut_row:
        return "\\vdots"
    return "\\cdots" if is_in_cut_column else math(cell)
