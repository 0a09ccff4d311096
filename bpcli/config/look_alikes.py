"""Characters that look like YAML's signs: full-width forms, typographic quotes, special spaces."""

from __future__ import annotations

from bpcli.errors import ConfigIssue

_FULL_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_SPACES = dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", " ")
_NOTHING = dict.fromkeys("；\u00ad\u200b\u200c\u200d\u2060", "")
_OTHERS = dict(zip("【】〔〕「」、“”„‘’−–—", '[][]"","""\'\'---', strict=True))
_ASCII = _FULL_WIDTH | _SPACES | _NOTHING | _OTHERS
_TO_ASCII = str.maketrans(_ASCII)


def as_ascii(text: str) -> str:
    """The text with the plain signs that were probably meant."""
    return text.translate(_TO_ASCII)


def look_alike_in(text: str) -> int | None:
    """The index of the first look-alike, preferably of a sign that gives YAML its structure."""
    indices = [index for index, character in enumerate(text) if character in _ASCII]
    structural = [index for index in indices if not _ASCII[text[index]].isalnum()]
    return next(iter([*structural, *indices]), None)


def remedy(text: str, index: int, column: int) -> str:
    """The phrase that names a look-alike and what to write; the text begins at `column`."""
    character, code = text[index], f"U+{ord(text[index]):04X}"
    what = f"`{character}` ({code})" if character.isprintable() else code
    meant = _ASCII[character]
    way = "remove it" if not meant else "write a space" if meant == " " else f"write `{meant}`"
    return f"{_BEGIN} {column + index + 1} is {what}: {way}"


def with_hint(issue: ConfigIssue, lines: list[str]) -> ConfigIssue:
    """The issue, with the first look-alike in the text that it marks, if there is one."""
    mark = issue.mark
    if mark is None or (mark.origin is None and mark.line >= len(lines)):
        return issue
    text = (mark.origin or lines[mark.line])[mark.column : mark.end_column]
    index = look_alike_in(text)
    if index is None or text[:1] in "'\"" or _BEGIN in issue.message:
        return issue
    return issue._replace(message=f"{issue.message}; {remedy(text, index, mark.column)}")


_BEGIN = "the character in column"
