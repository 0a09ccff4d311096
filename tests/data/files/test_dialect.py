from __future__ import annotations

from dataclasses import fields

import pytest

from bpcli.data.files.dialect import (
    MISSING,
    WHITESPACE,
    Dialect,
    delimiter_of,
    exchange_of,
    is_separator,
)


def test_nothing_told_changes_nothing() -> None:
    assert Dialect().with_signs({}) == Dialect()
    dialect = Dialect(separator=";", missing=("x",))
    assert dialect.with_signs({}) == dialect


def test_each_sign_that_is_told_is_kept() -> None:
    signs = {"separator": WHITESPACE, "decimal": ",", "thousands": "", "header": False, "skip": 0}
    told = Dialect(separator=";", skip=3).with_signs(signs)
    assert {name: getattr(told, name) for name in signs} == signs
    others = {field.name for field in fields(Dialect)} - signs.keys()
    assert all(getattr(told, name) == getattr(Dialect(), name) for name in others)


@pytest.mark.parametrize(
    ("signs", "missing"),
    [
        ({"missing": ("-999", "x")}, (*MISSING, "-999", "x")),
        ({"missing_only": ("-999",)}, ("-999",)),
        ({"missing_only": ("-999",), "missing": ("x",)}, ("-999", "x")),
    ],
)
def test_words_are_added_or_replace_the_usual_ones(
    signs: dict[str, tuple[str, ...]], missing: tuple[str, ...]
) -> None:
    given = dict(signs)
    assert Dialect().with_signs(given).missing == missing
    assert given == signs


def test_what_is_no_sign_is_refused() -> None:
    with pytest.raises(TypeError):
        Dialect().with_signs({"seperator": ";"})


def test_no_usual_word_for_a_missing_value_is_a_number() -> None:
    assert len({*MISSING}) == len(MISSING)
    assert not any(word.strip("-.*#?").isdecimal() for word in MISSING)


@pytest.mark.parametrize(
    "sign", [",", ";", "\t", " ", "|", "~", "\x01", "，", "；", "、", "·", "§"]
)
def test_any_sign_that_is_in_no_number_may_separate(sign: str) -> None:
    assert is_separator(sign)
    assert len(delimiter_of(sign).encode()) == 1
    text = f"a{sign}\x1fb"
    assert text.translate(exchange_of(sign)).translate(exchange_of(sign)) == text


@pytest.mark.parametrize(
    "sign", ["", ", ", "a", "é", "名", "5", "٣", "½", '"', "'", ".", "-", "\n"]
)
def test_other_texts_separate_nothing(sign: str) -> None:
    assert not is_separator(sign)
