"""Spellings of one word: which are one, under which name."""

from __future__ import annotations

import unicodedata

import pytest

from bpcli.data.spellings import PLAIN, Spelling, variants
from bpcli.text import folded, nearest

E_ACUTE = unicodedata.normalize("NFD", "Été")


@pytest.mark.parametrize(
    ("one", "other"),
    [("YES", "yes"), ("ＹＥＳ", "Yes"), (" New  York", "new\u3000york"), ("été", E_ACUTE),
     ("Straße", "STRASSE"), ("ﾔﾏ", "ヤマ"), ("ΣΊΣΥΦΟΣ", "σίσυφος")],
)  # fmt: skip
def test_case_width_spaces_and_accents_make_no_other_word(one: str, other: str) -> None:
    assert one != other
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("été", "ete"), ("1.0", "1"), ("a b", "ab"), ("ß", "b")]
)
def test_other_words_stay_others(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_a_category_is_shown_in_its_most_frequent_spelling_or_else_the_first() -> None:
    assert Spelling(casefold=True).merged({"Yes": 2, "yes": 3, "NO": 1, "No": 1}) == {
        "NO": 2,
        "yes": 5,
    }
    assert PLAIN.merged({"Yes": 2, "yes": 3}) == {"Yes": 2, "yes": 3}


def test_words_are_renamed_once_and_under_casefold_in_any_spelling() -> None:
    swap = Spelling(rename={"a": "b", "b": "a"})
    assert swap.merged({"a": 1, "b": 2, "A": 4}) == {"b": 1, "a": 2, "A": 4}
    assert Spelling(True, {"JA": "yes", "ja!": "no"}).merged({"ja": 3, "Yes": 1, "Ja!": 2}) == {
        "no": 2,
        "yes": 4,
    }


def test_variants_are_the_words_that_casefold_merges_most_frequent_first() -> None:
    rows = {"a": 1, "A": 1, "x": 9, "B": 2, "b": 3}
    assert variants(rows) == [{"B": 2, "b": 3}, {"a": 1, "A": 1}]


def test_the_nearest_word_is_another_spelling_or_one_that_is_close() -> None:
    assert nearest("YES", ("yesterday", "yes")) == "yes"
    assert nearest("gren", ("red", "green")) == "green"
    assert nearest("violet", ("red", "green")) is None
