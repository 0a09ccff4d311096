"""What a model says of its columns and classes, on trial before it is used elsewhere.

A run may be a stranger's, and whatever describes its weights anything that JSON can hold.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import get_args

from bpcli.data.columns import InputColumn, Kind
from bpcli.errors import RunError
from bpcli.experiment.formats.literals import identifier
from bpcli.experiment.model import Model


def check_model(model: Model) -> None:
    """Raises `RunError` for columns that are of no kind, and names that no file can hold."""
    for column in model.encoding.inputs:
        identifier(column.kind, get_args(Kind))
    for what, names in _names(model):
        for name in names:
            _check_text(what, name)
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise RunError(f"The run is damaged: the {what} {twice[0]!r} is there twice.")
    for column in model.encoding.inputs:
        _check_fill(column)
    found, wanted = len(model.encoding.names), model.network.inputs
    if found != wanted:
        raise RunError(
            f"The run is damaged: its columns make {found} inputs, and its network has {wanted}."
        )


def _names(model: Model) -> Iterator[tuple[str, Sequence[object]]]:
    yield "column", [column.name for column in model.encoding.inputs]
    for column in model.encoding.inputs:
        yield "category", column.categories
    yield "class", model.class_names
    yield "output", model.output_names


def _check_text(what: str, name: object) -> None:
    """Text that UTF-8 can spell."""
    try:
        if isinstance(name, str):
            name.encode()
            return
    except UnicodeEncodeError:
        pass
    raise RunError(f"The run is damaged: the {what} {name!r} is no text.")


def _check_fill(column: InputColumn) -> None:
    """A category for words, a number for all else, or nothing."""
    fill, is_category = column.fill, column.kind == "category"
    if is_category:
        fits = fill in column.categories
    else:
        is_number = isinstance(fill, int | float) and not isinstance(fill, bool)
        fits = is_number and math.isfinite(fill)  # type: ignore[arg-type]  # it is a number
    if fill is not None and not fits:
        raise RunError(
            f"The run is damaged: gaps of the column {column.name!r} are filled with {fill!r}, "
            f"not with {'one of its categories' if is_category else 'a finite number'}."
        )
