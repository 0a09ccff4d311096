"""What a run's record is made of, so that whoever reads run.json meets no surprise in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

Fits: TypeAlias = Callable[[object], bool]
"""Whether a value is of a certain form."""


def wrong_key(record: object) -> str | None:
    """The first key of a record that is missing, or whose value is not of its form."""
    if not isinstance(record, dict):
        return "top level"
    needed = [*_ALWAYS]
    if "stop" in record or record.get("status") == "finished":
        needed += _AT_THE_END
    missing = [key for key in needed if key not in record]
    wrong = [key for key, fits in _FORMS.items() if key in record and not fits(record[key])]
    return next(iter([*missing, *wrong]), None)


def _of(*kinds: type) -> Fits:
    return lambda value: isinstance(value, kinds)


def _is_number(value: object) -> bool:
    """A number that can be printed as one."""
    if isinstance(value, int):
        return value.bit_length() <= 64
    return isinstance(value, float) and math.isfinite(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and _is_number(value)


def _or_none(fits: Fits) -> Fits:
    return lambda value: value is None or fits(value)


def _list(fits: Fits) -> Fits:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _mapping(fits: Fits) -> Fits:
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


def _with(forms: Mapping[str, Fits]) -> Fits:
    """A mapping that has these keys, and maybe more."""
    return lambda value: (
        isinstance(value, dict)
        and all(key in value and fits(value[key]) for key, fits in forms.items())
    )


def _any(*choices: Fits) -> Fits:
    return lambda value: any(fits(value) for fits in choices)


_text = _of(str)
_figure = _or_none(_is_number)
_named = _with({"name": _text})
_layer = _with({"inputs": _is_int, "units": _is_int, "activation": _named, "bias": _text})
_rule = _with(
    {"name": _text, "meaning": _text, "falls": _of(bool)}
    | dict.fromkeys(("start", "now", "target"), _figure)
)

_FORMS: dict[str, Fits] = {
    "run_id": _text, "status": _text, "task": _text, "rows": _mapping(_is_int),
    "layers": lambda value: bool(value) and _list(_layer)(value), "n_params": _is_int,
    "n_frozen": _is_int, "loss": _text, "reduction": _text, "l2": _is_number,
    "optimizer": _named, "dtype": _text, "seed": _of(int), "targets_scaled": _of(bool),
    "overrides": _list(_text), "batch_size": _any(_is_int, _text),
    "learning_rate": _or_none(_any(_is_number, _with({"schedule": _text}))),
    "class_weights": _or_none(_mapping(_is_number)), "config": _of(dict), "identity": _text,
    "fold": _with({"number": _is_int, "of": _is_int, "group": _text}),
    "resumed": _list(_with({"at_epoch": _is_int, "changed": _list(_text)})),
    "stop_reason": _text, "stop_message": _or_none(_text), "warning": _or_none(_text),
    "error": _text, "started": _text, "ended": _text, "epochs": _is_int, "best_epoch": _is_int,
    "seconds": _is_number, "stop": _list(_rule), "metrics": _mapping(_figure),
    "baselines": _mapping(_mapping(_figure)), "sha256": _mapping(_text), "data_sha256": _text,
    "versions": _mapping(_text), "platform": _text, "cpu": _text,
    "blas": _list(_mapping(_or_none(_text))),
}  # fmt: skip
_ALWAYS = (
    "run_id", "status", "task", "rows", "layers", "n_params", "n_frozen", "loss", "reduction",
    "l2", "optimizer", "dtype", "seed", "targets_scaled", "overrides", "batch_size",
)  # fmt: skip
_AT_THE_END = ("stop_reason", "epochs", "best_epoch", "seconds", "stop", "metrics", "baselines")
