"""The tables of known texts say what the encoder says of every text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas import Series

from bpcli.data.columns import InputColumn
from bpcli.data.spellings import Spelling
from bpcli.data.values import MISSING_CODE, UNKNOWN_CODE, category_codes
from bpcli.export.known_texts import KnownTexts, known_texts, listed_texts
from bpcli.text import folded

TEXTS = ["a", "A", "b", "1", "0", "1.0", " 1 ", "true", "TRUE", "false", "False", "ß", "SS", "é",
         "e\u0301", "-", "None", "no  gap", "no gap", "2.5", "elsewhere"]  # fmt: skip


def looked_up(text: str, known: KnownTexts) -> int:
    """As the docstring of `KnownTexts` describes."""
    plain = text.strip()
    forms = [plain, *([plain.lower()] if plain.lower() in ("true", "false") else [])]
    try:
        number = float(plain)
        forms.append(repr(number) if number % 1 else f"{number:.0f}")
    except ValueError:
        pass
    for form in forms:
        found = known.exact[form] if form in known.exact else known.folded.get(folded(form))
        if found is not None:
            return found
    return MISSING_CODE if text in known.gaps else UNKNOWN_CODE


@given(
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4, unique_by=lambda text: folded(text)),
    st.dictionaries(st.sampled_from(TEXTS), st.sampled_from([*TEXTS, "new", ""]), max_size=3),
    st.booleans(),
)
def test_each_text_is_the_category_that_the_encoder_says(
    categories: list[str], rename: dict[str, str], casefold: bool
) -> None:
    spelling = Spelling(casefold, rename)
    stripped = tuple(text.strip() for text in categories)
    column = InputColumn("x", "category", stripped, spelling=spelling)
    expected = category_codes(Series(TEXTS, dtype=object), stripped, spelling)
    known = known_texts(column)
    np.testing.assert_array_equal([looked_up(text, known) for text in TEXTS], expected)


@pytest.mark.parametrize("categories", [("0", "1"), ("no", "yes"), ("False", "True"), ("-", "+")])
def test_booleans_have_either_name(categories: tuple[str, str]) -> None:
    column = InputColumn("x", "category", categories)
    expected = category_codes(Series(TEXTS, dtype=object), categories)
    found = [looked_up(text, known_texts(column)) for text in TEXTS]
    np.testing.assert_array_equal(found, expected)


def listed(text: str, column: InputColumn) -> int:
    """The category of a text by a list without rules; the steps are those of the C file."""
    plain = text.strip()
    small = " ".join("".join(c.lower() if c.isascii() else c for c in plain).split())
    for known, folds, category in listed_texts(column):
        if known == (small if folds else plain):
            return MISSING_CODE if category == -1 else category
    return UNKNOWN_CODE


WRITTEN = [text for text in TEXTS if text != "SS"]
"""Without the one that is another spelling, but of letters A to Z: ß is not listed for it."""


@given(
    st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=4, unique_by=lambda text: folded(text)),
    st.dictionaries(st.sampled_from(WRITTEN), st.sampled_from([*WRITTEN, "new"]), max_size=3),
    st.booleans(),
)
def test_a_list_has_the_usual_spellings(
    categories: list[str], rename: dict[str, str], casefold: bool
) -> None:
    stripped = tuple(text.strip() for text in categories)
    spelling = Spelling(casefold, rename)
    column = InputColumn("x", "category", stripped, spelling=spelling)
    expected = category_codes(Series(TEXTS, dtype=object), stripped, spelling)
    np.testing.assert_array_equal([listed(text, column) for text in TEXTS], expected)
