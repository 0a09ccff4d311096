"""LIBSVM's text: a label and `index:value` for each value that is not 0."""

from __future__ import annotations

import re
from io import BytesIO
from itertools import pairwise

from bpcli.data.files.rendered.result import Rendering, csv_of_frame, refuse_too_large

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_LINE = re.compile(rf"\s*{_NUMBER}(?:\s+qid:\d+)?((?:\s+\d+:{_NUMBER})*)\s*(?:#.*)?")
_PAIR = re.compile(r"(\d+):(\S+)")
_TIME = re.compile(r"\d\d")
_NEARLY_ALL = 0.95
_FEWEST = 2


def render_svmlight(content: bytes, sheet: str | None) -> Rendering:
    """The values as columns x1, x2 …, with zeros, and then the label."""
    import pandas as pd
    from sklearn.datasets import load_svmlight_file

    X, y = load_svmlight_file(BytesIO(content))
    refuse_too_large(*X.shape)
    frame = pd.DataFrame(X.toarray()).rename(columns=lambda index: f"x{index + 1}")
    return Rendering(csv_of_frame(frame.assign(label=y)))


def is_svmlight(text: str) -> bool:
    """Whether nearly all lines are a label and pairs with rising indices, most with several pairs.

    If all values have two digits, they are times: `7 10:30 11:45`.
    """
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
    pairs = [_PAIR.findall(match[1]) for line in lines if (match := _LINE.fullmatch(line))]
    if len(pairs) < max(_FEWEST, _NEARLY_ALL * len(lines)) or not all(map(_is_rising, pairs)):
        return False
    several = sum(len(each) > 1 for each in pairs)
    values = {value for each in pairs for _, value in each}
    return 2 * several > len(pairs) and not all(map(_TIME.fullmatch, values))


def _is_rising(pairs: list[tuple[str, str]]) -> bool:
    indices = [int(index) for index, _ in pairs]
    return all(index < after for index, after in pairwise(indices))
