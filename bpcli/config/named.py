"""Config values that name an entry of a registry: `tanh`, or `{name: elu, alpha: 0.5}`.

The registries hold frozen dataclasses, whose annotated fields are the options. Each becomes a
pydantic model here: the config accepts every entry of a registry, and the validated value is the
entry itself. A model is made when a config first names its entry, because making all of them takes
longer than a short training.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_type_hints

from annotated_types import DocInfo
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    ValidationInfo,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from bpcli.registry import as_mapping


class Strict(BaseModel):
    """No unknown keys, no conversions, no changes afterwards.

    A validator is built at its first use: the validator of a config contains those of its sections,
    and most models are never validated alone. So default sections are made without validation, by
    `model_construct`.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        arbitrary_types_allowed=True,
        defer_build=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_a_default_mapping(cls, value: Any) -> Any:
        """Replace null (a key without a value in YAML) by the default if that is a mapping."""
        if not isinstance(value, dict) or all(inner is not None for inner in value.values()):
            return value
        return {
            key: inner
            for key, inner in value.items()
            if inner is not None
            or key not in cls.model_fields
            or not is_mapping(cls.model_fields[key].default)
        }


def is_mapping(default: Any) -> bool:
    """Whether a config writes this default as a mapping."""
    return isinstance(default, BaseModel) or is_dataclass(default)


def options_of(entry: type) -> dict[str, Any]:
    """The fields of a dataclass as pydantic field definitions."""
    hints = get_type_hints(entry, include_extras=True)
    return {
        field.name: (
            Annotated[hints[field.name], Field(description=_meaning(hints[field.name]))],
            ... if field.default is MISSING else field.default,
        )
        for field in fields(entry)
    }


def _meaning(hint: Any) -> str | None:
    """The text of an annotation's `doc`."""
    docs = (part.documentation for part in get_args(hint) if isinstance(part, DocInfo))
    return next(docs, None)


@dataclass(frozen=True, eq=False)  # compared by identity: a mapping has no hash
class OneOf:
    """Annotates a value that is validated by one of several models, chosen by a tag.

    It raises the errors of pydantic's tagged union, which would need all models beforehand.
    """

    tags: Collection[str]
    tag_of: Callable[[Any], object]
    model_of: Callable[[str], type[BaseModel]]
    unwritten: Collection[str] = ()
    """Further tags, of values that a config file cannot hold; the schema has none of them."""

    def validate(self, value: Any) -> BaseModel:
        """Validate by the model of the value's tag; only that model is made."""
        tag = self.tag_of(value)
        if tag is None:
            raise PydanticKnownError("union_tag_not_found", {"discriminator": "a tag"})
        if not isinstance(tag, str) or tag not in {*self.tags, *self.unwritten}:
            expected = ", ".join(map(repr, self.tags))
            shown = str(tag).encode("utf-8", "replace").decode()  # JSON may have lone surrogates
            context = {"discriminator": "a tag", "tag": shown, "expected_tags": expected}
            raise PydanticKnownError("union_tag_invalid", context)
        return self.model_of(tag).model_validate(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The schema of all models."""
        models = (self.model_of(tag) for tag in self.tags)
        return {"oneOf": [handler(model.__pydantic_core_schema__) for model in models]}


@dataclass(frozen=True)
class ShortForm:
    """Adds short forms to the JSON Schema: a name for a mapping, and an alias for a name."""

    names: Collection[str]
    aliases: Mapping[str, Mapping[str, object]]
    default: str | None

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = handler(schema)
        for name, reference in zip(self.names, described["oneOf"], strict=True):
            model = handler.resolve_ref_schema(reference)
            known_as = [alias for alias, entry in self.aliases.items() if entry["name"] == name]
            meaning = model["properties"]["name"]["description"]
            model["properties"]["name"] = {"enum": [name, *known_as], "description": meaning}
            model["required"] = [key for key in model["required"] if name != self.default]
        return {"oneOf": [{"enum": [*self.names, *self.aliases]}, *described["oneOf"]]}


def named(
    what: str,
    registry: Mapping[str, type],
    aliases: Mapping[str, Mapping[str, object]] | None = None,
    default: str | None = None,
) -> Any:
    """The annotation of a config value that names an entry of `registry`.

    An alias means a name and implied options; options given in the config override them. Options
    without a name belong to the default, if there is one.
    """
    return Annotated[
        Any,
        OneOf(registry, _tagger("name"), _model_maker(what, registry, "name")),
        AfterValidator(_entry_maker(registry, "name")),
        BeforeValidator(_expander(aliases or {}, default)),
        PlainSerializer(lambda item: shortest(registry, item)),
        ShortForm(registry, aliases or {}, default),
    ]


def keyed(what: str, registry: Mapping[str, type], key: str) -> Any:
    """The annotation of a mapping with the name of an entry of `registry` under `key`."""
    return Annotated[
        Any,
        OneOf(registry, _tagger(key), _model_maker(what, registry, key)),
        AfterValidator(_entry_maker(registry, key)),
        PlainSerializer(lambda item: as_mapping(registry, item, key)),
    ]


def _model_maker(
    what: str, registry: Mapping[str, type], key: str
) -> Callable[[str], type[BaseModel]]:
    @cache
    def model_of(name: str) -> type[BaseModel]:
        entry = registry[name]
        which: Any = (Literal[name], Field(description=f"The name of the {what}."))
        fields_ = {key: which, **options_of(entry)}
        return create_model(f"{what}_{name}", __base__=Strict, __doc__=_described(entry), **fields_)

    return model_of


def _described(entry: type) -> str:
    """The docstring of an entry, with its formulas added to the first paragraph."""
    summary, *rest = (entry.__doc__ or "").split("\n\n")
    formulas = [getattr(entry, name) for name in ("formula", "derivative") if hasattr(entry, name)]
    if formulas:
        summary = f"{summary} {'; '.join(formulas)}."
    return "\n\n".join([summary, *rest])


def _tagger(key: str) -> Callable[[Any], object]:
    """Return a function that reads the name."""
    return lambda value: value.get(key) if isinstance(value, dict) else None


def _entry_maker(registry: Mapping[str, type], key: str) -> Callable[[Any], Any]:
    def make(model: Any) -> Any:
        entry = registry[getattr(model, key)]
        return entry(**{field.name: getattr(model, field.name) for field in fields(entry)})

    return make


def _expander(
    aliases: Mapping[str, Mapping[str, object]], default: str | None
) -> Callable[[Any, ValidationInfo], Any]:
    """Return a function that expands short forms and, with a note, aliases."""

    def expand(value: Any, info: ValidationInfo) -> Any:
        mapping = {"name": value} if isinstance(value, str) else value
        if isinstance(mapping, dict) and default is not None:
            mapping = {"name": default} | mapping
        if not isinstance(mapping, dict) or not isinstance(mapping.get("name"), str):
            return mapping
        alias = mapping["name"]
        if alias not in aliases:
            return mapping
        if info.context is not None:
            info.context.append(f"`{alias}` is called {_with_options(aliases[alias])} here")
        return {**aliases[alias], **mapping, "name": aliases[alias]["name"]}

    return expand


def _with_options(meaning: Mapping[str, object]) -> str:
    """A name with its options: `gradient_descent` with momentum 0.9."""
    options = [f"{key} {value}" for key, value in meaning.items() if key != "name"]
    return f"`{meaning['name']}`" + (f" with {', '.join(options)}" if options else "")


def shortest(registry: Mapping[str, type], item: Any) -> Any:
    """The name alone if an entry has no options, else a mapping with all of them."""
    mapping = as_mapping(registry, item)
    return mapping["name"] if len(mapping) == 1 else mapping
