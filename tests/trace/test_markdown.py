"""A trace as Markdown."""

from __future__ import annotations

import re
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangers import any_name

from bpcli.trace.blocks import Arrays, Chain, Formula, Heading, Named, Prose
from bpcli.trace.markdown import document


def test_headings_text_and_equations_each_have_their_form() -> None:
    blocks = [
        Heading(3, "Loss"),
        Formula("a = z"),
        Chain(("l", "1 + 1", "2")),
        Prose("So * it is."),
    ]
    assert document(blocks) == ("### Loss\n\n```text\na = z\nl = 1 + 1 = 2\n```\n\nSo \\* it is.")


def test_a_table_has_a_rule_and_aligns_numbers_to_the_right() -> None:
    table = Arrays((Named("W1", np.array([[1.0, 2.5]])), Named("b1", np.array([[0.5]]))))
    assert document([table]) == (
        "| W1 | 1 | 2 | b1 |\n| --- | ---: | ---: | ---: |\n| 1 | 1.0 | 2.5 | 0.5 |"
    )


def test_arrays_that_do_not_fit_side_by_side_are_tables_apart() -> None:
    page = document([Arrays((Named("a", np.ones((1, 2))), Named("b", np.ones((3, 2)))))])
    assert page.count("\n| --- |") == 2


@pytest.mark.parametrize("sign", list("\\`*_[]<>#|$~&"))
def test_signs_that_mean_something_are_escaped(sign: str) -> None:
    assert document([Prose(f"a{sign}b")]) == f"a\\{sign}b"


@given(st.randoms(use_true_random=False))
def test_a_name_adds_neither_a_line_nor_a_cell(rng: Random) -> None:
    name = any_name(rng)
    assert len(document([Heading(1, name)]).splitlines()) == 1
    table = document([Arrays((Named(name, np.ones((2, 2)), (name, name)),))])
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in table.splitlines()} == {4}
    assert len(table.splitlines()) == 4
