"""From the text of a MATLAB file to tokens: numbers, names, signs, and whole matrices of numbers.

Comments and line continuations are left out. A matrix in brackets is one token, because blanks
separate its numbers, as they do nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from bpcli.errors import ModelError
from bpcli.nn.arrays import Array

Kind: TypeAlias = Literal["number", "name", "string", "sign", "matrix", "brackets", "end"]
"""`matrix` holds numbers only, `brackets` anything else; `end` ends a statement."""


class Token(NamedTuple):
    """A token, with its line in the file. The value of numbers and matrices is an array.

    `flaw` says why a matrix cannot be used: it is not finite, or its rows differ in length.
    """

    kind: Kind
    text: str
    line: int
    value: Array | None = None
    flaw: str = ""


_NUMBER = r"(?:\d+(?:\.(?![*/\\^'])\d*)?|\.\d+)(?:[eEdD][+-]?\d+)?"
_TOKENS = re.compile(
    rf"""(?P<blank>[ \t\r\f\v]+)
    |(?P<continued>\.\.\.[^\n]*\n?)
    |(?P<comment>[%\#][^\n]*)
    |(?P<number>{_NUMBER})
    |(?P<name>[A-Za-z]\w*)
    |(?P<text>"(?:[^"\n]|"")*")
    |(?P<sign>\.\*|\./|\.\\|\.\^|\.'|==|~=|!=|<=|>=|&&|\|\||[-+*/\\^<>=~!&|:(){{}}@.\]?'])
    |(?P<end>[\n;,])
    |(?P<open>\[)
    |(?P<odd>.)""",
    re.VERBOSE,
)
_TEXT = re.compile(r"'(?:[^'\n]|'')*'")
_ENTRY = re.compile(rf"[+-]?(?:{_NUMBER}|(?i:inf|nan)\b)")
_MOST_NUMBERS = 20_000_000


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a file; a sign that MATLAB has not is a token, too.

    Raises `ModelError` with the line of a bracket that is never closed.
    """
    text = _without_block_comments(text)
    position, line, parentheses, braces = 0, 1, 0, 0
    last: Token | None = None
    is_after_blank = False
    while position < len(text):
        match = _TOKENS.match(text, position)
        assert match is not None, "any sign matches"
        token_type, content = match.lastgroup, match[0]
        if content == "'" and not _is_transposed(last, is_after_blank):
            quoted = _TEXT.match(text, position)
            if quoted is not None:
                match, token_type, content = quoted, "text", quoted[0]
        end = match.end()
        if token_type == "open":
            end = _end_of_brackets(text, position, line)
            content = text[position:end]
        is_after_blank = token_type in ("blank", "continued")
        if token_type not in ("blank", "continued", "comment"):
            if token_type == "end" and content == "\n" and not braces:
                parentheses = 0  # they must close on their line
            elif token_type == "sign":
                parentheses = max(0, parentheses + (content == "(") - (content == ")"))
                braces = max(0, braces + (content == "{") - (content == "}"))
            last = _token(token_type or "", content, line, parentheses + braces > 0)
            yield last
        line += text.count("\n", position, end)
        position = end
    yield Token("end", "\n", line)


def _without_block_comments(text: str) -> str:
    """The text with empty lines for those from `%{` to `%}`, which may contain others."""
    lines, depth = text.split("\n"), 0
    for number, line in enumerate(lines):
        mark = line.strip()
        depth += mark in ("%{", "#{")
        if depth:
            lines[number] = ""
        depth -= depth > 0 and mark in ("%}", "#}")
    return "\n".join(lines)


def _token(token_type: str, content: str, line: int, is_within: bool) -> Token:
    if token_type == "open":
        matrix, flaw = _matrix(content, line)
        return Token("brackets" if matrix is None else "matrix", content, line, matrix, flaw)
    if token_type == "number":
        return Token("number", content, line, *_matrix(f"[{content}]", line))
    if token_type == "text":
        return Token("string", content[1:-1].replace(content[0] * 2, content[0]), line)
    if token_type == "end" and is_within:
        return Token("sign", "," if content == "," else ";", line)
    if token_type == "end":
        return Token("end", content, line)
    return Token("name" if token_type == "name" else "sign", content, line)


def _is_transposed(last: Token | None, is_after_blank: bool) -> bool:
    """Whether a quote after a token transposes it, and does not begin a text."""
    if last is None or is_after_blank:
        return False
    return last.kind in ("number", "name", "matrix", "brackets") or last.text in (
        ")", "}", "'", ".'",
    )  # fmt: skip


_IN_BRACKETS = re.compile(r"[\[\]]|[%#][^\n]*|\.\.\.[^\n]*|(?<![\w)\]}'.])'[^'\n]*'|\"[^\"\n]*\"")


def _end_of_brackets(text: str, start: int, line: int) -> int:
    depth = 0
    for bracket in _IN_BRACKETS.finditer(text, start):
        depth += (bracket[0] == "[") - (bracket[0] == "]")
        if depth == 0:
            return bracket.end()
    raise ModelError(f"line {line}: the bracket that opens there is never closed.")


def _matrix(text: str, line: int) -> tuple[Array | None, str]:
    """The numbers in brackets (rows, columns), and what is wrong with them, if anything is.

    None if there is anything but numbers. Raises `ModelError` if there are too many.
    """
    body = re.sub(r"\.\.\.[^\n]*\n?", " ", text[1:-1])
    body = re.sub(r"[%#][^\n]*", "", body)
    rows = [_row(row) for row in re.split(r"[;\n]", body) if row.strip()]
    numbers = [row for row in rows if row]
    if any(row is None for row in rows):
        return None, ""
    if sum(map(len, numbers)) > _MOST_NUMBERS:
        raise ModelError(f"line {line}: a matrix has more than {_MOST_NUMBERS:,} numbers.")
    widths = {len(row) for row in numbers}
    if len(widths) > 1:
        said = f"{min(widths)} to {max(widths)} numbers"
        return np.empty((0, 0)), f"has rows of {said}: expected the same number in each"
    matrix = np.array(numbers, np.float64) if numbers else np.empty((0, 0))
    is_finite = bool(np.isfinite(matrix).all())
    return matrix, "" if is_finite else "contains Inf or NaN: expected finite numbers"


def _row(text: str) -> list[float] | None:
    """The numbers of a row; None if it has anything else, such as `a - 1`."""
    cells = text.replace(",", " ").split()
    if not all(map(_ENTRY.fullmatch, cells)):
        return None
    return [_float(cell) for cell in cells]


def _float(text: str) -> float:
    return float(text.lower().replace("d", "e"))
