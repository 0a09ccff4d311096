from __future__ import annotations

import codecs
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.config.encoding import decode
from bpcli.errors import ConfigError

TEXT = "name: é\n"


@given(st.text().filter(lambda text: "\0" not in text and not text.startswith("\ufeff")))
def test_utf_8_is_read_with_or_without_a_byte_order_mark(text: str) -> None:
    assert decode(text.encode(), "c.yaml") == text
    assert decode(codecs.BOM_UTF8 + text.encode(), "c.yaml") == text


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TEXT.encode("utf-16"), "UTF-16"),
        (codecs.BOM_UTF16_BE + "中".encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-32"), "UTF-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "UTF-32"),
        (TEXT.encode("utf-32-le"), "UTF-32"),
        (TEXT.encode("utf-32-be"), "UTF-32"),
    ],
)
def test_wide_encodings_are_named(content: bytes, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(content, "c.yaml")
    assert str(caught.value) == f"c.yaml is {name}, not UTF-8: save it as UTF-8."


@pytest.mark.parametrize(
    ("content", "name", "line", "byte"),
    [
        (TEXT.encode("latin-1"), "Latin-1", 1, "e9"),
        ("a: 1\nb: “c”".encode("cp1252"), "Windows-1252", 2, "93"),
        ("\n\n名: 1".encode("gbk"), "GBK", 3, "c3"),
        (b"\x89PNG\r\n\x1a\n", "a binary file", 1, "89"),
        (b"a: \xed\xa0\x80", "text with lone surrogates", 1, "ed"),
    ],
)
def test_other_encodings_are_guessed_and_the_first_byte_is_shown(
    content: bytes, name: str, line: int, byte: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(content, "c.yaml")
    assert str(caught.value) == (
        f"c.yaml is not UTF-8 but looks like {name} (line {line} has byte 0x{byte}): save it as "
        "UTF-8."
    )


@given(st.binary())
def test_any_bytes_are_text_or_an_expected_failure(content: bytes) -> None:
    with suppress(ConfigError):
        assert decode(content, "c.yaml") == content.removeprefix(codecs.BOM_UTF8).decode()
