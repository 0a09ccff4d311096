from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.errors import RunError
from bpcli.export.literals import identifier, number, python_string, python_strings


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
