"""Chapters of the handbook on a terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.containers import Lines
from rich.markdown import (
    CodeBlock,
    Heading,
    Markdown,
    MarkdownElement,
    Paragraph,
    TableDataElement,
    TableElement,
)
from rich.padding import Padding
from rich.text import Text

_LINK = re.compile(r"(?<!!)\[([^]]+)\]\(([\w./-]*)(#[^)]*)?\)")
_PLOT = re.compile(r"!\[([^]]+)\]\(([^)]+)\)")
_ANY_HEIGHT = 25
"""Without a height, rich ignores the width if TERM=dumb."""
_SOME_WORDS = 24
"""The columns that the widest cells of a table need at least, to be read as text."""

_WIDE = "\u3000-\u9fff\uf900-\ufaff\uff01-\uff60"
"""A range of characters, those of Chinese and Japanese with their punctuation."""
_IS_WIDE = re.compile(f"[{_WIDE}]")
_OPENING, _CLOSING = "（《“", "，。；：、！？）》”"
_UNBROKEN = re.compile(rf"[{_OPENING}]*(?:[{_WIDE}]|[^\s{_WIDE}{_OPENING}]+|$)[{_CLOSING}]*\s*")
_NO_SPACE = re.compile(rf"[{_WIDE}”]\n[{_WIDE}“]|[（《，。；：、！？）》]\n|\n[（《]")


def rendered(text: str, width: int, *, colors: bool) -> str:
    """Markdown as lines for a terminal of some width; without `colors` in bold and plain only.

    With TERM=dumb, there are no styles at all.
    """
    console = Console(
        file=io.StringIO(),
        width=width,
        height=_ANY_HEIGHT,
        force_terminal=True,
        no_color=not colors,
        highlight=False,
    )
    console.print(_Chapter(_for_a_terminal(text)))
    shown: str = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    return "".join(f"{line.rstrip()}\n" for line in shown.splitlines())


def _for_a_terminal(text: str) -> str:
    """Links name the command that shows their chapter, and plots their file."""
    return _LINK.sub(_command, _PLOT.sub(r"*(plot `\2`: \1)*", text))


def _command(link: re.Match[str]) -> str:
    words, file, heading = link[1], link[2], link[3] or ""
    if not file.endswith(".md"):
        return words
    topic = file.removesuffix(".md").removeprefix("../")
    if words == topic:
        return f"**{words}**"
    command = f"`bpnet docs {topic}{heading}`"
    return f"{words}（{command}）" if _IS_WIDE.match(words[-1]) else f"{words} ({command})"


class _LeftHeading(Heading):
    """A heading on the left, as in the text."""

    LEVEL_ALIGN: ClassVar = {}


class _Paragraph(Paragraph):
    """A paragraph; between wide characters a line may end without a space."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield _broken(self.text, options.max_width)


def _broken(text: Text, width: int) -> Text:
    """The lines of a text with wide characters; none begins with a comma. Others as they are."""
    if not _IS_WIDE.search(text.plain):
        return text
    ends, used = [], 0
    for piece in _UNBROKEN.finditer(text.plain):
        if used and used + cell_len(piece[0].rstrip()) > width:
            ends.append(piece.start())
            used = 0
        used += cell_len(piece[0])
    lines = text.divide(ends)
    for line in lines:
        line.rstrip()
    return Text("\n", overflow="fold").join(lines)


class _CellText(Text):
    """The text of a cell, broken like that of a paragraph."""

    def wrap(self, console: Console, width: int, **options: Any) -> Lines:
        broken = _broken(self, width)
        return Text.wrap(broken, console, width, **options)


class _Cell(TableDataElement):
    def __init__(self, justify: JustifyMethod) -> None:
        super().__init__(justify)
        self.content = _CellText(justify=justify)


class _PlainCode(CodeBlock):
    """Code as it is, indented: no background, and no line broken that fits."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        widest = max(map(cell_len, code.splitlines()), default=0)
        indent = 4 if widest + 4 <= options.max_width else 0
        yield Padding(Text(code, "markdown.code_block"), (0, 0, 0, indent))


class _FittingTable(TableElement):
    """A table; where its text would be squeezed, each row is a paragraph instead."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._fits(options.max_width):
            yield from super().__rich_console__(console, options)
            return
        headers, *rows = self._cells()
        for first, *others in rows:
            yield _broken(Text.assemble(first, style="bold"), options.max_width)
            named = [
                Text.assemble(header, _colon(header), cell)
                for header, cell in zip(headers[1:-1], others, strict=False)
                if cell.plain
            ]
            last = Text.assemble(headers[-1], _colon(headers[-1]), others[-1])
            is_prose = max(row[-1].cell_len for row in rows) > _SOME_WORDS
            lines = [named, [others[-1]]] if is_prose else [[*named, last]]
            for line in filter(None, lines):
                row = _broken(Text(" · ").join(line), options.max_width - 4)
                yield Padding(row, (0, 0, 0, 4))
        yield Text()

    def _cells(self) -> list[list[Text]]:
        rows = [self.header.row] if self.header else []
        rows += self.body.rows if self.body else []
        return [[cell.content for cell in row.cells] for row in rows if row]

    def _fits(self, width: int) -> bool:
        """Whether all columns but the widest have their full width, and that one some words."""
        columns: Iterable[tuple[Text, ...]] = zip(*self._cells(), strict=True)
        widths = sorted(max(cell.cell_len for cell in column) for column in columns)
        return sum(widths[:-1]) + 2 * len(widths) + min(widths[-1], _SOME_WORDS) <= width


def _colon(header: Text) -> str:
    """The colon between a header and its cell, in the style of the header's language."""
    return "：" if _IS_WIDE.match(header.plain[-1:]) else ": "


class _Chapter(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _LeftHeading,
        "paragraph_open": _Paragraph,
        "fence": _PlainCode,
        "code_block": _PlainCode,
        "table_open": _FittingTable,
        "td_open": _Cell,
    }

    def __init__(self, markup: str) -> None:
        super().__init__(markup, code_theme="ansi_dark", hyperlinks=False)
        for token in self.parsed:
            inline = token.children or []
            for before, between, after in zip(inline, inline[1:], inline[2:], strict=False):
                ends = f"{before.content[-1:]}\n{after.content[:1]}"
                if between.type == "softbreak" and _NO_SPACE.search(ends):
                    between.type = "text"
