"""The looks of cells: fonts, colours, borders and formats of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from bpcli.workbook.parts import MAIN


@dataclass(frozen=True)
class Style:
    """How a cell looks; colours are RGB in hexadecimal digits, and empty for the default."""

    bold: bool = False
    italic: bool = False
    size: int = 11
    colour: str = ""
    fill: str = ""
    line: str = ""
    """The colour of the line around the cell."""
    number: str = ""
    """The format of numbers, such as 0.00."""
    align: str = ""
    wrap: bool = False


PLAIN, BOLD = Style(), Style(bold=True)


def styles_xml(styles: Sequence[Style]) -> str:
    """The file of styles; cells name them by their place in this list. The first is the default."""
    fonts, fills = _different(map(_font, styles)), _different(map(_fill, styles))
    lines, formats = _different(map(_border, styles)), _different(each.number for each in styles)
    fills.insert(1, '<fill><patternFill patternType="gray125"/></fill>')  # Excel expects it here
    numbers = "".join(
        f'<numFmt numFmtId="{_FIRST_FORMAT + index}" formatCode="{escape(code)}"/>'
        for index, code in enumerate(formats)
        if code
    )
    cells = "".join(
        f'<xf numFmtId="{_FIRST_FORMAT + formats.index(style.number) if style.number else 0}" '
        f'fontId="{fonts.index(_font(style))}" fillId="{fills.index(_fill(style))}" '
        f'borderId="{lines.index(_border(style))}" xfId="0" applyNumberFormat="1" applyFont="1" '
        f'applyFill="1" applyBorder="1" applyAlignment="1">{_alignment(style)}</xf>'
        for style in styles
    )
    return (
        f"<styleSheet {MAIN}>"
        + (f"<numFmts>{numbers}</numFmts>" if numbers else "")
        + f"<fonts>{''.join(fonts)}</fonts><fills>{''.join(fills)}</fills>"
        f"<borders>{''.join(lines)}</borders>"
        '<cellStyleXfs><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f"<cellXfs>{cells}</cellXfs>"
        '<cellStyles><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


_FIRST_FORMAT = 164
"""Formats with smaller numbers are Excel's own."""


def _different(parts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(parts))


def _font(style: Style) -> str:
    marks = "<b/>" * style.bold + "<i/>" * style.italic
    colour = f'<color rgb="FF{style.colour}"/>' * bool(style.colour)
    return f'<font>{marks}<sz val="{style.size}"/>{colour}<name val="Calibri"/></font>'


def _fill(style: Style) -> str:
    if not style.fill:
        return '<fill><patternFill patternType="none"/></fill>'
    colour = f'<fgColor rgb="FF{style.fill}"/>'
    return f'<fill><patternFill patternType="solid">{colour}</patternFill></fill>'


def _border(style: Style) -> str:
    sides = "".join(
        f'<{side} style="thin"><color rgb="FF{style.line}"/></{side}>'
        if style.line
        else f"<{side}/>"
        for side in ("left", "right", "top", "bottom")
    )
    return f"<border>{sides}<diagonal/></border>"


def _alignment(style: Style) -> str:
    across = f' horizontal="{style.align}"' if style.align else ""
    wrap = ' wrapText="1"' if style.wrap else ""
    return f'<alignment{across} vertical="center"{wrap}/>' if across or wrap else ""
