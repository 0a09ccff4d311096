"""The names that a model gives to columns, outputs and classes, on trial before they are written.

A run may be a stranger's, and its names anything that JSON can hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bpcli.errors import RunError
from bpcli.experiment.model import Model


def check_names(model: Model) -> None:
    """Raises `RunError` for names that no file can hold as they are: no text, or one twice."""
    for what, names in _kinds(model):
        for name in names:
            _check_text(what, name)
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise RunError(f"The run is damaged: the {what} {twice[0]!r} is there twice.")


def _kinds(model: Model) -> Iterator[tuple[str, Sequence[object]]]:
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
