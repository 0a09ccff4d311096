"""From tokens to statements: functions, blocks and assignments of a MATLAB file.

A statement that does not follow the grammar is kept as one whose effect is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bpcli.errors import ModelError
from bpcli.imports.matlab_expressions import Expression, NotRead, Other, Parser
from bpcli.imports.matlab_tokens import Token, tokens

_MOST_DEPTH = 60
_MOST_TOKENS, _MOST_STATEMENTS = 500_000, 50_000
"""A matrix of numbers is a single token. A file of 5 MB of other code takes seconds to read."""


@dataclass
class Assignment:
    """target = value; `key` is the target's text without blanks, such as `net.IW{1,1}`."""

    line: int
    key: str
    target: Expression
    value: Expression


@dataclass
class Unread:
    """A statement whose effect is unknown, and the variables that it may set."""

    line: int
    text: str
    names: tuple[str, ...] = ()


@dataclass
class Block:
    """Statements in `if`, `for` or another block; `branches` have their conditions, if any."""

    line: int
    kind: str
    branches: list[tuple[Expression | None, list[Statement]]] = field(default_factory=list)


Statement = Assignment | Unread | Block


@dataclass
class Function:
    """A function, or the statements of a script, whose name is empty.

    `words` has all its tokens, without comments.
    """

    name: str
    parameters: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    body: list[Statement] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


_OPENS = {"if", "for", "parfor", "while", "switch", "try", "classdef", "methods", "properties"}
_BRANCHES = {"else", "elseif", "case", "otherwise", "catch"}
_ENDS = {"end", "endif", "endfor", "endwhile", "endfunction", "end_try_catch", "endswitch"}


def functions_of(text: str) -> list[Function]:
    """The functions of a file, and its script first. Raises `ModelError` for what is no code."""
    reader = _Reader()
    for statement in _statements(text):
        reader.take(statement)
    return reader.functions


def _statements(text: str) -> list[list[Token]]:
    """The tokens of each statement. Raises `ModelError` if there are too many."""
    statements: list[list[Token]] = [[]]
    for number, token in enumerate(tokens(text)):
        if number > _MOST_TOKENS or len(statements) > _MOST_STATEMENTS:
            raise ModelError(f"line {token.line}: it has too many statements for a network.")
        if token.kind != "end":
            statements[-1].append(token)
        elif statements[-1]:
            statements.append([])
    return [statement for statement in statements if statement]


class _Reader:
    """Sorts statements into functions and blocks."""

    def __init__(self) -> None:
        self.functions = [Function("")]
        self._open: list[Block] = []

    def take(self, statement: list[Token]) -> None:
        """Take the next statement."""
        first = statement[0]
        word = first.text if first.kind == "name" else ""
        if word == "function":
            self._begin_function(statement[1:])
        elif word in _OPENS and not _is_assigned(statement):
            self._begin_block(word, statement)
        elif word in _BRANCHES and self._open:
            same_line = _on_the_same_line(statement)
            self._open[-1].branches.append((_condition(statement[1:]), same_line))
        elif word in _ENDS and len(statement) == 1:
            self._end()
        else:
            self._body.append(_statement(statement))
        self.functions[-1].words += [token.text for token in statement]

    @property
    def _body(self) -> list[Statement]:
        return self._open[-1].branches[-1][1] if self._open else self.functions[-1].body

    def _begin_function(self, rest: list[Token]) -> None:
        self._open.clear()
        texts = [token.text for token in rest]
        outputs: tuple[str, ...] = ()
        if "=" in texts:
            outputs = _names(rest[: texts.index("=")])
            rest = rest[texts.index("=") + 1 :]
        name = rest[0].text if rest else ""
        parameters = tuple(
            token.text for token in rest[1:] if token.kind == "name" or token.text in "~!"
        )
        self.functions.append(Function(name, parameters, outputs))

    def _begin_block(self, word: str, statement: list[Token]) -> None:
        if len(self._open) > _MOST_DEPTH:
            raise ModelError(f"line {statement[0].line}: blocks are nested too deeply.")
        block = Block(statement[0].line, word)
        block.branches.append((_condition(statement[1:]), _on_the_same_line(statement)))
        self._body.append(block)
        self._open.append(block)

    def _end(self) -> None:
        """End a block; at the end of a function, what follows belongs to the script."""
        if self._open:
            self._open.pop()


def _is_assigned(statement: Sequence[Token]) -> bool:
    """Whether a statement assigns to a variable that is called like a keyword of a class."""
    return (
        len(statement) > 1
        and statement[0].text in ("methods", "properties")
        and (statement[1].text in ("=", "."))
    )


def _on_the_same_line(statement: list[Token]) -> list[Statement]:
    """What may be set behind a condition without a comma: `if (a) b = 1, end`."""
    head = statement[2:] if statement[0].text in ("for", "parfor") else statement
    signs = [index for index, token in enumerate(head) if token.text == "="]
    behind = signs[1:] if head is not statement else signs
    names = tuple(name for index in behind for name in _names(head[:index])[-1:])
    return [Unread(statement[0].line, _text_of(statement), names)] if names else []


def _condition(statement: list[Token]) -> Expression | None:
    try:
        return Parser(statement).whole() if statement else None
    except NotRead:
        return Other(_text_of(statement))


def _statement(statement: list[Token]) -> Statement:
    line = statement[0].line
    depth = 0
    for index, token in enumerate(statement):
        depth += (token.text in ("(", "{")) - (token.text in (")", "}"))
        if token.kind == "sign" and token.text == "=" and depth == 0:
            return _assignment(line, statement[:index], statement[index + 1 :])
    return Unread(line, _text_of(statement))


def _assignment(line: int, left: list[Token], right: list[Token]) -> Statement:
    try:
        target = Parser(left).whole()
    except NotRead:
        return Unread(line, _text_of([*left, *right]), _names(left))
    if isinstance(target, Other):
        return Unread(line, _text_of([*left, *right]), _names(left))
    key = "".join(token.text for token in left)
    try:
        return Assignment(line, key, target, Parser(right).whole())
    except NotRead:
        return Assignment(line, key, target, Other(_text_of(right)))


def _names(parts: Sequence[Token]) -> tuple[str, ...]:
    """The variables on the left of `=`."""
    names: list[str] = []
    for token in parts:
        if token.kind == "name":
            names.append(token.text)
        elif token.kind in ("brackets", "matrix"):
            names += [word.split("(")[0] for word in token.text[1:-1].replace(",", " ").split()]
    return tuple(name for name in names if name.isidentifier())


_LONGEST = 60


def _text_of(statement: Sequence[Token]) -> str:
    text = " ".join(token.text for token in statement[:_LONGEST])
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
