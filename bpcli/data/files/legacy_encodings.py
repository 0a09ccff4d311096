"""Guesses of the encoding of a text that is not Unicode.

An encoding of East Asia is recognised by the everyday characters that its standard puts first:
Hangul, kana, and the first level of Chinese characters (KS X 1001; JIS X 0208; GB 2312-80; Big5,
1984). A one-byte encoding is recognised by the letters of a language: those beyond ASCII that it
has, or, in another script, the ten most frequent ones. charset-normalizer guessed wrong for three
of six short Latin tables, and took German for Turkish of a Macintosh.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

_LATIN = {
    "cp1252": (
        "äöüß", "éèêëàâùûüçôîïœ", "áéíóúñü", "ãõáàâéêíóôúç", "æøåäö", "àèéìòù",
    ),
    "cp1250": (
        "áčďéěíňóřšťúůýžľĺŕôä", "ąćęłńóśźż", "áéíóöőúüű", "ăâîşţ", "čćđšž",
    ),
    "cp1254": ("çğıöşüİ",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äöõüšž"),
}  # fmt: skip
"""The letters beyond ASCII of languages: German, French, Spanish, Portuguese, Nordic, Italian;
Czech and Slovak, Polish, Hungarian, Romanian, Croatian; Turkish; Lithuanian, Latvian, Estonian."""

_RUSSIAN = "оеаинтсрвл"
_FREQUENT = {
    "cp1251": _RUSSIAN,
    "koi8-r": _RUSSIAN,
    "cp866": _RUSSIAN,
    "cp1253": "αοιετσνηυρ",
    "cp1255": "יוהלאמרתנב",
}
"""The ten most frequent letters of a language."""

_LAST = ("cp1252", "latin-1")
_FEWEST_EVERYDAY = 0.8
_FEWEST_FREQUENT = 0.35
_FEWEST_SIGNS = 3
_NEARLY_ALL = 0.95
_EXAMPLES = 2
_FOR_BREAKS = 10_000

_WORD = re.compile(r"[^\W\d_]+")


def candidates(sample: bytes) -> Iterator[str]:
    """Encodings, the likeliest first. The sample is the beginning of a file."""
    sample = sample[: sample.rfind(b"\n") + 1] or sample  # without a cut character
    yield from _east_asian(sample)
    others = sorted(_FREQUENT, key=lambda encoding: -_fit(sample, encoding))
    if not _is_latin(sample) and _fit(sample, others[0]) >= _FEWEST_FREQUENT:
        yield from others
    if len(set(sample.decode("latin-1")) - set(map(chr, range(128)))) >= _FEWEST_SIGNS:
        yield from sorted(_LATIN, key=lambda encoding: -_fit(sample, encoding))
    yield from _LAST


def example(sample: bytes, encoding: str) -> str:
    """The first words with letters beyond ASCII, by which a reader can check the encoding."""
    words = _WORD.findall(sample.decode(encoding, "replace"))
    shown = dict.fromkeys(word for word in words if not word.isascii())
    return f", with words such as {', '.join(list(shown)[:_EXAMPLES])}" if shown else ""


# East Asia.


def _east_asian(sample: bytes) -> Iterator[str]:
    scores = {encoding: score(sample) for encoding, score in _SCORES.items()}
    best = max(scores, key=lambda encoding: scores[encoding])  # the first of equals
    signs = {sign for sign in sample.decode(best, "ignore") if not sign.isascii()}
    if scores[best] >= _FEWEST_EVERYDAY and len(signs) >= _FEWEST_SIGNS:
        yield best


def _share(sample: bytes, encoding: str, is_everyday: Callable[[str], bool]) -> float:
    """The share of everyday characters among the unique ones beyond ASCII.

    It is 0 if the text is not valid.
    """
    try:
        signs = [sign for sign in set(sample.decode(encoding)) if not sign.isascii()]
    except UnicodeError:
        return 0.0
    return sum(map(is_everyday, signs)) / max(1, len(signs))


def _korean(sample: bytes) -> float:
    """Hangul only: Chinese text has other characters in the same bytes."""
    share = _share(
        sample, "cp949", lambda sign: sign in _SIGNS or _level(sign, "euc_kr", 0xB0, 0xC8)
    )
    return 1.01 if share >= _NEARLY_ALL else 0.0


def _japanese(encoding: str) -> Callable[[bytes], float]:
    def is_everyday(sign: str) -> bool:
        return "\u3040" <= sign <= "\u30ff" or sign in _SIGNS or _level(sign, "euc_jp", 0xB0, 0xCF)

    return lambda sample: _share(sample, encoding, is_everyday)


def _simplified(sample: bytes) -> float:
    return _share(
        sample, "gb18030", lambda sign: sign in _SIGNS or _level(sign, "gb2312", 0xB0, 0xD7)
    )


def _traditional(sample: bytes) -> float:
    """The share for Big5, if its second byte is ASCII in about every third character.

    In GB 2312 it never is, and in units such as °C and µm it always is.
    """
    share = _share(sample, "big5", lambda sign: sign in _SIGNS or _level(sign, "big5", 0xA4, 0xC6))
    pairs = re.findall(rb"[\xa1-\xf9][\x40-\x7e\xa1-\xfe]", sample)
    ascii_pairs = sum(pair[1] < 0x80 for pair in pairs)
    return share if len(pairs) < 8 * ascii_pairs < 6 * len(pairs) else 0.0


def _level(sign: str, encoding: str, first: int, last: int) -> bool:
    """Whether the first byte of a character is in this range."""
    try:
        code = sign.encode(encoding)
    except UnicodeError:
        return False
    return len(code) == 2 and first <= code[0] <= last


_SIGNS = frozenset("、。・，．：；？！（）「」°℃±×÷～　％㎡")

_SCORES: dict[str, Callable[[bytes], float]] = {
    "cp949": _korean,
    "big5": _traditional,
    "cp932": _japanese("cp932"),
    "euc_jp": _japanese("euc_jp"),
    "gb18030": _simplified,
}


# One byte per character.


def _is_latin(sample: bytes) -> bool:
    """Whether most words with bytes beyond ASCII are mostly ASCII letters.

    A single byte is no evidence: it may be a sign such as €.
    """
    words = [word for word in re.findall(rb"[A-Za-z\x80-\xff]{2,}", sample) if not word.isascii()]
    latin = sum(2 * len(re.findall(rb"[A-Za-z]", word)) >= len(word) - 1 for word in words)
    return 2 * latin >= len(words)


def _fit(sample: bytes, encoding: str) -> float:
    """The share of the letters beyond ASCII that the best fitting language has, or uses most."""
    try:
        text = sample.decode(encoding)
    except UnicodeError:
        return -1.0
    letters = {
        sign: rows for sign, rows in Counter(text).items() if sign.isalpha() and not sign.isascii()
    }
    languages = (_FREQUENT[encoding],) if encoding in _FREQUENT else _LATIN[encoding]
    known = [
        sum(rows for sign, rows in letters.items() if sign in language or sign.lower() in language)
        for language in languages
    ]
    return max(known) / max(1, sum(letters.values()) + _breaks(text[:_FOR_BREAKS]))


def _breaks(text: str) -> int:
    """How often two characters fit no word: a capital after a small letter, a sign at a letter.

    The same bytes are small letters in one Russian encoding and capitals or signs in another.
    """
    pairs = [pair for pair in pairwise(text) if not pair[0].isascii() and not pair[1].isascii()]
    capitals = sum(first.islower() and second.isupper() for first, second in pairs)
    return capitals + sum(first.isalpha() != second.isalpha() for first, second in pairs)
