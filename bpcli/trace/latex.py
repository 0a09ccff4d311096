"""A trace as LaTeX for lecture notes: formulas and matrices of amsmath.

Formulas are translated from the plain notation: W1[2,1] becomes W^{(1)}_{2,1}. Everything else is
text, with TeX's special characters escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

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


# Formulas.

_TENSOR = r"(?:delta|[A-Za-z])\d+"
_INDEX = r"(?:\[[\w,]+\])?"


def math(text: str) -> str:
    """A formula in TeX, from the plain notation."""
    return re.sub(" +", " ", "".join(_translated(text))).strip()


def _translated(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        for pattern, translation in _TOKENS:
            match = pattern.match(text, start)
            if match:
                yield translation(match)
                start = match.end()
                break
        else:
            yield prose(text[start])
            start += 1


def _fraction(match: re.Match[str]) -> str:
    of, by = match.groups()
    return f"\\frac{{\\partial\\,\\mathrm{{{of}}}}}{{\\partial {math(by)}}}"


def _tensor(match: re.Match[str]) -> str:
    name, layer, index, transposed, squared = match.groups()
    letter = "\\delta" if name == "delta" else name
    superscript = f"({layer})" if layer else ""
    superscript += "\\top" if transposed else ""
    tensor = letter + (f"^{{{superscript}}}" if superscript else "")
    tensor += f"_{{{index}}}" if index else ""
    return f"{{{tensor}}}^{{2}}" if squared else tensor


def _number(match: re.Match[str]) -> str:
    digits, exponent = match.groups()
    return digits if exponent is None else f"{digits} \\cdot 10^{{{int(exponent)}}}"


def _function(match: re.Match[str]) -> str:
    name = match.group()
    return f"\\{name}" if name in _OF_TEX else f"\\operatorname{{{name}}}"


_OF_TEX = frozenset({"cos", "cosh", "exp", "ln", "max", "min", "sin", "sinh", "tan", "tanh"})


def _word(match: re.Match[str]) -> str:
    word = match.group()
    if len(word) == 1:
        return word
    return _WORDS.get(word) or f"\\text{{ {prose(word)} }}"


_WORDS = {
    "delta": "\\delta",
    "sign": "\\operatorname{sign}",
    "loss": "\\mathrm{loss}",
    "objective": "\\mathrm{objective}",
    "params": "\\mathrm{params}",
    "length": "\\mathrm{length}",
    "size": "\\mathrm{size}",
}

_SYMBOLS = {
    "∂": "\\partial ",
    "ᵀ": "^{\\top}",
    "²": "^{2}",
    "½": "\\tfrac{1}{2} ",
    "∘": "\\circ ",
    "·": "\\cdot ",
    "Σ": "\\sum ",
    "←": "\\leftarrow ",
    "→": "\\to ",
    "≤": "\\le ",
    "…": "\\dots ",
    "α": "\\alpha ",
    "β": "\\beta ",
    "γ": "\\gamma ",
    "η": "\\eta ",
    "λ": "\\lambda ",
    "μ": "\\mu ",
}

_TOKENS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (re.compile(rf"∂(loss|objective)/∂({_TENSOR}{_INDEX}|params)"), _fraction),
    (re.compile(r"\b(delta|[A-Za-z])(\d+)(?:\[([\w,]+)\])?(ᵀ)?(²)?"), _tensor),
    (re.compile(r"\b([A-Za-z])()\[([\w,]+)\]()(²)?"), _tensor),
    (re.compile(r"Σ_([a-z])"), lambda match: f"\\sum_{{{match[1]}}} "),
    (re.compile(r"√([mv])_hat"), lambda match: f"\\sqrt{{\\hat {match[1]}}}"),
    (re.compile(r"([mv])_hat"), lambda match: f"\\hat {match[1]}"),
    (re.compile(r"w_i\b"), lambda _: "w_{i} "),
    (re.compile(r"loss_i\b"), lambda _: "\\mathrm{loss}_{i}"),
    (re.compile(r"(\d+(?:\.\d+)?)(?:e([+-]?\d+))?"), _number),
    (re.compile(r"[A-Za-z]{2,}(?=\()"), _function),
    (re.compile(r"[A-Za-z][A-Za-z_]*"), _word),
    (re.compile("|".join(_SYMBOLS)), lambda match: _SYMBOLS[match[0]]),
    (re.compile(r"[-+*/=<>()\[\]|,.;:^'! ]"), lambda match: match[0]),
]


# Text.

_ESCAPES = {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "''",
    "$": "{\\char36}",  # \$ needs a font that is missing in small installations
    **{character: "\\" + character for character in "{}&#_%"},
}


def prose(text: str) -> str:
    """Text with TeX's special characters escaped, and symbols in math mode."""
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character in _SYMBOLS:
        symbol = _SYMBOLS[character].strip()
        return f"${symbol}$" if symbol[0] != "^" else f"${{}}{symbol}$"
    is_known = character.isprintable() and (character.isascii() or "À" <= character <= "ž")
    return character if is_known else "?"
