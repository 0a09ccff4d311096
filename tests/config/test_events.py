from __future__ import annotations

import pytest
import yaml

from bpcli.config.events import Placed, Unreadable, mark_of, placed_events
from bpcli.config.source import Source
from bpcli.errors import Mark


def shapes(text: str) -> list[str]:
    """The scalars, and brackets for lists and mappings; copies are in upper case."""
    return [_shape(placed) for placed in placed_events(text)][2:-2]


def _shape(placed: Placed) -> str:
    event = placed.event
    signs: dict[type[yaml.Event], str] = {
        yaml.SequenceStartEvent: "[",
        yaml.MappingStartEvent: "{",
    }
    if isinstance(event, yaml.ScalarEvent):
        return str(event.value).upper() if placed.is_copy else str(event.value)
    return signs.get(type(event), "end")


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
    ("text", "expected"),
    [
        ("[&x a, *x]", "[ a A end"),
        ("[&x [a, b], *x, *x]", "[ [ a b end [ A B end [ A B end end"),
        ("[&x [a, &y b], *x, *y]", "[ [ a b end [ A B end B end"),
        ("[&x a, &y [*x, b], *y]", "[ a [ A b end [ A B end end"),
        ("[&x a, &x b, *x]", "[ a b B end"),
        ("{&k a: b, c: *k}", "{ a b c A end"),
    ],
)
def test_an_alias_is_replaced_by_what_its_anchor_last_stood_for(text: str, expected: str) -> None:
    assert shapes(text) == expected.split()


def test_a_text_without_aliases_is_what_pyyaml_says() -> None:
    text = "a: [1, {b: &x 'c'}]\n&y d: |\n  e\n"
    assert [repr(each.event) for each in placed_events(text)] == [
        repr(event) for event in yaml.parse(text, yaml.SafeLoader)
    ]


@pytest.mark.parametrize(
    ("text", "message", "mark"),
    [
        ("[&x [*x]]", "`*x` is inside its own anchor `&x`", Mark(0, 5, 7)),
        ("[&x a,\n *y]", "there is no `&y` above for this alias: put it in quotes", Mark(1, 1, 3)),
        ("[&there a, *tere]", "there is no `&tere` above for this alias; did you mean `there`?",
         Mark(0, 11, 16)),
        ("[*x, &x a]", "there is no `&x` above", Mark(0, 1, 3)),
        ('"\\UFFFFFFFF"', "a number in this escape is too large", Mark(0, 3, 4)),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_where(text: str, message: str, mark: Mark) -> None:
    with pytest.raises(Unreadable) as caught:
        [*placed_events(text)]
    assert caught.value.issue.message.startswith(message)
    assert caught.value.issue.mark == mark


def test_the_mark_of_an_event_is_on_one_line() -> None:
    events = [event for event in yaml.parse("'a b'\n") if isinstance(event, yaml.ScalarEvent)]
    assert [mark_of(event) for event in events] == [Mark(0, 0, 5)]
    events = [event for event in yaml.parse("'a\n b'\n") if isinstance(event, yaml.ScalarEvent)]
    assert [mark_of(event) for event in events] == [Mark(0, 0, 1)]
