from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.errors import ConfigError, RunError
from bpcli.export.literals import (
    c_comment,
    c_string,
    distinct_identifiers,
    identifier,
    js_string,
    matlab_comment,
    matlab_string,
    number,
    python_string,
    python_strings,
    single,
)


@given(st.text())
def test_a_string_literal_is_the_string_on_one_line_of_printable_characters(text: str) -> None:
    literal = python_string(text)
    assert eval(literal, {"__builtins__": {}}) == text
    assert literal.isprintable()


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_literal_is_the_number_to_the_last_bit(value: float) -> None:
    assert eval(number(value), {"__builtins__": {}}) == value
    assert number(np.float64(value) if isinstance(value, float) else value) == repr(value)


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), True, None, "1", [1], 1j])
def test_what_is_no_finite_number_has_no_literal(value: object) -> None:
    with pytest.raises(RunError, match="expected a finite number"):
        number(value)


def test_an_identifier_is_one_of_ours() -> None:
    assert identifier("relu", ("tanh", "relu")) == "relu"
    for word in ("relu()", "", None, ["relu"]):
        with pytest.raises(RunError, match="expected tanh or relu"):
            identifier(word, ("tanh", "relu"))


@given(st.lists(st.text(max_size=5), max_size=4))
def test_a_list_of_strings_is_itself_on_one_line(texts: list[str]) -> None:
    literal = python_strings(texts)
    assert eval(literal, {"__builtins__": {}}) == texts
    assert literal.isprintable()


@pytest.mark.parametrize("value", [1, None, b"a", ["a"]])
def test_what_is_no_text_has_no_literal(value: object) -> None:
    with pytest.raises(RunError, match=r"^The run is damaged: found .*, expected a name\.$"):
        python_strings(["a", value])


def decoded(literal: str) -> str:
    """What a C compiler makes of a string literal of ours: octal escapes only."""
    octal = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), literal[1:-1])
    return octal.encode("latin-1").decode("utf-8", "surrogatepass")


@given(st.text().filter(lambda text: "\0" not in text))
def test_a_string_of_c_is_the_string_in_printable_ascii(text: str) -> None:
    literal = c_string(text)
    assert literal.isascii()
    assert literal.isprintable()
    assert '"' not in literal[1:-1]
    assert "?" not in literal
    assert decoded(literal) == text


@given(st.text())
def test_a_string_of_javascript_is_the_string_without_markup(text: str) -> None:
    literal = js_string(text)
    assert json.loads(literal) == text
    assert literal.isascii()
    assert not {"<", ">"} & {*literal}


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("*/?\\\n'\""))))
def test_a_comment_stays_on_its_line_and_does_not_end(text: str) -> None:
    for sign in ("*/", "/*", "//", "??"):
        assert sign not in c_comment(text)
    assert c_comment(text).isprintable()
    assert matlab_comment(text).isprintable()


@given(st.text())
def test_a_string_of_matlab_has_printable_ascii_and_paired_quotes(text: str) -> None:
    literal = matlab_string(text)
    assert literal.isascii()
    assert literal.isprintable()
    assert literal.count("'") % 2 == 0
    assert "'" not in re.sub(r"'(?:[^']|'')*'", "", literal)


@given(st.lists(st.text(max_size=4), max_size=12))
def test_identifiers_are_words_that_differ(names: list[str]) -> None:
    words = distinct_identifiers(names, {"int", "x"})
    assert len({*words}) == len(words) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", word) for word in words)
    assert not {"int", "x"} & {*words}


def test_a_single_has_the_digits_that_it_keeps() -> None:
    assert single(0.1) == "0.1F"
    assert single(1 / 3) == "0.33333334F"
    assert single(2) == "2.0F"
    assert single(1e-50) == "0.0F"
    with pytest.raises(
        ConfigError, match="is too large for single precision: use `--precision double`"
    ):
        single(1e39)
