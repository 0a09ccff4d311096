"""The config's `data` as one of several models, chosen by its keys."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, Field, create_model

from bpcli.config.data_models import ArrayData, GeneratedData, InlineData
from bpcli.config.named import OneOf, options_of
from bpcli.data.generators import GENERATORS

if TYPE_CHECKING:
    from bpcli.config.file_models import FileData


def _model_tag(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    if "file" in value and "generator" not in value:
        return "file"
    if "inputs" in value and "generator" not in value:
        return "memory" if isinstance(value["inputs"], np.ndarray) else "arrays"
    generator = value.get("generator")
    return generator if isinstance(generator, str) else None


@cache
def _data_model(tag: str) -> type[BaseModel]:
    if tag == "arrays":
        return InlineData
    if tag == "memory":
        return ArrayData
    if tag == "file":
        from bpcli.config.file_models import FileData  # here: importing it takes 10 ms

        return FileData
    generator, meaning = GENERATORS[tag], GeneratedData.model_fields["generator"].description
    keys = {"generator": (Literal[tag], Field(description=meaning)), **options_of(generator)}
    return create_model(f"data_{tag}", __base__=GeneratedData, __doc__=generator.__doc__, **keys)


if TYPE_CHECKING:
    DataSpec: TypeAlias = ArrayData | GeneratedData | InlineData | FileData
else:
    DataSpec = Annotated[
        Any, OneOf([*GENERATORS, "arrays", "file"], _model_tag, _data_model, unwritten=["memory"])
    ]
