"""What is computed of a run once for all sections of its report."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from bpcli.runs.subject import Subject

Keys = ParamSpec("Keys")
Value = TypeVar("Value")


def once(
    compute: Callable[Concatenate[Subject, Keys], Value],
) -> Callable[Concatenate[Subject, Keys], Value]:
    """The function, which keeps its results as long as their subject is known."""
    known: WeakKeyDictionary[Subject, dict[Hashable, Value]] = WeakKeyDictionary()

    @wraps(compute)
    def kept(subject: Subject, /, *keys: Keys.args, **named: Keys.kwargs) -> Value:
        computed, key = known.setdefault(subject, {}), (keys, *named.items())
        if key not in computed:
            computed[key] = compute(subject, *keys, **named)
        return computed[key]

    return kept
