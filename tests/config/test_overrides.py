from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_configs import MOONS, errors, parsed, trees

from bpcli.config.overrides import override
from bpcli.config.source import Source, value_at
from bpcli.errors import ConfigError, Mark


def test_an_option_that_nests_too_deep_is_refused() -> None:
    path = ".".join("x" * 3000)
    assert errors(MOONS, f"{path}=1") == [
        f"--set {path[:111]}...: this nests deeper than 50 levels"
    ]


def overridden(text: str, *assignments: str) -> dict[str, Any]:
    source = parsed(text, *assignments)
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


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), trees)
def test_what_is_set_is_what_yaml_reads(path: list[str], value: object) -> None:
    source = Source("c.yaml", "")
    override(source, f"{'.'.join(path)}={json.dumps(value)}")  # JSON is YAML
    assert not source.issues
    assert repr(value_at(source.tree, tuple(path))) == repr(value)


def test_marks_point_into_the_option_as_it_was_written() -> None:
    source = parsed("a: {b: 1}", "a.b=[x, {c: 20}]")
    origin = "--set a.b=[x, {c: 20}]"

    def marked(start: int, end: int) -> Mark:
        return Mark(0, start, end, origin)

    assert source.mark_of(("a", "b"), key=True) == marked(8, 9)
    assert source.mark_of(("a", "b")) == marked(10, 22)
    assert source.mark_of(("a", "b", 0)) == marked(11, 12)
    assert source.mark_of(("a", "b", 1, "c"), key=True) == marked(15, 16)
    assert source.mark_of(("a", "b", 1, "c")) == marked(18, 20)


def test_another_option_is_marked_at_its_value_alone() -> None:
    source = Source.parse("name: old", "c.yaml")
    override(source, "name=new", option="--name")
    assert source.tree == {"name": "new"}
    mark = Mark(0, 7, 10, "--name new")
    assert source.mark_of(("name",)) == source.mark_of(("name",), key=True) == mark


def test_what_an_option_replaces_is_forgotten_with_its_issue_kept() -> None:
    source = parsed("a: {b: 010, c: 020}")
    assert source.unread == {("a", "b"), ("a", "c")}
    override(source, "a.b=1")
    assert source.unread == {("a", "c")}
    override(source, "a=1")
    assert source.unread == set()
    assert source.mark_of(("a", "b")) == source.mark_of(("a",), key=True)


def test_an_empty_list_has_no_item_to_set() -> None:
    (issue,) = parsed("a: []", "a.0=1").issues
    assert issue.message == "`a` is a list of 0; it has no items, not 0"


@pytest.mark.parametrize("index", ["-1", "²", "1e0", "9" * 50])
def test_an_index_is_a_number_from_zero_in_digits(index: str) -> None:
    (issue,) = parsed("a: [1, 2]", f"a.{index}=1").issues
    assert issue.message == f"`a` is a list of 2; expected an index from 0 to 1, not {index}"
