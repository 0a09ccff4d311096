"""Cells as XML. Numbers have all digits, and text is never a formula.

They are written here because openpyxl and XlsxWriter write 16 significant digits: 0.1 + 0.2 becomes
0.3.
"""

from __future__ import annotations

import re
from html import escape  # the one of `xml.sax` imports a client of the web
from typing import TypeAlias

Cell: TypeAlias = str | int | float
MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767
"""The limits of a sheet and a cell of Excel."""


def cell_xml(reference: str, cell: Cell, style: int = 0, formula: str | None = None) -> str:
    """A cell such as A1, with a text, number or boolean, which is the value of a `formula`."""
    begin = f'<c r="{reference}"' + f' s="{style}"' * bool(style)
    if formula is not None:
        return _formula(begin, formula, cell)
    if isinstance(cell, bool):
        return f'{begin} t="b"><v>{int(cell)}</v></c>'
    if not isinstance(cell, str):
        return f"{begin}><v>{cell!r}</v></c>"
    return f'{begin} t="inlineStr"><is><t xml:space="preserve">{escaped(cell)}</t></is></c>'


def _formula(begin: str, formula: str, cell: Cell) -> str:
    """A formula with the value that it has until it is computed again; "" if there is none."""
    type_attribute = ' t="str"' if isinstance(cell, str) else ""
    value = escaped(cell) if isinstance(cell, str) else repr(cell)
    return (
        f"{begin}{type_attribute}><f>{escape(formula, quote=False)}</f>"
        + f"<v>{value}</v>" * (cell != "")
        + "</c>"
    )


def escaped(text: str) -> str:
    """Text in XML, with Excel's escapes for characters that XML excludes."""
    return escape(_ESCAPED.sub(lambda sign: f"_x{ord(sign[0]):04X}_", text), quote=False)


_ESCAPED = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""Characters that XML excludes or would change, and text like Excel's escapes for them."""


def letters(index: int) -> str:
    """The name of a column: A, …, Z, AA, …"""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
