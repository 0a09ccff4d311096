"""Files that are no configs: made to hurt a reader of YAML, and shipped configs, maimed."""

from __future__ import annotations

import random
from itertools import pairwise

_LEVELS = "abcdefghi"
ALIAS_BOMB = "".join(
    f"{name}: &{name} [{', '.join([f'*{inner}'] * 9)}]\n" for inner, name in pairwise(_LEVELS)
)
HOSTILE: dict[str, tuple[bytes, str]] = {
    "alias bomb": (f"a: &a [{'x, ' * 9}]\n{ALIAS_BOMB}".encode(), "aliases make this more than"),
    "brackets": (b"[" * 60_000, "nests deeper than 50 levels"),
    "dashes": (b"- " * 32_000, "nests deeper than 50 levels"),
    "braces": (b"{a: " * 30_000, "nests deeper than 50 levels"),
    "complex keys": (b"? " * 32_000, "a key is text"),
    "anchor in itself": (b"a: &a [1, *a]\n", "`*a` is inside its own anchor `&a`"),
    "surrogate, escaped": (b'name: "\\ud800"\n', "a lone surrogate"),
    "surrogate, encoded": (b"name: \xed\xa0\x80\n", "lone surrogates"),
    "long integer": (b"seed: " + b"9" * 5000, "an integer of 5000 digits is too long"),
    "object": (b"data: !!python/object:os.system x\n", "tags"),
    "NUL": (b"name: a\0b\n", "U+0000 is not allowed"),
    "NULs": (bytes(1000), "U+0000 is not allowed"),
    "long line": (b"name: " + b"x" * (10 * 2**20), "too large for a config"),
    "steers the terminal": (b"name: \x1b[31mred\x07\n", "U+001B is not allowed"),
    "escaped newline": (b'"a\\nError: b": 1\n', "unknown key `a\\x0aError: b`"),
    "beyond Unicode": (b'a: "\\U00110000"', "a number in this escape is too large"),
    "huge version": (b"%YAML 1." + b"9" * 5000 + b"\n---\na: 1", "too large"),
    "many values": (b"k: [" + b"a," * 60_000 + b"]", "20,000 values"),
    "many lines": (b"\n" * 200_000, "the file is empty"),
    "UTF-16": ("name: a\n".encode("utf-16"), "is UTF-16, not UTF-8"),
    "UTF-16 without a mark": ("name: a\n".encode("utf-16-be"), "is UTF-16, not UTF-8"),
    "UTF-32": ("name: a\n".encode("utf-32-le"), "is UTF-32, not UTF-8"),
    "Latin-1": ("name: é\n".encode("latin-1"), "looks like Latin-1"),
    "Windows-1252": ("name: “a”\n".encode("cp1252"), "looks like Windows-1252"),
    "GBK": ("name: 神经网络\n".encode("gbk"), "looks like GBK"),
}
"""Bytes, and what is said of them."""


_PIECES = [
    b"[", b"]", b"{", b"}", b"&a ", b"*a", b"<<: *a", b"!x ", b"!!python/none ", b"? ", b": ",
    b"|\n", b">\n", b"'", b'"', b"\\", b'"\\ud800"', b"\\x", b"#", b"%YAML 1.1\n", b"---\n",
    b"...\n", b"- ",
    b"\t", b"\r", b"\r\n", b"\n", b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\0", b"\x1b[2J",
    b"\xff", b"010", b"0o17", b"1e400", b".nan", b"-.inf", b"1_000", b"9" * 50, b"null", b"true",
    b"@",
    b"`", b"name: ", b"file: ", b"inputs: ", b"generator: ", b"auto", b"\xe4\xb8\xad", b"~", b",",
]  # fmt: skip


def maimed(corpus: list[bytes], rng: random.Random) -> bytes:
    """Random bytes, or a config in which pieces are lost, doubled, swapped or put in."""
    if rng.random() < 0.05:
        return rng.randbytes(rng.randrange(200))
    if rng.random() < 0.1:
        return b"".join(rng.choices(_PIECES, k=rng.randrange(1, 40)))
    text = bytearray(rng.choice(corpus))
    for _ in range(rng.randrange(1, 8)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice([0, 1, 1, 2, 5, 20, 100]))
        kind = rng.randrange(5)
        if kind == 0:
            del text[start:end]
        elif kind == 1:
            text[start:start] = rng.choice(_PIECES)
        elif kind == 2:
            text[start:end] = rng.choice(_PIECES)
        elif kind == 3:
            there = rng.randrange(len(text) + 1)
            text[there:there] = text[start:end] * rng.choice([1, 1, 3])
        elif start < len(text):
            text[start] = rng.randrange(256)
    return bytes(text)
