from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.config.load import dump
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.errors import ConfigError


def value(text: str) -> Any:
    return Source.parse(f"key: {text}", "c.yaml").tree["key"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-3", 0.001),
        ("5e-06", 5e-06),
        ("1.", 1.0),
        (".5", 0.5),
        ("-2", -2),
        ("0x10", 16),
        ("0o17", 15),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        (".inf", math.inf),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("[1, a]", [1, "a"]),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 010", "c.yaml:1:4: write 10 or '010', not 010"),
        ("a: 1\nb: 2\na: 3", "c.yaml:3:1: the key `a` is repeated; its first value is on line 1"),
        ("a: !!python/object:os.system x", "tags"),
        ("- 1", "a config is a mapping"),
        ("just words", "a config is a mapping"),
        ("", "the file is empty"),
        ("a: 1\n---\nb: 2", "a config is one document"),
        ("a: [1, 2", "c.yaml:1:4: this bracket is never closed: `]` is missing"),
        ("a:\n\t- 1", "use spaces, not tabs"),
        ("? [1, 2]\n: 3", "a key is text"),
        (f"a: {'9' * 5000}", "5000 digits"),
        ("a: " + "[" * 60_000, "nests deeper"),
        ("a: 1\nb: \x07", "c.yaml:2:4: the character U+0007"),
        (f"a: 0x{'f' * 5000}", "5002 digits"),
    ],
)
def test_what_is_no_config_is_one_clear_error(text: str, message: str) -> None:
    assert message in error_of(text)


def error_of(text: str) -> str:
    """The error of a text, whether it ends the parsing or is kept for later."""
    with pytest.raises(ConfigError) as caught:
        raise Source.parse(text, "c.yaml").error()
    return str(caught.value)


def test_several_errors_of_syntax_are_reported_together() -> None:
    error = error_of("a: 010\nb: !t 1\na: 2\n")
    assert [line.split(": ")[0] for line in error.splitlines() if "c.yaml:" in line] == [
        "c.yaml:1:4",
        "c.yaml:2:4",
        "c.yaml:3:1",
    ]


def test_marks_point_at_keys_and_values() -> None:
    source = Source.parse("a:\n  - x\n  - {b: 10}\n", "c.yaml")
    mark = source.mark_of(("a", 1, "b"))
    assert mark is not None
    assert (mark.line, mark.column, mark.end_column) == (2, 8, 10)
    mark = source.mark_of(("a", 1, "b"), key=True)
    assert mark is not None
    assert (mark.line, mark.column) == (2, 5)
    missing = source.mark_of(("a", 1, "c"))
    assert missing is not None
    assert missing.line == 2


def test_files_that_cannot_be_read_are_one_clear_error(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("name: é".encode("latin-1"))
    for path, message in (
        (tmp_path / "none.yaml", "no file"),
        (tmp_path, "a folder"),
        (latin, "not UTF-8"),
    ):
        with pytest.raises(ConfigError, match=message):
            Source.read(path)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: [2,\r\n  3]\r\n")
    assert Source.read(path).tree == {"a": 1, "b": [2, 3]}


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.text("abcné1e.:#-'\" \n0x_~[{&*!%@,", max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc1", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_like)
def test_what_is_dumped_reads_back_the_same(tree: object) -> None:
    again = Source.parse(dump({"value": tree}), "c.yaml").tree["value"]
    assert again == tree
    assert repr(again) == repr(tree)


def overridden(text: str, *assignments: str) -> dict[str, Any]:
    source = Source.parse(text, "c.yaml")
    for assignment in assignments:
        override(source, assignment)
    if source.issues:
        raise source.error()
    return source.tree


def test_overrides_replace_add_and_reach_into_lists_and_names() -> None:
    text = "a: {b: 1}\nlist: [1, {c: 2}]\noptimizer: gd\nactivations: [tanh]\nnothing:\n"
    tree = overridden(
        text,
        "a.b=2",
        "a.d.e=x",
        "list.1.c=[3]",
        "optimizer.momentum=0.9",
        "nothing.f=1",
        "activations.0.slope=1",
    )
    assert tree == {
        "a": {"b": 2, "d": {"e": "x"}},
        "list": [1, {"c": [3]}],
        "optimizer": {"name": "gd", "momentum": 0.9},
        "activations": [{"name": "tanh", "slope": 1}],
        "nothing": {"f": 1},
    }


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("a", "expected key=value"),
        ("=1", "expected key=value"),
        ("a..b=1", "expected key=value"),
        ("list.7=1", "expected an index from 0 to 1"),
        ("list.x=1", "expected an index from 0 to 1"),
        ("number.x=1", "has no keys"),
        ("a=[1", "--set a=[1: this bracket is never closed"),
        ("a=010", "--set a=010: write 10"),
        ("a=3\nb: 4", "found several lines"),
        ("number.x.y=1", "has no keys"),
    ],
)
def test_overrides_that_make_no_sense_are_refused(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overridden("a: 1\nlist: [1, 2]\nnumber: 3", assignment)
    assert message in str(caught.value)
    assert "--set" in str(caught.value)


def test_an_alias_repeats_a_value_and_its_errors_point_at_the_alias() -> None:
    text = "a: &x {b: [1, &y z]}\nc: *x\nd: [*y, *y]\n*y : 2\n"
    source = Source.parse(text, "c.yaml")
    assert source.tree == {
        "a": {"b": [1, "z"]}, "c": {"b": [1, "z"]}, "d": ["z", "z"], "z": 2,
    }  # fmt: skip
    assert source.tree["a"] is not source.tree["c"]
    mark = source.mark_of(("c", "b", 0))
    assert mark is not None
    assert (mark.line, mark.column, mark.end_column) == (1, 3, 5)
    assert not source.issues


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [1, *a]", "c.yaml:1:11: `*a` stands inside its own anchor `&a`"),
        ("a: &foo 1\nb: *fo", "c.yaml:2:4: there is no `&fo` above for this alias; did you mean"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n  b: 2", "c.yaml:3:3: merging (`<<`) is not supported"),
        ("a: 1e400", "c.yaml:1:4: `1e400` is too large"),
        ("a", "c.yaml:1:1: a config is a mapping of `key: value` lines"),
        ("a\nb: 1", "c.yaml:1:1: no colon here: expected `key: value`"),
        ("a: 1\nb\nc: 2", "c.yaml:2:1: no colon here"),
        ("a:1", "c.yaml:1:1: put a space after the colon"),
        ("t:\n  epochs:5\n  l2: 0", "c.yaml:2:3: put a space after the colon"),
        ("a: 1\n  b: 2", "c.yaml:2:3: this line is indented as if"),
        ("a:\n   b: 1\n  c: 2", "c.yaml:3:3: this indentation matches no line above"),
        ("a: b: c", "c.yaml:1:5: a second colon on the line"),
        ("a: [1, [2, 3]", "c.yaml:1:4: this bracket is never closed: `]` is missing"),
        ("a: [1, {", "c.yaml:1:8: this bracket is never closed: `}` is missing"),
        ("a: [1]]\nb: 2", "c.yaml:1:7: this `]` closes no bracket"),
        ("a: [1,,2]", "c.yaml:1:7: a value is missing here"),
        ("a: {b: 1]", "c.yaml:1:9: expected `,` or `}` here"),
        ('a: "x\nb: 1', "c.yaml:1:4: this quote is never closed"),
        ('a: "x" y', "c.yaml:1:8: a second value here"),
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
    error = error_of(text)
    assert message in error
    assert error.endswith("1 error in c.yaml")


@pytest.mark.parametrize(
    ("text", "excerpt", "carets"),
    [
        ("a: [x, 010]", "a: [x, 010]", "       ^^^"),
        ("中文: 010", "中文: 010", "      ^^^"),
        ("e\u0301: 010", "e\u0301: 010", "   ^^^"),
        ('a: ["\t", 010]', 'a: ["    ", 010]', " " * 12 + "^^^"),
        ("a:\t010", "a:    010", "  ^^^^"),
        ("\ufeffa: 010", "a: 010", "   ^^^"),
        ("b: 1\ra: 010", "a: 010", "   ^^^"),
        ("b: 1\u2028a: 010", "a: 010", "   ^^^"),
        ("b: 1\x85a: 010", "a: 010", "   ^^^"),
        ("a: \x1b[31m", "a: \\x1b[31m", "   ^^^^"),
        (f"a: [{'1, ' * 50}010]", f", {'1, ' * 12}010]", " " * 38 + "^^^"),
    ],
)  # fmt: skip
def test_the_caret_is_under_the_exact_text(text: str, excerpt: str, carets: str) -> None:
    assert error_of(text).splitlines()[1:3] == [f"    {excerpt}", f"    {carets}"]


def test_errors_of_set_point_into_the_option_all_at_once() -> None:
    source = Source.parse("list: [1]", "c.yaml")
    for assignment in ("list.7=1", "a", "b=[1, 010"):
        override(source, assignment)
    assert str(source.error()).splitlines() == [
        "--set list.7=1: `list` is a list of 1; expected an index from 0 to 0, not 7",
        "    --set list.7=1",
        "               ^",
        "--set a: expected key=value, such as --set training.epochs=50",
        "    --set a",
        "          ^",
        "--set b=[1, 010: this bracket is never closed: `]` is missing",
        "    --set b=[1, 010",
        "            ^^^^^^^",
        "3 errors in c.yaml",
    ]


def test_a_file_in_brackets_of_many_errors_shows_the_first() -> None:
    error = error_of(f"a: [{'010, ' * 500}]")
    assert error.count("a number has no leading 0") == 100
    assert error.endswith("the first 100 errors in c.yaml")
