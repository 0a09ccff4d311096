"""The handbook: Markdown files beside this module, found by topic, by section and by words.

A topic is a file's path without `.md`: `tables`, `zh/tutorial`. A section is named as in a link:
`files#a-gbk-file`. `cli` shows them in a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bpcli.errors import ConfigError
from bpcli.text import did_you_mean

FOLDER = Path(__file__).parent
CONTENTS = "README"
"""The topic of the chapter that lists all others."""

_FOR_DEVELOPERS = ("claims", "contributing", "dependencies", "CHANGELOG")
_WORD = r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]{2,}"
"""A word, or a character of a text that has no spaces between words."""
_HEADING = re.compile(r"(#+) (.+)")
_FENCE = "```"


class Section(NamedTuple):
    """A heading with the text down to the next one; `level` counts from 1, the title."""

    heading: str
    level: int
    lines: list[str]


class Hit(NamedTuple):
    """A section that mentions what was searched for, and the line that does so best."""

    reference: str
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
            f"There is no chapter `{topic}`{hint or ';'} `bpnet docs` lists all chapters, and "
            f'`bpnet docs --search "{topic}"` searches their text.'
        )
    if not wanted:
        return _text(topic)
    sections = _sections(topic)
    names = [anchor(section.heading) for section in sections]
    if wanted not in names:
        hint = did_you_mean(wanted, names)
        raise ConfigError(
            f"Chapter `{topic}` has no section `{wanted}`{hint or ';'} "
            f"`bpnet docs {topic}` shows the whole chapter."
        )
    return _with_subsections(sections[names.index(wanted) :])


def _with_subsections(sections: Sequence[Section]) -> str:
    """The first section and those below its heading."""
    first, *rest = sections
    end = next((i for i, each in enumerate(rest) if each.level <= first.level), len(rest))
    lines = [line for section in (first, *rest[:end]) for line in section.lines]
    return "\n".join(lines).rstrip() + "\n"


def search(text: str) -> list[Hit]:
    """The sections that have words of a text, the best first; those for developers count half.

    Sections and text are compared by the cosine of their word counts, weighted by tf-idf: a word
    counts more the fewer sections have it. Words of a heading count three times. Case and endings
    such as a plural s do not matter.
    """
    # here: the import takes half a second
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

    sections = [(topic, section) for topic in topics() for section in _sections(topic)]
    texts = ["\n".join([*section.lines, *[section.heading] * 2]) for _, section in sections]
    vectorizer = TfidfVectorizer(
        preprocessor=_normalised,
        token_pattern=_WORD,
        stop_words=[_normalised(word) for word in ENGLISH_STOP_WORDS],
        sublinear_tf=True,
    )
    scores = (vectorizer.fit_transform(texts) @ vectorizer.transform([text]).T).toarray().ravel()
    scores[[topic in _FOR_DEVELOPERS for topic, _ in sections]] /= 2
    order = sorted(scores.nonzero()[0], key=scores.__getitem__, reverse=True)
    words = vectorizer.build_analyzer()(text)
    return [_hit(topic, section, words) for topic, section in (sections[index] for index in order)]


def _normalised(text: str) -> str:
    """The text in small letters, its words without the usual English endings."""
    return re.sub(r"(?<=[a-z]{3})(?:ings?|ed|es|e|s)+\b", "", text.lower())


def _hit(topic: str, section: Section, words: list[str]) -> Hit:
    """A section with the line that has the most and the longest of some words."""
    body = [line for line in section.lines[1:] if line.strip()] or section.lines
    best = max(body, key=lambda line: sum(len(word) for word in words if word in _normalised(line)))
    return Hit(f"{topic}#{anchor(section.heading)}", best.strip())


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
    (lines,) = (each.lines for each in _sections("commands") if each.heading == command)
    examples = [line.removeprefix("    ") for line in lines if line.startswith("    ")]
    chapters = re.findall(r"\]\(([\w/-]+)\.md", "\n".join(lines))
    return examples, [topic for topic in chapters if topic != CONTENTS]


@cache
def _sections(topic: str) -> tuple[Section, ...]:
    return tuple(sections_of(_text(topic)))


@cache
def _text(topic: str) -> str:
    return (FOLDER / f"{topic}.md").read_text("utf-8")
