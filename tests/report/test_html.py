"""Markup: everything is escaped, and nothing leads out of the page."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from bpcli.errors import RunError
from bpcli.report.html import Html, data_block, document, escaped, joined, tag

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "\" onload='alert(1)",
    "'><svg/onload=alert(1)>",
    "a & b &lt; c",
    "\u202egnp.exe\u2066",
    "a\x00b\ud800c\u2028d",
    "]]><!--",
]


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))

    def handle_data(self, text: str) -> None:
        self.text += text


def _seen(markup: object) -> _Seen:
    parser = _Seen()
    parser.feed(str(markup))
    return parser


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_stays_a_text_in_elements_and_attributes(text: str) -> None:
    seen = _seen(tag("p", text, tag("b", [text]), title=text))
    assert [name for name, _ in seen.tags] == ["p", "b"]
    assert [*seen.tags[0][1]] == ["title"]
    assert seen.text.isprintable()
    assert seen.text[: len(seen.text) // 2] == seen.tags[0][1]["title"]


@pytest.mark.parametrize("text", HOSTILE)
def test_data_stay_data(text: str) -> None:
    block = str(data_block("d", {text: [text, 1.5, None]}))
    body = block.removeprefix('<script type="application/json" id="d">').removesuffix("</script>")
    assert not {*"<>&\u2028"} & {*body}
    assert json.loads(body) == {text: [text, 1.5, None]}


def test_what_cannot_be_printed_is_spelled_out() -> None:
    assert escaped("a\x00\u202e\ud800\U000e0001") == r"a\u0000\u202e\ud800\U000e0001"
    assert escaped("权重\n\t") == "权重\n\t"


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("script", {}),
        ("SCRIPT", {}),
        ("p onclick", {}),
        ("p", {"onclick": "alert(1)"}),
        ("p", {"style": "color: red"}),
        ("a", {"href": "https://example.org"}),
        ("a", {"href_": "javascript:alert(1)"}),
        ("img", {"src": "x.png"}),
        ("p", {"a b": "c"}),
    ],
)
def test_what_could_run_or_load_something_is_refused(name: str, attributes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="page"):
        tag(name, **attributes)


def test_markup_is_made_by_its_functions_only() -> None:
    with pytest.raises(TypeError):
        Html("<script>", None)


def test_attributes_that_are_not_set_are_left_out() -> None:
    assert str(tag("p", 1, None, hidden=True, lang=None, class_="a", data_x=0.5)) == (
        '<p hidden class="a" data-x="0.5">1</p>'
    )
    assert str(joined("<", tag("br"))) == "&lt;<br>"


def test_a_document_allows_its_own_styles_and_scripts_only() -> None:
    page = document("en", "</title>", ["p {}"], ["1;"], tag("p"))
    assert "default-src &#39;none&#39;" in page
    assert page.count("sha256-") == 2
    assert "<title>&lt;/title&gt;</title>" in page
    with pytest.raises(RunError):
        document("en", "", [], ["'</script>'"], tag("p"))
