"""What a section of a report is."""

from __future__ import annotations

from dataclasses import dataclass

from bpcli.report.html import Html


@dataclass(frozen=True, eq=False)
class Section:
    """A section: the id of its anchor, its heading, and its content, in which headings are h3.

    `assets` names files in `assets/`, without their endings, that it needs besides `page.css` and
    `page.js`: for `scrubber`, these are `scrubber.css` and `scrubber.js`.
    """

    id: str
    title: str
    body: Html
    assets: tuple[str, ...] = ()
