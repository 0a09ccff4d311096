"""Checks of the content of a run's files: values, and the structures that contain them.

A run may come from an untrusted source, with digests that match its files. So everything in a file
is checked here when the file is read, before it is used. A check converts nothing: an accepted
value is written again unchanged.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias, TypeVar, dataclass_transform

from pydantic import AfterValidator, ConfigDict, Field, GetPydanticSchema, ValidationError

from bpcli.errors import RunError
from bpcli.text import visible

if TYPE_CHECKING:
    from pydantic import TypeAdapter


Class = TypeVar("Class")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def structure(cls: type[Class]) -> type[Class]:
    """A dataclass with few generated methods, which slow the start; mypy keeps it frozen."""
    return dataclass(eq=False, repr=False, match_args=False)(cls)


class Saved:
    """A structure in a file, without unknown keys. Pydantic is imported only to check it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({vars(self)})"

    def to_json(self) -> dict[str, object]:
        """Return the structure as in its file."""
        return {name: _tree(value) for name, value in vars(self).items()}


def _tree(value: object) -> object:
    """Return a value as JSON: structures are converted, and lists and mappings of them."""
    if isinstance(value, list):
        return [_tree(each) for each in value]
    if isinstance(value, dict):
        return {key: _tree(each) for key, each in value.items()}
    return value.to_json() if isinstance(value, Saved) else value


Structure = TypeVar("Structure", bound=Saved)


def check(
    model: type[Structure], value: object, path: Path, inlined: Sequence[str] = ()
) -> Structure:
    """Check a value and return it as a structure.

    Raises `RunError` naming the file and the first key that does not match `model`. Fields that
    are `inlined` have their keys beside the others in the file.
    """
    try:
        return _adapter(model).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        parts = [str(part) for part in first["loc"] if part not in inlined]
        key = ".".join(part[:80] for part in parts if not _ALTERNATIVE.fullmatch(part))
        said = _REASONS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
        raise RunError(
            f"{path} is damaged or was not written by bpnet: see its "
            f"`{visible(key) or 'top level'}`: {visible(said[:_LONGEST_REASON])}."
        ) from None


_ADAPTERS: dict[type[Saved], TypeAdapter[Any]] = {}


def _adapter(model: type[Structure]) -> TypeAdapter[Structure]:
    """The checks of a structure; compiled once."""
    from pydantic import TypeAdapter

    return _ADAPTERS.get(model) or _ADAPTERS.setdefault(model, TypeAdapter(model))


_LONGEST_REASON = 300

_REASONS = {
    "unexpected_keyword_argument": "Extra inputs are not permitted",
    "dataclass_type": "Input should be an object",
}
"""Replacements for messages of pydantic about Python calls."""

_ALTERNATIVE = re.compile(r"float|str|bool|int|constrained-int|(union|function-after|dict)\[.*\]")
"""What pydantic adds to the location of a value that may have one of several types."""


# Values.


def _spellable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a text must not contain a lone surrogate") from None
    return text


def printable(text: str) -> str:
    """Return a name unchanged. Raises `ValueError` if it has control characters."""
    if not text.isprintable():
        raise ValueError("a name must not have control characters")
    return text


_MOST_DEPTH = 8


def _plain(value: object, depth: int = 0) -> object:
    """Check that JSON can be written again and is not nested too deeply for recursion."""
    if depth > _MOST_DEPTH:
        raise ValueError(f"a value is nested deeper than {_MOST_DEPTH} levels")
    if isinstance(value, dict | list):
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            _plain(inner, depth + 1)
    elif isinstance(value, str):
        _spellable(value)
    elif isinstance(value, int | float) and not abs(value) <= sys.float_info.max:
        raise ValueError("a number is not finite, or too large")
    return value


Text: TypeAlias = Annotated[str, AfterValidator(_spellable)]
Name: TypeAlias = Annotated[str, AfterValidator(printable)]
Word: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Digest: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Flag: TypeAlias = Annotated[bool, Field(strict=True)]
Count: TypeAlias = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Positive: TypeAlias = Annotated[int, Field(strict=True, ge=1, lt=2**63)]
_Finite: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Whole: TypeAlias = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
Number: TypeAlias = Annotated[float, GetPydanticSchema(lambda _, of: of(_Finite | _Whole))]
"""An integer or a float; nothing is converted."""

Figure: TypeAlias = Number | None
"""A number; null for one that is not finite."""

Scores: TypeAlias = dict[Name, Figure]
Value: TypeAlias = Text | Flag | Number | None
JsonValue: TypeAlias = Annotated[object, AfterValidator(_plain)]
