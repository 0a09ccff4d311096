"""Decode a config file as UTF-8; the error names the encoding that a file seems to have instead."""

from __future__ import annotations

import codecs

from bpcli.errors import ConfigError

_BYTE_ORDER_MARKS = {  # UTF-32 first: its little-endian mark begins as that of UTF-16
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_ASCII_IN: dict[tuple[bool, ...], str] = {  # positions of the zeros in four bytes of ASCII text
    (False, True, True, True): "UTF-32",
    (True, True, True, False): "UTF-32",
    (False, True, False, True): "UTF-16",
    (True, False, True, False): "UTF-16",
}


def decode(content: bytes, name: str) -> str:
    """The text of UTF-8 bytes, without a byte order mark. Raises `ConfigError` for others."""
    encoding = _wide_encoding(content)
    if encoding is not None:
        raise ConfigError(f"{name} is {encoding}, not UTF-8: save it as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{name} is not UTF-8 but looks like {_narrow_encoding(content)} (line {line} has byte "
            f"0x{content[error.start]:02x}): save it as UTF-8."
        ) from None


def _wide_encoding(content: bytes) -> str | None:
    for mark, name in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return name
    return _ASCII_IN.get(tuple(byte == 0 for byte in content[:4]))


def _narrow_encoding(content: bytes) -> str:
    """A guess at the encoding of bytes that are not UTF-8, for the message only."""
    others = bytes(byte for byte in content if byte >= 0x80)
    if any(byte < 0x20 and byte not in b"\t\n\r\f\x1b" for byte in content):
        return "a binary file"
    if b"\xed\xa0" <= others[:2] <= b"\xed\xbf":
        return "text with lone surrogates"
    if _is_gbk(content):
        return "GBK"
    return "Windows-1252" if any(byte < 0xA0 for byte in others) else "Latin-1"


def _is_gbk(content: bytes) -> bool:
    """Whether the bytes are GBK whose characters beyond ASCII are all Chinese or full-width."""
    try:
        text = content.decode("gbk")
    except UnicodeDecodeError:
        return False
    return all(c.isascii() or "\u3000" <= c <= "\u9fff" or "\uff00" <= c <= "\uffef" for c in text)
