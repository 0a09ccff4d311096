"""A trace on a terminal or in a plain text stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from textwrap import wrap
from typing import Protocol, TypeAlias

from bpcli.terminal.grid import Grid
from bpcli.trace.blocks import Arrays, Block, Chain, Formula, Heading, Prose
from bpcli.trace.cells import WIDTH, Sheet, sheets


class Screen(Protocol):
    """A terminal or a stream."""

    def say(self, text: str) -> None:
        """Print a line."""

    def show(self, grid: Grid) -> list[str]:
        """Print a table and a blank line."""


Spell: TypeAlias = Callable[[str], str]
"""Replaces signs that the screen cannot show by words, before columns are aligned."""


def show(blocks: Iterable[Block], screen: Screen, spell: Spell) -> None:
    """Print a trace."""
    for block, after in pairwise([*blocks, None]):
        assert block is not None
        if isinstance(block, Arrays):
            for sheet in sheets(block):
                screen.show(_grid(sheet, spell))
            continue
        for line in _lines(block):
            screen.say(spell(line))
        if not (_is_equation(block) and _is_equation(after)):
            screen.say("")


def _is_equation(block: Block | None) -> bool:
    return isinstance(block, Formula | Chain)


def _lines(block: Heading | Prose | Formula | Chain) -> Iterator[str]:
    if isinstance(block, Heading):
        yield from wrap(block.text, WIDTH)
        if block.level < 3:
            yield "=-"[block.level - 1] * min(WIDTH, len(block.text))
    elif isinstance(block, Prose):
        yield from wrap(block.text, WIDTH)
    else:
        yield from folded(block)


def folded(equation: Formula | Chain, indent: str = "  ", width: int = WIDTH) -> Iterator[str]:
    """An equation on one line if it fits, else with its numbers below its symbols."""
    left, *rest = (equation.text,) if isinstance(equation, Formula) else equation.parts
    line = indent + " = ".join([left, *rest])
    if len(line) <= width:
        yield line
        return
    deep = indent + " " * min(len(left) + 1, _DEEPEST)
    first, below = ([left, rest[0]], rest[1:]) if len(left) < _DEEPEST and rest else ([left], rest)
    yield from wrap(" = ".join(first), width, initial_indent=indent, subsequent_indent=deep + "  ")
    for part in _lines_of(below, width - len(deep)):
        yield from wrap(part, width, initial_indent=deep, subsequent_indent=deep + "  ")


_DEEPEST = 18


def _lines_of(parts: list[str], width: int) -> list[str]:
    """Right-hand sides on one line if they fit, else one per line."""
    line = "".join(f" = {part}" for part in parts).strip()
    if not parts or len(line) <= width:
        return [line] if parts else []
    return [f"= {part}" for part in parts]


def _grid(sheet: Sheet, spell: Spell) -> Grid:
    rows = [[label, *cells] for label, cells in zip(sheet.labels, sheet.cells, strict=True)]
    grid = Grid([spell(name) for name in (sheet.corner, *sheet.headers)])
    for row in rows:
        grid.add_row(*(spell(cell) for cell in row))
    return grid
