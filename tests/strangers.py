"""Names that are meant to do harm wherever they are shown, and runs of strangers that hold them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tampered import change_arrays

from bpcli.data.columns import FeatureEncoder
from bpcli.runs.layout import WEIGHTS

CANARY = "PWNED"
"""A file that is there once any of the code below was run in its folder."""

_TOUCH = f"__import__('pathlib').Path('{CANARY}').touch()"
_PRINTABLE = [
    "'", '"', "`", "\\", "{", "}", "{0}", "{name}", "$", "$$", "%", "%s", "#", "&", "_", "__", "^",
    "~", "=", "+", "-", "@", "<", ">", "[", "]", "(", ")", ",", ";", "|", "!", "*", "?", ":", "/",
    "'''", '"""', "\\n", "\\x41", "a", "B", "1", "-1", "nan", " ", "é", "中文", "网络", "🙂",
    "<script>alert(1)</script>", "&lt;b&gt;", "\\input{x}", "\\end{document}", "$x$", "$\\frac{$",
    "{{x}}", "`id`", "$(touch PWNED)", "; touch PWNED", "=cmd|' /C calc'!A0", "@SUM(1)", "＝1+1",
    _TOUCH, f"' + {_TOUCH} + '", f'"" + {_TOUCH}', "[red]", "[/]", "[bold]", ":smile:", "..", "-->",
    "]]>", "%n", "\\u0041", "${HOME}", "#{1}", "<!--",
]  # fmt: skip
_STEERING = [
    "\x1b[31m", "\x1b]0;x\x07", "\x1b[2J", "\x9b31m", "\x9d0;x\x9c", "\x07", "\x08", "\x7f", "\x85",
    "\u2028", "\u202e", "\u2066", "\u200f", "\ufeff", "\u200b", "\r", "\x0b", "\x0c", "\x1c",
]  # fmt: skip
_BREAKS = ["\n", "\t", "\r\n", "\n\n# x", "\n```\n", "\nError: forged"]


def printable_name(rng: random.Random) -> str:
    """A name that a table may give to a column or a class."""
    return _name(rng, _PRINTABLE)


def any_name(rng: random.Random) -> str:
    """A name of any characters that UTF-8 can spell."""
    return _name(rng, [*_PRINTABLE, *_STEERING, *_STEERING, *_BREAKS])


def _name(rng: random.Random, pieces: list[str]) -> str:
    return "".join(rng.choices(pieces, k=rng.randrange(1, 6)))


def is_harmless(text: str) -> bool:
    """Whether a terminal only shows it."""
    return all(c.isprintable() or c in "\n\t" for c in text)


def poison(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what describes a run's weights as a stranger would: all else fits that."""

    def changed(arrays: dict[str, Any], meta: dict[str, Any]) -> None:
        change(meta)
        meta["columns"]["class_names"] = meta["class_names"]
        meta["input_names"] = list(FeatureEncoder.from_json(meta["columns"]).names)

    change_arrays(run / WEIGHTS, changed)
