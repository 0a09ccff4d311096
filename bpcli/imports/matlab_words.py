"""The names of classes in MATLAB functions that `bpnet export --to matlab` wrote."""

from __future__ import annotations

import re

from bpcli.imports.matlab_expressions import Call, Cell, Constant, Expression, Name, Other, Text
from bpcli.imports.matlab_syntax import Assignment, Function


def class_names(function: Function, outputs: int) -> tuple[str, ...]:
    """The classes that `words = {'a','b'}` lists; empty if there are none, or several lists.

    One for each output; or two of a single output.
    """
    cells = [
        each.value.elements
        for each in function.body
        if isinstance(each, Assignment) and each.key == "words" and isinstance(each.value, Cell)
    ]
    if "answers" not in function.outputs or len(cells) != 1:
        return ()
    names = tuple(map(_text_of, cells[0]))
    fits = (len(names), outputs) == (2, 1) or len(names) == outputs > 1
    is_named = len({*names}) == len(names) and all(name.isprintable() for name in names)
    return names if fits and is_named and all(names) else ()


def _text_of(expression: Expression) -> str:
    """A text, of which some characters may be given by their codes; empty for anything else."""
    match expression:
        case Text(text):
            return text
        case Call(Name("native2unicode"), (Call(Name("uint8"), (Constant(codes),)), Text("UTF-8"))):
            return _decoded(codes.ravel().tolist())
        case Other(text):
            return "".join(
                _decoded(piece[2].split()) if piece[2] else piece[1].replace("''", "'")
                for piece in _PIECES.finditer(text)
            )
    return ""


_PIECES = re.compile(r"'((?:[^']|'')*)'|native2unicode\(uint8\(\[([\d ]+)\]\),'UTF-8'\)")


def _decoded(codes: list[str] | list[float]) -> str:
    try:
        return bytes(map(int, codes)).decode("utf-8")
    except ValueError:
        return ""
