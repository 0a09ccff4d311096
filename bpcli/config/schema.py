"""The JSON Schema of a config, with which an editor completes and checks configs.

It is made from the models that validate configs. Issues between two keys, and issues that depend on
the data, are only found by `bpnet check`.
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
    schema["required"].remove("name")  # the file's name is the default
    _forget_titles(schema)
    return {"$schema": DIALECT, "title": "bpnet config", **schema}


class _Generator(GenerateJsonSchema):
    """Defaults as written in a config; null stands for a default mapping.

    A mapping's default is left out where the defaults of its keys already give it.
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
    entry: name for registry in (INITIALIZERS, OPTIMIZERS) for name, entry in registry.items()
}
"""The name of each entry, for the registries whose entries can be defaults."""


def _forget_titles(node: Any) -> None:
    """Remove titles, which only repeat the names of keys."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for value in node.values():
            _forget_titles(value)
    elif isinstance(node, list):
        for value in node:
            _forget_titles(value)
