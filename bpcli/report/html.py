"""Makes HTML and SVG. Every text is escaped here, and there is no other way to make markup.

So nothing in a run's names, data or config can become an element, an attribute or a script.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from typing import TypeAlias

from bpcli.errors import RunError


class Html:
    """Finished markup. Only the functions of this module make it."""

    __slots__ = ("_text",)

    def __init__(self, text: str, key: object) -> None:
        if key is not _KEY:
            raise TypeError("markup is made by tag(), joined() and data_block() only")
        self._text = text

    def __str__(self) -> str:
        return self._text


_KEY = object()

Child: TypeAlias = "Html | str | float | Iterable[Child] | None"
"""What an element may contain: markup, text, numbers, nothing, or several of these."""

Attribute: TypeAlias = str | float | bool | None
"""A value of an attribute. True is an attribute without a value; False and None leave it out."""

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
_VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}
_FORBIDDEN = {"script", "style", "iframe", "object", "embed", "base", "form"}
_ADDRESSES = {"href", "src", "action", "formaction", "data", "poster", "srcset"}


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """An element. Texts among the children and the values of attributes are escaped.

    In names of attributes, `_` stands for `-`, and a last one is left out: `class_`, `aria_label`.
    Addresses are only anchors within the page, or images that are data.
    """
    if not _NAME.fullmatch(name) or name.lower() in _FORBIDDEN:
        raise ValueError(f"`{name}` is not an element of a page")
    start = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{start}>", _KEY)
    return Html(f"<{start}>{_content(children)}</{name}>", _KEY)


def joined(*children: Child) -> Html:
    """Several pieces, one after the other."""
    return Html(_content(children), _KEY)


def prose(text: str) -> Html:
    """A text in which what stands in backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return joined(text)
    return joined(*(tag("code", part) if index % 2 else part for index, part in enumerate(parts)))


def paragraph(text: str, class_: str | None = None) -> Html:
    """A paragraph of prose."""
    return tag("p", prose(text), class_=class_)


def _content(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return str(child)
    if isinstance(child, str):
        return escaped(child)
    if isinstance(child, Iterable):
        return "".join(map(_content, child))
    return escaped(str(child))


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    if not _NAME.fullmatch(name) or name.lower().startswith("on") or name == "style":
        raise ValueError(f"`{name}` is not an attribute of a page")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    if name in _ADDRESSES and not str(value).startswith(("#", "data:image/png;base64,")):
        raise ValueError(f"`{name}` may not lead out of the page")
    return f' {name}="{escaped(str(value))}"'


_SIGNS = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_LINES = {"\n", "\t"}


def escaped(text: str) -> str:
    r"""Text for an element or an attribute.

    Characters that cannot be printed, such as those that turn the direction of a line, lone
    surrogates and NUL, become visible escapes: `\u202e`.
    """
    if text.isascii() and text.isprintable() and not _SIGNS.keys() & set(text):
        return text
    return "".join(map(_escape, text))


def _escape(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    if sign.isprintable() or sign in _LINES:
        return sign
    return _code(sign)


def _code(sign: str) -> str:
    number = ord(sign)
    return f"\\U{number:08x}" if number > 0xFFFF else f"\\u{number:04x}"


def data_block(id_: str, value: object) -> Html:
    """JSON for a script of the page, which finds it by the id of its element.

    The document has ASCII only, without `<`, `>` and `&`, so that nothing in it can end the
    element. Raises `ValueError` for NaN and infinity, which JSON does not have.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Html(f'<script type="application/json"{_attribute("id", id_)}>{text}</script>', _KEY)


def document(language: str, title: str, styles: list[str], scripts: list[str], body: Html) -> str:
    """The whole file. It may load nothing, and run none but these scripts."""
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hashes(styles)}",
            f"script-src {_hashes(scripts)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        *[Html(f"<style>{_inline(text)}</style>", _KEY) for text in styles],
    ]
    last = [Html(f"<script>{_inline(text)}</script>", _KEY) for text in scripts]
    page = tag("html", tag("head", head), tag("body", body, last), lang=language)
    return f"<!doctype html>\n{page}\n"


def _hashes(texts: list[str]) -> str:
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"


def _inline(text: str) -> str:
    """A style sheet or script of ours, which nothing of a run has gone into."""
    if "</" in text or "<!--" in text:
        raise RunError("A style sheet or script of the report contains `</` or `<!--`.")
    return text
