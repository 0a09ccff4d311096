"""Messages for YAML syntax errors: what is wrong, where, and what to write instead.

PyYAML's own messages name tokens that its scanner expected.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import yaml

from bpcli.config.look_alikes import as_ascii, look_alike_in, remedy
from bpcli.errors import ConfigIssue, Mark

_UNSPACED = re.compile(r"[ \t]*(?:- +)*([A-Za-z_][\w.-]*:)(?=[^\s/:])")
"""A key and its value without a space between them; not a path or address: `c:/a`, `a::b`."""


def space_after_colon(text: str) -> str | None:
    """The hint to write `epochs: 5` for `epochs:5`; None if the text is not of that form."""
    match = _UNSPACED.match(text)
    if match is None:
        return None
    return f"put a space after the colon, `{match[1]} …`"


Diagnosis: TypeAlias = tuple[str, Mark | None]
"""A message and the mark of the text to change."""


def syntax_issue(error: yaml.MarkedYAMLError, lines: list[str]) -> ConfigIssue:
    """A YAML syntax error as an issue, marked at the text to change."""
    message, mark = _diagnosis(error, lines)
    return (mark and _look_alike(lines, mark.line)) or ConfigIssue(message, mark=mark)


def _look_alike(lines: list[str], number: int) -> ConfigIssue | None:
    """The issue of a character on a line that looks like a sign of YAML, if that is the error."""
    line = lines[number] if number < len(lines) else ""
    index = look_alike_in(_QUOTED.sub(lambda quoted: " " * len(quoted[0]), line))
    if index is None or not _parses(
        [*lines[:number], _respaced(as_ascii(line)), *lines[number + 1 :]]
    ):
        return None
    return ConfigIssue(
        f"this is not YAML: {remedy(line, index, 0)}", mark=Mark(number, index, index + 1)
    )


def _respaced(line: str) -> str:
    """The line with a space after each colon and comma; full-width ones have none."""
    return re.sub(r"([:,])(?=\S)", r"\1 ", line)


def _parses(lines: list[str]) -> bool:
    try:
        for _ in yaml.parse("\n".join(lines)):
            pass
    except (yaml.YAMLError, ValueError, OverflowError):
        return False
    return True


def _diagnosis(error: yaml.MarkedYAMLError, lines: list[str]) -> Diagnosis:
    problem, context = error.problem or "", error.context or ""
    at = error.problem_mark or error.context_mark
    start = error.context_mark or at
    for pattern, message, is_at_start in _MESSAGES:
        if re.search(pattern, f"{context}; {problem}", re.DOTALL):
            return message, _mark(start if is_at_start else at)
    if "flow" in context:
        return _open_bracket(problem, at, start, lines)
    if "mapping values are not allowed" in problem:
        return _second_colon(at, lines)
    if "could not find expected ':'" in problem:
        return _no_colon(start, lines)
    if "block" in context:
        return _unexpected(problem, at)
    return f"this is not YAML: {problem}", _mark(at)


_MESSAGES = [
    (r"character '\\t'", "use spaces, not tabs", False),
    (r"character '([@`%|>])'", "a value cannot begin with this character: put it in quotes", False),
    (
        r"directive|incompatible",
        "a line that begins with `%` has no meaning here: remove it",
        True,
    ),
    (r"<document start>", "a second document begins here: a config is one document", False),
    (r"quoted scalar; found unexpected", "this quote is never closed", True),
    (
        r"unknown escape|escape sequence of",
        "in double quotes a backslash begins an escape: write two, or use single quotes",
        False,
    ),
    (r"scanning an alias", "`*` begins an alias: put text with `*` in quotes", True),
    (r"scanning an anchor", "`&` begins an anchor: put text with `&` in quotes", True),
    (r"\btag\b", "tags (`!…`) are not allowed: put text with `!` in quotes", True),
    (
        r"scanning a block scalar",
        "`|` and `>` begin a block of text: put text with them in quotes",
        True,
    ),
    (
        r"sequence entries are not allowed",
        "a list item `- ` belongs on its own line, below its key",
        False,
    ),
    (r"mapping keys are not allowed", "a `? ` is not allowed here: write `key: value`", False),
]
"""A pattern for the scanner's message, our message, and whether to mark the context's start."""


def _mark(at: yaml.Mark | Mark | None, end: int = 0) -> Mark | None:
    return Mark(at.line, at.column, max(end, at.column + 1)) if at else None


_CLOSING = {"[": "]", "{": "}"}


def _open_bracket(
    problem: str, at: yaml.Mark | None, start: yaml.Mark | None, lines: list[str]
) -> Diagnosis:
    assert at is not None, "the parser sets marks"
    assert start is not None, "the parser sets marks"
    if "content" not in problem:
        bracket = Mark(start.line, start.column, start.column + 1)
    elif "<stream end>" in problem:
        bracket = _last_open(lines)
    else:
        return "a value is missing here", _mark(at)
    closing = _CLOSING.get(lines[bracket.line][bracket.column : bracket.end_column], "]` or `}")
    if at.line > bracket.line or "<stream end>" in problem:
        return f"this bracket is never closed: `{closing}` is missing", bracket
    before = lines[at.line][: at.column] if at.line < len(lines) else ""
    if re.search(r"[\w.]\s*=\s*$", before):
        return "expected `key: value`, not `=`", Mark(at.line, before.rindex("="), at.column)
    return f"expected `,` or `{closing}` here", _mark(at)


_QUOTED = re.compile("'[^']*'|\"[^\"]*\"")


def _last_open(lines: list[str]) -> Mark:
    """The last unclosed bracket that is not in quotes."""
    depth = 0
    for number in reversed(range(len(lines))):
        line = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), lines[number])
        for column in reversed(range(len(line))):
            depth += (line[column] in "[{") - (line[column] in "]}")
            if depth == 1:
                return Mark(number, column, column + 1)
    return Mark(0, 0, 1)


def _second_colon(at: yaml.Mark | None, lines: list[str]) -> Diagnosis:
    assert at is not None, "the scanner sets marks"
    hint = space_after_colon(lines[at.line - 1]) if at.line else None
    if hint is not None:
        before = lines[at.line - 1]
        start = len(before) - len(before.lstrip(" -"))
        return hint, Mark(at.line - 1, start, len(before.rstrip()))
    head = lines[at.line][: at.column] if at.line < len(lines) else ""
    if ": " in head:
        return "a second colon on the line: put the value in quotes", _mark(at)
    above = lines[at.line - 1] if at.line else ""
    if above.strip() and ":" not in above:
        return _no_colon(Mark(at.line - 1, len(above) - len(above.lstrip(" -")), 0), lines)
    if at.column > _LONGEST_KEY:
        return f"a key has at most {_LONGEST_KEY} characters", Mark(at.line, 0, 1)
    start = len(head) - len(head.lstrip(" "))
    message = "this line is indented as if it belonged to the value above"
    return f"{message}: align it with the other keys", Mark(at.line, start, at.column)


_LONGEST_KEY = 1024
"""The number of characters in which YAML looks for the colon of a key."""


def _no_colon(start: yaml.Mark | Mark | None, lines: list[str]) -> Diagnosis:
    assert start is not None, "the scanner sets marks"
    text = lines[start.line] if start.line < len(lines) else ""
    usual = "no colon here: expected `key: value`" + ", not `=`" * bool(_EQUALS.match(text))
    message = space_after_colon(text[start.column :]) or usual
    return message, _mark(start, len(text.rstrip()))


_EQUALS = re.compile(r"[ -]*[\w.]+\s*=")

_BRACKETS = re.compile(r"'([\]},])'")


def _unexpected(problem: str, at: yaml.Mark | None) -> Diagnosis:
    """The message for text where a list or mapping should continue or end."""
    sign = _BRACKETS.search(problem)
    if sign is not None and sign[1] != ",":
        return f"this `{sign[1]}` closes no bracket: remove it", _mark(at)
    if "found '<block" in problem or re.search(r"found '[-?]'", problem):
        message = "this indentation matches no line above: align it with the other keys"
        return message, _mark(at)
    return "a second value begins here, but a key has one: put all of it in quotes", _mark(at)
