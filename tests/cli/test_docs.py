from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest
from commands import commands

from bpcli import docs

Bpnet = Callable[..., Any]


@pytest.mark.parametrize("name", [name for name, _ in commands() if name])
def test_the_help_of_every_command_ends_with_examples_and_chapters(name: str, bpnet: Bpnet) -> None:
    shown = bpnet(*name.split(), "--help").out
    examples, topics = docs.help_of(name)
    assert examples
    assert all(f"    {line}\n" in shown for line in examples)
    assert all(topic in docs.topics() for topic in topics)
    assert all(f"bpnet docs {topic}" in shown for topic in topics)
    assert topics or name == "docs"


def test_a_pipe_gets_the_source(bpnet: Bpnet) -> None:
    for topic in ("commands", "zh/tutorial"):
        result = bpnet("docs", topic)
        assert (result.code, result.err) == (0, "")
        assert result.out == (docs.FOLDER / f"{topic}.md").read_text("utf-8")
    assert bpnet("docs").out == (docs.FOLDER / "README.md").read_text("utf-8")


def test_search_lists_sections_and_how_to_read_one(bpnet: Bpnet) -> None:
    result = bpnet("docs", "--search", "GBK")
    assert result.code == 0
    first = result.out.splitlines()[2].split()[0]
    assert result.err == f"read one with: bpnet docs {first}\n"
    assert "gbk" in bpnet("docs", first).out.lower()


def test_search_shows_the_first_hits_and_counts_the_others(bpnet: Bpnet) -> None:
    found = len(docs.search("training"))
    result = bpnet("docs", "--search", "training")
    assert len(result.out.splitlines()) == 2 + 15 + 1
    assert result.err.startswith(f"the best 15 of {found} sections are shown\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tabels"], "did you mean `tables`?"),
        (["--search", "xyzzy"], "No section contains a word of `xyzzy`"),
        (["tables", "--search", "gbk"], "leave out TOPIC"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    bpnet: Bpnet, arguments: list[str], message: str
) -> None:
    result = bpnet("docs", *arguments)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert message in result.err


def test_a_terminal_gets_a_pager_if_a_chapter_is_long(
    bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    paged: list[str] = []
    monkeypatch.setattr(click, "echo_via_pager", paged.append)  # `color` would be an error
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    assert bpnet("docs", "commands#schema").out.startswith("\x1b[")
    assert paged == []
    assert bpnet("docs", "commands").out == ""
    assert len(paged) == 1
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[\d;]*3\d", bpnet("docs", "commands#schema").out)
