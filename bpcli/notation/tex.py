"""Formulas and text in TeX, translated from the plain notation: W1[2,1] becomes W^{(1)}_{2,1}."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

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
