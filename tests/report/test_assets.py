"""No word and no class of the style sheets is left over."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

import bpcli
from bpcli.report.page import ASSETS
from bpcli.report.words import LANGUAGES, words_of

PACKAGE = Path(bpcli.__file__).parent
OF_WORDS = ("words.py",)
"""Its own patterns, as `{key}.{form}`, would fit everything."""

SCRIPTS = "".join(path.read_text("utf-8") for path in ASSETS.glob("*.js"))


def texts_of(paths: Iterable[Path]) -> tuple[set[str], set[str]]:
    """The texts in these files, and patterns of those with `{}` in them."""
    constants, patterns = set[str](), set[str]()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                constants.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                pieces = (
                    re.escape(str(piece.value)) if isinstance(piece, ast.Constant) else "(.+)"
                    for piece in node.values
                )
                patterns.add("".join(pieces))
    return constants, patterns


@cache
def of_the_report() -> tuple[set[str], set[str]]:
    """Also of the diagnosis, whose severities are classes."""
    paths = [*(PACKAGE / "report").rglob("*.py"), *(PACKAGE / "diagnosis").glob("*.py")]
    return texts_of(path for path in paths if path.name not in OF_WORDS)


@cache
def anywhere() -> set[str]:
    return texts_of(PACKAGE.rglob("*.py"))[0]


def is_made(text: str, patterns: Iterable[str]) -> bool:
    """Whether a text is made of a pattern and of texts that the package has, or of a number."""
    matches = (re.fullmatch(pattern, text) for pattern in patterns)
    return any(
        all(part.isdigit() or part in anywhere() for part in match.groups())
        for match in matches
        if match is not None
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_used(language: str) -> None:
    constants, all_patterns = of_the_report()
    patterns = [pattern for pattern in all_patterns if re.match(r"[a-z_]+\\\.", pattern)]
    unused = [
        key
        for key in words_of(language)
        if not ({key, re.sub(r"\.(one|many)$", "", key)} & constants or is_made(key, patterns))
    ]
    assert unused == []


STYLES = {
    path.name: re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", path.read_text("utf-8"), flags=re.DOTALL)
    for path in ASSETS.glob("*.css")
}
"""The selectors, without comments and rules."""


@pytest.mark.parametrize("name", STYLES)
def test_every_class_of_a_style_sheet_is_used(name: str) -> None:
    constants, all_patterns = of_the_report()
    words = {word for text in constants for word in text.split()}
    words |= set(re.findall(r"[\w-]+", SCRIPTS))
    patterns = {
        part for pattern in all_patterns for part in re.split(r"\\? ", pattern) if part != "(.+)"
    }
    found = set(re.findall(r"\.([a-zA-Z][\w-]*)", STYLES[name]))
    assert [
        each for each in sorted(found) if each not in words and not is_made(each, patterns)
    ] == []


def test_every_colour_is_used() -> None:
    text = "".join(path.read_text("utf-8") for path in ASSETS.glob("*.css"))
    used = set(re.findall(r"var\((--[\w-]+)", text + SCRIPTS))
    assert set(re.findall(r"(--[\w-]+):", text)) == used
