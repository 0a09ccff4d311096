"""The handbook: Markdown files beside this module, found by topic, by section and by words.

A topic is a file's path without `.md`: `tables`, `zh/tutorial`. A section is named as in a link:
`files#a-gbk-file`. How a terminal shows them is not told here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bpcli.errors import ConfigError
from bpcli.text import did_you_mean

FOLDER = Path(__file__).parent
CONTENTS = "README"
"""The topic of the chapter that lists all others."""

_FOR_DEVELOPERS = ("claims", "contributing", "CHANGELOG")
_HEADING = re.compile(r"(#+) (.+)")
_FENCE = "```"


class Section(NamedTuple):
    """A heading with the text down to the next one; `level` counts from 1, the title."""

    heading: str
    level: int
    lines: list[str]


class Hit(NamedTuple):
    """A section that mentions what was searched for, and the first line that does."""

    reference: str
    heading: str
    line: str


def topics() -> list[str]:
    """All topics, in the order of the contents."""
    return re.findall(r"^- \[[^]]+\]\(([\w/-]+)\.md\)", _text(CONTENTS), re.MULTILINE)


def read(reference: str) -> str:
    """The Markdown of a chapter, or of one of its sections: `files` or `files#a-gbk-file`.

    Raises `ConfigError` if there is no such chapter or section.
    """
    topic, _, wanted = reference.partition("#")
    if topic not in (CONTENTS, *topics()):
        hint = did_you_mean(topic, topics())
        raise ConfigError(
            f"There is no chapter `{topic}`{hint or ';'} `bpnet docs` lists them, and "
            f'`bpnet docs --search "{topic}"` finds what mentions it.'
        )
    if not wanted:
        return _text(topic)
    sections = list(sections_of(_text(topic)))
    names = [anchor(section.heading) for section in sections]
    if wanted not in names:
        hint = did_you_mean(wanted, names)
        raise ConfigError(
            f"Chapter `{topic}` has no section `{wanted}`{hint or ';'} "
            f"`bpnet docs {topic}` shows the whole chapter."
        )
    return _with_subsections(sections[names.index(wanted) :])


def _with_subsections(sections: list[Section]) -> str:
    """The first section and those below its heading."""
    first, *rest = sections
    end = next((i for i, each in enumerate(rest) if each.level <= first.level), len(rest))
    lines = [line for section in (first, *rest[:end]) for line in section.lines]
    return "\n".join(lines).rstrip() + "\n"


def search(text: str) -> list[Hit]:
    """The sections in which all words of a text occur.

    Those with the most words in their heading come first, then those that repeat them most often;
    chapters for developers come last. Upper and lower case are the same.
    """
    words = text.lower().split()
    found = [
        ((topic in _FOR_DEVELOPERS, *_rank(section, words)), _hit(topic, section, words))
        for topic in topics()
        for section in sections_of(_text(topic))
        if _has_all("\n".join(section.lines), words)
    ]
    return [hit for _, hit in sorted(found, key=lambda pair: pair[0])]


def _rank(section: Section, words: list[str]) -> tuple[int, int]:
    heading, body = section.heading.lower(), "\n".join(section.lines).lower()
    return -sum(word in heading for word in words), -sum(map(body.count, words))


def _has_all(text: str, words: list[str]) -> bool:
    return all(word in text.lower() for word in words)


def _hit(topic: str, section: Section, words: list[str]) -> Hit:
    reference = f"{topic}#{anchor(section.heading)}"
    body = section.lines[1:] or section.lines
    best = max(body, key=lambda line: sum(word in line.lower() for word in words))
    return Hit(reference, section.heading, best.strip())


def sections_of(text: str) -> Iterator[Section]:
    """The sections of a chapter, in order; a `#` within a fenced block is no heading."""
    section, in_block = Section("", 0, []), False
    for line in text.splitlines():
        in_block ^= line.startswith(_FENCE)
        heading = None if in_block else _HEADING.fullmatch(line)
        if heading is not None:
            if section.lines:
                yield section
            section = Section(heading[2], len(heading[1]), [])
        section.lines.append(line)
    yield section


def anchor(heading: str) -> str:
    """The name by which a link finds a heading, as on a code host: words joined by hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def help_of(command: str) -> tuple[list[str], list[str]]:
    """What the chapter on commands says of one: its examples, and the topics to read."""
    (lines,) = (
        section.lines for section in sections_of(_text("commands")) if section.heading == command
    )
    examples = [line.removeprefix("    ") for line in lines if line.startswith("    ")]
    chapters = re.findall(r"\]\(([\w/-]+)\.md", "\n".join(lines))
    return examples, [topic for topic in chapters if topic != CONTENTS]


@cache
def _text(topic: str) -> str:
    return (FOLDER / f"{topic}.md").read_text("utf-8")
