"""The JSON Schema of a config: what an editor needs to complete and check one while it is written.

It is made from the models that validate configs, and says less than they do: what lies between two
keys, or shows only beside the data, is found by `bpnet check`.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from bpcli.config.models import Spec
from bpcli.config.named import is_mapping
from bpcli.nn.initializers import INITIALIZERS
from bpcli.optimizers import OPTIMIZERS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of a config (draft 2020-12)."""
    schema = Spec.model_json_schema(schema_generator=_Generator)
    schema["required"].remove("name")  # the file has one
    _forget_titles(schema)
    return {"$schema": DIALECT, "title": "bpnet config", **schema}


class _Generator(GenerateJsonSchema):
    """Defaults as a config spells them; of a mapping, only those that its keys do not tell.

    Null stands for a default that is a mapping.
    """

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        default = schema.get("default")
        if not is_mapping(default):
            return super().default_schema(schema)
        nullable = {"anyOf": [self.generate_inner(schema["schema"]), {"type": "null"}]}
        if isinstance(default, BaseModel) and not default.model_fields_set:
            return nullable
        return {**nullable, "default": self.encode_default(default)}

    def encode_default(self, dft: Any) -> Any:
        if type(dft) in _NAMES:
            return _NAMES[type(dft)]
        return dft.model_dump() if isinstance(dft, BaseModel) else super().encode_default(dft)


_NAMES: dict[type, str] = {
    kind: name for registry in (INITIALIZERS, OPTIMIZERS) for name, kind in registry.items()
}
"""Of the entries of registries of which one, as it is by itself, is a default."""


def _forget_titles(node: Any) -> None:
    """Remove what only repeats a key's name."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for value in node.values():
            _forget_titles(value)
    elif isinstance(node, list):
        for value in node:
            _forget_titles(value)
