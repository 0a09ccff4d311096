from __future__ import annotations

import pytest
from small_configs import MOONS, XOR, errors, load, parsed, syntax_error

from bpcli.config.issues import config_error, lines_of
from bpcli.errors import ConfigError, ConfigIssue, Mark


def test_every_option_that_is_wrong_is_pointed_at() -> None:
    with pytest.raises(ConfigError) as caught:
        load(MOONS, "training.epoch=5", "training.stop={goal: x}")
    assert str(caught.value).splitlines() == [
        "--set training.epoch=5: unknown key `epoch`; did you mean `epochs`?",
        "    --set training.epoch=5",
        "                   ^^^^^",
        "--set training.stop={goal: x}: found `x`, expected a number",
        "    --set training.stop={goal: x}",
        "                               ^",
        "2 errors in c.yaml",
    ]


def test_a_long_or_strange_option_heads_its_errors_in_short() -> None:
    found = errors(MOONS, f"network.layers=[{'x, ' * 50}1]")
    assert {len(line.partition(": found")[0]) for line in found if "layers=" in line} == {120}
    assert errors(MOONS, "seed=\x1b[1m")[0].startswith(r"--set seed=\x1b[1m: the character")


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
    assert syntax_error(text).splitlines()[1:3] == [f"    {excerpt}", f"    {carets}"]


def test_errors_of_set_point_into_the_option_all_at_once() -> None:
    source = parsed("list: [1]", "list.7=1", "a", "b=[1, 010")
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
    error = syntax_error(f"a: [{'010, ' * 500}]")
    assert error.count("a number has no leading 0") == 100
    assert error.endswith("the first 100 errors in c.yaml")


def test_the_excerpt_has_a_caret_under_the_error() -> None:
    with pytest.raises(ConfigError) as caught:
        load(XOR.replace("4, 1]", "4, wide]"))
    assert str(caught.value).splitlines()[1:3] == [
        "      layers: [2, 4, wide]",
        "                     ^^^^",
    ]


def test_errors_of_one_line_stand_in_the_order_of_their_columns() -> None:
    found = errors(XOR.replace("{generator: xor}", "{generator: xor, split: {val: x, tset: 1}}"))
    assert [line.split(": ")[0] for line in found] == ["c.yaml:2:37", "c.yaml:2:40", "c.yaml:2:46"]


def test_an_issue_that_is_found_twice_is_reported_once_and_without_a_mark_names_the_file() -> None:
    twice = [ConfigIssue("bad", mark=Mark(0, 0, 1))] * 2
    error = config_error("c.yaml", "a: 1", [*twice, ConfigIssue("worse")])
    assert str(error).splitlines() == [
        "c.yaml: worse", "c.yaml:1:1: bad", "    a: 1", "    ^", "2 errors in c.yaml",
    ]  # fmt: skip
    assert [issue.file for issue in error.issues] == ["c.yaml", "c.yaml"]


def test_a_mark_beyond_the_text_has_no_excerpt() -> None:
    error = config_error("c.yaml", "a: 1", [ConfigIssue("bad", mark=Mark(1, 0, 1))])
    assert str(error) == "c.yaml:2:1: bad\n1 error in c.yaml"


def test_lines_end_where_yaml_ends_them() -> None:
    assert lines_of("\ufeffa\r\nb\rc\x85d\u2028e\x0bf") == ["a", "b", "c", "d", "e\x0bf"]
