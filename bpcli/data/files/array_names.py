"""Which of several arrays in a file has the inputs, and which the targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from bpcli.data.files.array_files import listed
from bpcli.data.selection import Selector
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

Role: TypeAlias = Literal["inputs", "targets"]
USUAL_NAMES: dict[Role, tuple[str, ...]] = {
    "inputs": ("X", "x", "inputs", "data", "features"),
    "targets": ("y", "Y", "targets", "target", "labels", "t"),
}


def name_of_array(
    key: Role, arrays: Mapping[str, Array], asked: tuple[Selector, ...] | None
) -> str:
    """The name of the array of inputs or targets: the one asked for, or one with a usual name.

    Raises `DataError` if there is none.
    """
    if asked is not None:
        if len(asked) == 1 and asked[0] in arrays:
            return str(asked[0])
        given = ", ".join(map(str, asked))
        raise DataError(f"`{key}` is {given}, expected one of the arrays {listed(arrays)}", key)
    exact = [name for name in USUAL_NAMES[key] if name in arrays]
    ending = [name for name in arrays if name.lower().endswith(_LONG_NAMES[key])]
    if exact or len(ending) == 1:
        return [*exact, *ending][0]
    if roles := _roles(arrays):
        return roles[key]
    raise DataError(
        f"no array has a usual name for {key}: set `{key}` in a config to {listed(arrays)}", key
    )


_LONG_NAMES: dict[Role, tuple[str, ...]] = {
    "inputs": ("inputs", "input", "features"),
    "targets": ("targets", "target", "labels"),
}
"""Endings by which an array is recognised, such as houseInputs."""


def _roles(arrays: Mapping[str, Array]) -> dict[Role, str] | None:
    """Which of two arrays is the targets: the only one that is text, or a single row or column."""
    for is_target in (_is_text, is_vector):
        targets = [name for name, array in arrays.items() if is_target(array)]
        if len(arrays) == 2 and len(targets) == 1:
            (inputs,) = arrays.keys() - targets
            return {"inputs": inputs, "targets": targets[0]}
    return None


def _is_text(array: Array) -> bool:
    return array.dtype.kind == "U"


def is_vector(array: Array) -> bool:
    """Whether an array is a single row or column."""
    return max(array.shape, default=1) == array.size
