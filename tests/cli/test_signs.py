from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.cli.signs import HANDLER, spelt
from bpcli.text import text_width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("adds λ/(2n) Σ W², −1 ≤ x → ∞ …", "adds lambda/(2n) sum W^2, -1 <= x -> inf ..."),
        ("Größe, naïve, façade", "Grosse, naive, facade"),
        ("┌──┐", "+--+"),
        ("│█▁│", "|#?|"),
        ("①ﬁ", "1fi"),
        ("重さ한", "??????"),
        ("e\u0301", "e"),
    ],
)
def test_signs_are_spelt(text: str, shown: str) -> None:
    assert spelt(text) == shown
    assert text.encode("ascii", HANDLER).decode("ascii") == shown


@given(st.text())
def test_any_text_becomes_ascii_and_ascii_stays_as_it_is(text: str) -> None:
    assert spelt(text).isascii()
    assert spelt(spelt(text)) == spelt(text)
    assert not text.isascii() or spelt(text) == text


@pytest.mark.parametrize("frame", "─━═╌╍╴╶╸╺│┃║┌┐└┘├┤┬┴┼╭╮╯╰╞╡╪█▓▒░▀▄■▏▎▍▌▋▊▉")
def test_lines_and_bars_keep_their_width(frame: str) -> None:
    assert len(spelt(frame)) == text_width(frame) == 1


def test_only_what_the_encoding_lacks_is_spelt() -> None:
    assert "λ 重 é ²".encode("gbk", HANDLER).decode("gbk") == "λ 重 é ^2"
    assert "λ é ²".encode("latin-1", HANDLER).decode("latin-1") == "lambda é ²"


def test_what_cannot_be_decoded_is_no_text() -> None:
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", HANDLER)
