"""The fixed text of exported files: the files in `assets/`, in parts with names.

A line such as `//@ encode` begins the part `encode`. `@name@` in it stands for a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_ASSETS = Path(__file__).parent / "assets"
_MARK = re.compile(r"^(?://|%)@ (\w+)\n", re.MULTILINE)


@cache
def parts(file: str) -> Mapping[str, str]:
    """Each part of a file by its name, in order."""
    _, *texts = _MARK.split(_ASSETS.joinpath(file).read_text("utf-8"))
    return {name: f"{text.strip()}\n" for name, text in zip(texts[::2], texts[1::2], strict=True)}


def filled(part: str, values: Mapping[str, str]) -> str:
    """A part with its @names@ replaced by values, in which nothing is replaced."""
    return re.sub(r"@(\w+)@", lambda name: values[name[1]], part)
