"""The names of an array's columns, in a file beside it: `big.npy.json` for `big.npy`.

It may come from a stranger: everything in it is checked when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bpcli.data.files.beside import MOST_BYTES, MOST_CHARACTERS, sidecar_of
from bpcli.data.files.regular import require_regular
from bpcli.data.targets import MOST_CLASSES
from bpcli.errors import DataError
from bpcli.text import plain

_MOST_SAID = 200


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a name must not have control characters")
    return text


Name = Annotated[str, Field(max_length=MOST_CHARACTERS), AfterValidator(_printable)]
Text = Annotated[str, Field(max_length=2 * MOST_CHARACTERS + 1)]
"""The name of a column; after the name in the table, it may have a category with line breaks."""
Count = Annotated[int, Field(strict=True, ge=0, lt=2**63)]


class Model(BaseModel):
    """A part of the file, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceFile(Model):
    """The table that was converted, as it was then."""

    name: Name
    size: Count
    modified_ns: Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]


class ClassNames(Model):
    """A target whose numbers 0, 1, 2 … are the indices of its classes."""

    target: Name
    names: Annotated[list[Name], Field(min_length=1, max_length=MOST_CLASSES)]


class Sidecar(Model):
    """What the columns of an array are.

    `columns` are their names in order, `targets` the columns to be predicted, and `classes` those
    of them that hold classes; with several targets, these are labels of two words. `dialect` is how
    the source was read, and `notes` what was guessed, filled and left out.
    """

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    rows: Count
    columns: Annotated[list[Text], Field(min_length=1, max_length=50_000)]
    targets: list[Name]
    classes: list[ClassNames]
    dtype: Literal["float32", "float64"]
    source: SourceFile
    dialect: dict[Name, Any]
    notes: list[str]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for key, names in (
            ("columns", self.columns),
            ("targets", self.targets),
            ("classes", [each.target for each in self.classes]),
            *((f"classes of {each.target}", each.names) for each in self.classes),
        ):
            if len({*names}) < len(names):
                raise ValueError(f"`{key}` contains a name twice")
        unknown = {*self.targets} - {*self.columns} or self.names_of.keys() - {*self.targets}
        if unknown:
            raise ValueError(f"`{min(unknown)}` is used as a target, but is not listed")
        if len(self.targets) > 1 and any(len(each.names) != 2 for each in self.classes):
            raise ValueError("several targets with classes must have two classes each")
        return self

    @property
    def names_of(self) -> dict[str, tuple[str, ...]]:
        """The names of the classes of each target that has them."""
        return {each.target: tuple(each.names) for each in self.classes}

    def to_bytes(self) -> bytes:
        """The content of the file."""
        document = self.model_dump(by_alias=True)
        return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def read_sidecar(array: Path, shape: Sequence[int]) -> Sidecar:
    """What the file beside an array says.

    Raises `DataError` if it is damaged, or does not fit an array of this shape.
    """
    path = sidecar_of(array)
    require_regular(path)
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path.name} is not a file of names: it has more than 64 MB", "file")
    try:
        sidecar = Sidecar.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise _damaged(path, error) from None
    expected = (sidecar.rows, len(sidecar.columns))
    if tuple(shape) != expected:
        raise DataError(
            f"{path.name} describes {expected[0]:,} rows of {expected[1]:,} columns, but "
            f"{array.name} has {' × '.join(f'{size:,}' for size in shape)}: convert the table "
            f"again (bpnet data convert), or remove {path.name}",
            "file",
        )
    return sidecar


def _damaged(path: Path, error: ValidationError) -> DataError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(map(str, first["loc"])) or "the top level"
    return DataError(
        f"{path.name} is damaged or was not written by bpnet: see {plain(key, _MOST_SAID)}: "
        f"{plain(first['msg'], _MOST_SAID)}; convert the table again (bpnet data convert), or "
        "remove the file",
        "file",
    )
