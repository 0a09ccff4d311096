from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from small_configs import syntax_error, trees

from bpcli.config.load import dump
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.config.tree import TreeSource
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
        ("a: 1\nb: 2\na: 3", "c.yaml:3:1: the key `a` is repeated: keep it here or on line 1"),
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
    assert message in syntax_error(text)


def test_several_errors_of_syntax_are_reported_together() -> None:
    error = syntax_error("a: 010\nb: !t 1\na: 2\n")
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


@given(trees)
def test_what_is_dumped_reads_back_the_same(tree: object) -> None:
    again = Source.parse(dump({"value": tree}), "c.yaml").tree["value"]
    assert again == tree
    assert repr(again) == repr(tree)


def test_a_copy_is_overridden_alone_and_shares_scalars_and_marks() -> None:
    source = Source.parse("a: {b: [1, x], c: 010}\n", "c.yaml")
    twin = source.copy()
    assert twin == source
    override(twin, "a.b.0=2")
    override(twin, "a.c=3")
    override(twin, "a.d.e=4")
    assert source == Source.parse("a: {b: [1, x], c: 010}\n", "c.yaml")
    assert twin.tree == {"a": {"b": [2, "x"], "c": 3, "d": {"e": 4}}}
    assert twin.unread == set()


def test_a_copy_of_values_shares_their_arrays() -> None:
    source = TreeSource({"data": {"inputs": np.eye(2)}}, "config")
    twin = source.copy()
    override(twin, "data.noise=1")
    assert twin.tree["data"]["inputs"] is source.tree["data"]["inputs"]
    assert "noise" not in source.tree["data"]
