"""Full-width signs, typographic quotes and odd spaces in a config are named with their place."""

from __future__ import annotations

import pytest
from small_configs import syntax_error

from bpcli.config.issues import config_error
from bpcli.config.look_alikes import as_ascii
from bpcli.errors import ConfigIssue, Mark


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a: 1\nb：2", "2:2", "`：` (U+FF1A): write `:`"),
        ("a：\n  b: 2", "1:2", "`：` (U+FF1A): write `:`"),
        ("a: {b: 1， c: 2]", "1:9", None),
        ("a: {b: [1]， c: 2}", "1:11", "`，` (U+FF0C): write `,`"),
        ("a: {b: [1]、c: 2}", "1:11", "`、` (U+3001): write `,`"),
        ("a: {b: [1】}", "1:10", "`】` (U+3011): write `]`"),
        ("a: ｛b: 1｝", "1:4", "`｛` (U+FF5B): write `{`"),
        ("a: 1\nb:\u3000x", "2:3", "U+3000: write a space"),
        ("a: 1\nb:\u00a0x", "2:3", "U+00A0: write a space"),
        ("a: 1\nb:\u200bx", "2:3", "U+200B: remove it"),
    ],
)
def test_a_character_that_breaks_the_syntax_is_named(
    text: str, place: str, what: str | None
) -> None:
    error = syntax_error(text)
    if what is None:
        assert "the character" not in error, "with `,` it would be no YAML either"
        return
    column = place.split(":")[1]
    assert error.startswith(
        f"c.yaml:{place}: this is not YAML: the character in column {column} is {what}\n"
    )
    assert error.count("the character") == 1


@pytest.mark.parametrize("text", ["a: 1\n'b：2'", "# ：\na: [1", 'a: "：', "a: 1\n# ：\n  b: 2"])
def test_a_character_in_quotes_or_beside_another_error_is_not_blamed(text: str) -> None:
    assert "the character" not in syntax_error(text)


def message_of(line: str, start: int, end: int, origin: str | None = None) -> str:
    issue = ConfigIssue("found it", ("a",), mark=Mark(0, start, end, origin))
    return config_error("c.yaml", line, [issue]).issues[0].message


@pytest.mark.parametrize(
    ("line", "start", "hint"),
    [
        ("a: [1， 2]", 4, "; the character in column 6 is `，` (U+FF0C): write `,`"),
        ("a: ０.１", 3, "; the character in column 4 is `０` (U+FF10): write `0`"),
        ("a: ０，１", 3, "; the character in column 5 is `，` (U+FF0C): write `,`"),
        ("a: −1", 3, "; the character in column 4 is `−` (U+2212): write `-`"),
        ("a: “x”", 3, '; the character in column 4 is `“` (U+201C): write `"`'),
        ("a: x；", 3, "; the character in column 5 is `；` (U+FF1B): remove it"),
        ("a：{b: 1}", 0, "; the character in column 2 is `：` (U+FF1A): write `:`"),
        ("a: '１'", 3, ""),
        ("a: 年龄", 3, ""),
        ("a: é", 3, ""),
    ],
)
def test_a_value_or_key_that_is_wrong_tells_of_its_character(
    line: str, start: int, hint: str
) -> None:
    assert message_of(line, start, len(line)) == f"found it{hint}"


def test_only_the_marked_text_is_looked_at_also_of_an_option() -> None:
    assert message_of("a：1", 2, 3) == "found it"
    option = "--set a=１"
    assert "column 9 is `１`" in message_of("a: 1", 8, 9, option)


def test_signs_become_those_of_yaml() -> None:
    assert as_ascii("ａ：【１，２】“ｘ”\u3000−") == 'a:[1,2]"x" -'
