from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from small_configs import syntax_error

from bpcli.config.issues import lines_of
from bpcli.config.syntax import space_after_colon, syntax_issue


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [1, *a]", "c.yaml:1:11: `*a` is inside its own anchor `&a`"),
        ("a: &foo 1\nb: *fo", "c.yaml:2:4: there is no `&fo` above for this alias; did you mean"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n  b: 2", "c.yaml:3:3: merging (`<<`) is not supported"),
        ("a: 1e400", "c.yaml:1:4: `1e400` is too large"),
        ("a", "c.yaml:1:1: a config is a mapping of `key: value` lines"),
        ("a\nb: 1", "c.yaml:1:1: no colon here: expected `key: value`"),
        ("a: 1\nb\nc: 2", "c.yaml:2:1: no colon here"),
        ("a = 1", "c.yaml:1:1: a config is a mapping"),
        ("a: 1\nb = 2", "c.yaml:2:1: no colon here: expected `key: value`, not `=`"),
        ("b = 2\na: 1", "c.yaml:1:1: no colon here: expected `key: value`, not `=`"),
        ("a: {b = [1], c: 2}", "c.yaml:1:7: expected `key: value`, not `=`"),
        ("a:\n\tb: 1", "c.yaml:2:1: use spaces, not tabs"),
        ("a:1", "c.yaml:1:1: put a space after the colon"),
        ("t:\n  epochs:5\n  l2: 0", "c.yaml:2:3: put a space after the colon"),
        ("a: 1\n  b: 2", "c.yaml:2:3: this line is indented as if"),
        ("a:\n   b: 1\n  c: 2", "c.yaml:3:3: this indentation matches no line above"),
        ("a: b: c", "c.yaml:1:5: a second colon on the line"),
        ("a: [1, [2, 3]", "c.yaml:1:4: this bracket is never closed: `]` is missing"),
        ("a: [1, {", "c.yaml:1:8: this bracket is never closed: `}` is missing"),
        ("a: [']',", "c.yaml:1:4: this bracket is never closed: `]` is missing"),
        ('a: {b: "[[",', "c.yaml:1:4: this bracket is never closed: `}` is missing"),
        ("a: [it's,\n", "c.yaml:1:4: this bracket is never closed: `]` is missing"),
        ("a: [1]]\nb: 2", "c.yaml:1:7: this `]` closes no bracket"),
        ("a: [1,,2]", "c.yaml:1:7: a value is missing here"),
        ("a: {b: 1]", "c.yaml:1:9: expected `,` or `}` here"),
        ('a: "x\nb: 1', "c.yaml:1:4: this quote is never closed"),
        ('a: "x" y', "c.yaml:1:8: a second value begins here"),
        ("a: @x", "c.yaml:1:4: a value cannot begin with this character"),
        ("a: `x`", "c.yaml:1:4: a value cannot begin with this character"),
        ("%x: 1", "c.yaml:1:1: a line that begins with `%`"),
        ("a: *", "c.yaml:1:4: `*` begins an alias"),
        ("a: - 1", "c.yaml:1:4: a list item"),
        ('a: "\\d"', "c.yaml:1:6: in double quotes a backslash"),
        ('a: "\\0"', "c.yaml:1:4: this text contains NUL"),
        ("a: 1\n...\nb: 2", "c.yaml:3:1: a second document begins here"),
    ],
)
def test_an_error_of_syntax_says_what_to_do(text: str, message: str) -> None:
    error = syntax_error(text)
    assert message in error
    assert error.endswith("1 error in c.yaml")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("epochs:5", "put a space after the colon, `epochs: …`"),
        ("  - l2:0.5", "put a space after the colon, `l2: …`"),
        ("max_fail:x y", "put a space after the colon, `max_fail: …`"),
        ("epochs: 5", None),
        ("epochs:", None),
        ("c:/data.csv", None),
        ("https://example.org", None),
        ("a::b", None),
        ("5:6", None),
        ("two words:x", None),
    ],
)
def test_a_key_without_a_space_after_its_colon_is_known_from_a_path(
    text: str, hint: str | None
) -> None:
    assert space_after_colon(text) == hint


PIECES = [
    "a", ": ", ":", "\n", " ", "  ", "- ", "[", "]", "{", "}", ",", "'", '"', "&x ", "*x", "!t ",
    "|", ">", "%", "@", "\\d", "#", "? ", "\t", "---", "...", "1",
]  # fmt: skip
JARGON = r"expected [<']|could not find|while |this is not YAML|did not find"


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_every_error_is_in_our_words_and_marked_inside_the_text(text: str) -> None:
    try:
        [*yaml.parse(text, yaml.SafeLoader)]
    except yaml.MarkedYAMLError as error:
        lines = lines_of(text)
        issue = syntax_issue(error, lines)
        assert not re.search(JARGON, issue.message)
        assert issue.mark is not None
        assert 0 <= issue.mark.line < len(lines)
        assert 0 <= issue.mark.column <= len(lines[issue.mark.line])
        assert issue.mark.end_column > issue.mark.column
