"""Makes the file of a report from its sections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bpcli.report.html import Html, document, joined, tag
from bpcli.report.section import Section
from bpcli.report.words import Words

ASSETS = Path(__file__).parent / "assets"


def page(title: str, banner: Html, sections: Sequence[Section], words: Words) -> str:
    """The text of an HTML file that needs no other file."""
    names = dict.fromkeys(["page", *(name for each in sections for name in each.assets)])
    body = joined(
        tag("a", words("page.skip"), href="#main", class_="skip"),
        tag("header", banner, class_="banner"),
        _contents(sections, words),
        tag("main", map(_section, sections), id="main", tabindex=-1),
        tag("footer", tag("p", words("page.footer"))),
    )
    language = {"zh": "zh-CN"}.get(words.language, words.language)
    return document(language, title, _assets(names, ".css"), _assets(names, ".js"), body)


def _contents(sections: Sequence[Section], words: Words) -> Html:
    links = [tag("li", tag("a", each.title, href=f"#{each.id}")) for each in sections]
    return tag("nav", tag("ul", links), aria_label=words("page.contents"), class_="contents")


def _section(section: Section) -> Html:
    heading = f"{section.id}-title"
    return tag(
        "section",
        tag("h2", section.title, id=heading),
        section.body,
        id=section.id,
        aria_labelledby=heading,
    )


def _assets(names: dict[str, None], ending: str) -> list[str]:
    files = [ASSETS / f"{name}{ending}" for name in names]
    return [file.read_text("utf-8") for file in files if file.is_file()]
