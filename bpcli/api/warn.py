"""Python warnings that point at the line of the caller, however deep in this package they arise."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable

from bpcli.errors import BpnetWarning

_INSIDE = (f"{__name__.partition('.')[0]}.", "sklearn.callback.")
"""How the names of this package's modules begin, and of those that call `fit` for its callers."""


def warn(messages: Iterable[str], category: type[Warning] = BpnetWarning) -> None:
    """Issue each message as a warning at the first line outside this package."""
    level = _level_of_caller()
    for message in messages:
        warnings.warn(message, category, stacklevel=level)


def _level_of_caller() -> int:
    """The `stacklevel` for `warn`, counted from its own frame."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_INSIDE):
        level, frame = level + 1, frame.f_back
    return level
