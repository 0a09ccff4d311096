"""A trace in a plain text stream."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paged import page_of, shown, text_of

from bpcli.trace.blocks import Arrays, Chain, Formula, Heading, Named, Prose
from bpcli.trace.cells import WIDTH
from bpcli.trace.plain import folded


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "latin-1"])
def test_a_poorer_encoding_gets_words_for_symbols(encoding: str) -> None:
    text = text_of(page_of("xor"), encoding)
    assert "?" not in text
    if encoding == "ascii":
        assert "dloss/dW1 = delta1 a0^T" in text


def test_headings_are_underlined_and_equations_stand_together() -> None:
    blocks = [
        Heading(1, "Title"), Heading(2, "Part"), Heading(3, "Layer"), Formula("a = z"),
        Chain(("l", "1 + 1", "2")), Prose("End."),
    ]  # fmt: skip
    assert shown(blocks) == (
        "Title\n=====\n\nPart\n----\n\nLayer\n\n  a = z\n  l = 1 + 1 = 2\n\nEnd.\n\n"
    )


def test_prose_is_wrapped() -> None:
    lines = shown([Prose("word " * 40)]).splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= WIDTH


def test_arrays_are_tables() -> None:
    text = shown([Arrays((Named("W1", np.array([[1.0, 2.5]])),))])
    assert [line.split() for line in text.splitlines() if "─" not in line][:2] == [
        ["W1", "1", "2"],
        ["1", "1.0", "2.5"],
    ]


def test_an_equation_that_is_too_long_has_its_numbers_below_its_symbols() -> None:
    long = Chain(("delta1[1]", "f'(z1[1]) · Σ_k W2[k,1] delta2[k]", "0.1 · " * 8 + "0.1", "0.25"))
    assert [*folded(long)] == [
        "  delta1[1] = f'(z1[1]) · Σ_k W2[k,1] delta2[k]",
        "            = 0.1 · 0.1 · 0.1 · 0.1 · 0.1 · 0.1 · 0.1 · 0.1 · 0.1 = 0.25",
    ]


words = st.lists(st.sampled_from(["0.25", "·", "+", "delta2[1]", "a"]), min_size=1, max_size=40)
parts = words.map(" ".join)


@given(st.lists(parts, min_size=1, max_size=4), st.sampled_from(["", "  "]))
def test_a_folded_equation_is_the_same_in_lines_that_fit(texts: list[str], indent: str) -> None:
    lines = [*folded(Chain(tuple(texts)), indent)]
    assert " ".join(" ".join(lines).split()) == " = ".join(texts)
    assert max(map(len, lines)) <= WIDTH
    assert all(line.startswith(indent) for line in lines)
