from __future__ import annotations

import json

import pytest
import rich.cells
from hypothesis import given
from hypothesis import strategies as st

from bpcli.text import (
    as_name,
    did_you_mean,
    duration,
    first_of,
    harmless,
    is_name,
    listed_names,
    plain,
    plural,
    printable_json,
    quoted,
    readable,
    rounded,
    suggestion,
    text_width,
    visible,
    wrapped,
)


@given(st.text("aß中é한Ａ\u0301-", max_size=8))
def test_places_are_those_that_a_terminal_gives_a_text(text: str) -> None:
    assert text_width(text) == rich.cells.cell_len(text)


@given(st.recursive(st.text() | st.floats(allow_nan=False) | st.none(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                    max_leaves=12))  # fmt: skip
def test_printable_json_is_the_same_document(document: object) -> None:
    for indent in (None, 2):
        text = json.dumps(document, ensure_ascii=False, indent=indent)
        shown = printable_json(text)
        assert json.loads(shown) == document
        assert all(line.isprintable() for line in shown.split("\n"))
        assert shown == text or not text.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31m", "a\\x1b[31m"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\u202eabc", "\\x202eabc"),
        ("größe 重さ", "größe 重さ"),
        ("x" * 32, "x" * 32),
        ("x" * 33, "x" * 31 + "…"),
    ],
)
def test_no_text_of_a_table_can_steer_the_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_numbers_read_well() -> None:
    assert [rounded(value) for value in (None, 0.0, 1234567.0, 1e-9)] == [
        "-",
        "0",
        "1.23457e+06",
        "1e-09",
    ]
    seconds = (0.0, 5e-6, 0.00123, 0.5, 12.0, 150.0, 7500.0)
    assert [duration(value) for value in seconds] == [
        "0 us", "5 us", "1.23 ms", "500 ms", "12 s", "2 min 30 s", "2 h 05 min",
    ]  # fmt: skip


@given(st.text())
def test_what_is_shown_is_printable_and_what_is_printable_is_shown(text: str) -> None:
    assert visible(text).isprintable()
    assert not text.isprintable() or visible(text) == text
    kept = harmless(text)
    assert all(c.isprintable() or c in "\n\t" for c in kept)
    assert harmless(kept) == kept
    assert kept.count("\n") == text.count("\n")


@given(st.text(), st.integers(1, 40))
def test_a_plain_text_is_one_line_of_so_many_characters(text: str, most: int) -> None:
    assert len(plain(text, most)) <= most
    assert plain(text, most).isprintable()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", "`a`"),
        ("x" * 40, f"`{'x' * 40}`"),
        ("x" * 41, f"`{'x' * 37}...`"),
        ("a\x1b", "`a\\x1b`"),
        (None, "nothing"),
        (True, "true"),
        (1, "1"),
        (0.5, "0.5"),
        ([1, 2], "a list of 2"),
        ({"a": 1}, "a mapping"),
    ],
)
def test_values_are_quoted_as_a_config_spells_them(value: object, shown: str) -> None:
    assert quoted(value) == shown


@pytest.mark.parametrize(
    ("value", "close"),
    [
        ("tahn", "tanh"),
        ("TANH", "tanh"),
        ("zzz", None),
        (3, None),
        (None, None),
        (True, None),
        ("tanh" * 11, None),
    ],
)
def test_a_name_that_is_close_is_suggested(value: object, close: str | None) -> None:
    assert suggestion(value, ["relu", "tanh"]) == close
    hint = f"; did you mean `{close}`?" if close else ""
    assert did_you_mean(value, ["relu", "tanh"]) == hint


WORDS = st.lists(st.text("ab-", min_size=1, max_size=12), min_size=1).map(" ".join)


@given(WORDS, st.integers(1, 30))
def test_lines_break_between_words_and_lose_none(line: str, width: int) -> None:
    lines = wrapped(line, width)
    assert " ".join(lines) == line
    assert all(len(each) <= width or " " not in each for each in lines)


def test_a_command_at_the_end_stays_on_one_line() -> None:
    assert wrapped("score it with: bpnet eval latest --json", 20) == [
        "score it with:", "bpnet eval latest --json",
    ]  # fmt: skip
    assert wrapped("try bpnet eval", 8) == ["try", "bpnet", "eval"]


@given(st.floats(0, 1e9))
def test_a_time_span_has_no_exponent_and_grows(seconds: float) -> None:
    shown = duration(seconds)
    number, unit = shown.split(" ", 1)
    assert "e" not in number or seconds < 1e-9
    if unit in ("us", "ms", "s"):
        factor = {"us": 1e-6, "ms": 1e-3, "s": 1.0}[unit]
        assert float(number) * factor == pytest.approx(seconds, rel=0.006)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0009994, "999 us"),
        (0.0009996, "1 ms"),
        (0.9996, "1 s"),
        (119.4, "119 s"),
        (119.6, "2 min 00 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
    ],
)
def test_a_time_span_that_rounds_up_to_a_unit_is_one(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("xor", "xor"), ("学生体检", "学生体检"), ("या", "या"), ("a b/c", "a-b-c"), ("__x.", "x"),
        ("\u0301x", "x"), ("cafe\u0301", "café"), ("", ""), ("--", ""), ("🙂", ""),
        ("a" * 99, "a" * 64),
        ("a\u202eb", "a-b"), ("x\ud800", "x"),
    ],
)  # fmt: skip
def test_any_text_becomes_the_nearest_name(text: str, name: str) -> None:
    assert as_name(text) == name
    assert is_name(name) == bool(name)


@given(st.text())
def test_a_name_is_safe_in_a_folders_name(text: str) -> None:
    name = as_name(text)
    if name:
        assert is_name(name)
        assert len(name.encode()) <= 200
        assert name.isprintable()
        assert not {*name} & {*'/\\:*?"<>| '}


@pytest.mark.parametrize(
    "text", ["", "-a", "a b", "a/b", "..", "a" * 65, "字" * 67, "e\u0301", "\ud800"]
)
def test_other_texts_are_no_names(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"), (1 / 3, "0.33333"), (53.0, "53"), (-1234567.0, "-1234567"),
        (1234567.89, "1234568"), (12345.678, "12346"), (1.6e-27, "1.6e-27"), (1e22, "1e+22"),
        (float("nan"), "nan"), (float("-inf"), "-inf"),
    ],
)  # fmt: skip
def test_a_reader_gets_five_digits_and_all_before_the_point(value: float, text: str) -> None:
    assert readable(value) == text


def test_counts_and_names_are_written_as_people_do() -> None:
    assert [plural(count, "row") for count in (0, 1, 2, 1000)] == [
        "0 rows", "1 row", "2 rows", "1,000 rows",
    ]  # fmt: skip
    assert listed_names(["a"]) == "`a`"
    assert listed_names([*"abcde"]) == "`a`, `b`, `c`, `d`, `e`"
    assert listed_names([*"abcdef"], 2) == "`a`, `b` and 4 more"
    assert first_of([*"ab"], 2) == "a, b"
    assert first_of([*"abc"], 2) == "a, b, …"
